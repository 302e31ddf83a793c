"""A log: the contract of its rows, and what else they must be."""

from dataclasses import dataclass

import dataframely as dy

from features.contracts.row_rules import RowRule


@dataclass(frozen=True)
class Log:
    """What a shop can log.

    contract: of its rows. key: the columns that tell its rows apart.
    row_rules: checked after the rules of each column, by the warehouse in SQL and by dataframely in polars.
    added_up: of a log whose key is a grouping and no id, the columns in which lines of the same key add up.
    A later file of the same source states its days anew.
    """

    contract: type[dy.Schema]
    key: tuple[str, ...]
    row_rules: tuple[RowRule, ...] = ()
    added_up: tuple[str, ...] = ()
