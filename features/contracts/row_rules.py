"""A rule over two columns of one row, said once for SQL and for polars."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from features.contracts.check import Rule


@dataclass(frozen=True)
class AtMost:
    """The lesser column is at most the greater one, where both are there.

    >>> AtMost("clicks", "impressions").sentence
    'clicks must be at most impressions'
    """

    lesser: str
    greater: str

    @property
    def sentence(self) -> str:
        """The rule by itself."""
        return f"{self.lesser} must be at most {self.greater}"

    def holds(self) -> pl.Expr:
        """Return the rule as a dataframely rule asks it."""
        return pl.col(self.lesser) <= pl.col(self.greater)

    def in_sql(self, values: Mapping[str, str]) -> Rule:
        """Return the rule as the warehouse asks it, after the rules of each column.

        values: SQL of the typed value of each column.
        """
        lesser, greater = values[self.lesser], values[self.greater]
        said = f"'{self.lesser} is ' || ({lesser}) || ' and {self.greater} ' || ({greater})"
        return Rule(self.sentence, f"({lesser}) > ({greater})", f"{said} || '; {self.sentence}'")
