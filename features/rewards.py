"""What a round earned: a weighted sum of what came of it.

    reward = sum over results of  worth * result

A click or a conversion is worth 1 where it is counted, and money is in the currency's main unit. A weighted
sum says what one of each result is worth in that unit, so it is money, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from features.contracts.sql_text import identifier

RESULTS = ("click", "conversion", "revenue", "margin")
"""What can come of a round: clicks and conversions are counted, revenue and margin are amounts."""

COUNTED = ("click", "conversion")
"""The results of which a round has one or none."""

_AMOUNTS = tuple(result for result in RESULTS if result not in COUNTED)

WEIGHTED = "weighted"
"""The reward that is a sum of several results."""

REWARDS = (*RESULTS, WEIGHTED)
"""The names that `night.reward` may have."""

_CENTS = 100
"""Of one unit of the currency."""


@dataclass(frozen=True)
class Reward:
    """A reward by its name, with the worth of one of each result that it counts; none of them is 0.

    Worth of revenue and margin: of one unit of the currency, not of a cent.

    >>> Reward.of("weighted", {"click": 0.01, "revenue": 1.0, "margin": 0.0})
    Reward(name='weighted', worth={'click': 0.01, 'revenue': 1.0})
    """

    name: str
    worth: Mapping[str, float]

    @classmethod
    def of(cls, name: str, weights: Mapping[str, float] | None = None) -> "Reward":
        """Return the reward of this name; weights: of a weighted sum, by result."""
        if name != WEIGHTED:
            return cls(name, {name: 1.0})
        return cls(name, {result: worth for result, worth in (weights or {}).items() if worth})

    @property
    def is_money(self) -> bool:
        """Whether it is in the shop's currency, and not a count."""
        return is_money(self.name)

    @property
    def results(self) -> tuple[str, ...]:
        """The results that it counts."""
        return tuple(self.worth)

    def unknown_in(self, columns: Mapping[str, str]) -> tuple[str, ...]:
        """Return the results that an area does not know; columns: result → column of fct_rounds."""
        return tuple(result for result in self.worth if result not in columns)

    def expression(self, columns: Mapping[str, str]) -> pl.Expr:
        """Return the reward of each row, Float64; columns: result → column of fct_rounds."""
        parts = [
            pl.col(column).cast(pl.Float64) * worth / units for column, worth, units in self._terms(columns)
        ]
        return pl.sum_horizontal(parts, ignore_nulls=False)

    def in_sql(self, columns: Mapping[str, str]) -> str:
        """Return the same as SQL over the columns of fct_rounds.

        >>> Reward.of("revenue").in_sql({"revenue": "revenue_cents"})
        'CAST("revenue_cents" AS DOUBLE) * 1.0 / 100'
        """
        return " + ".join(
            f"CAST({identifier(column)} AS DOUBLE) * {worth!r} / {units}"
            for column, worth, units in self._terms(columns)
        )

    def _terms(self, columns: Mapping[str, str]) -> list[tuple[str, float, int]]:
        """Return column and worth of each result, and how many of the column's units that is the worth of."""
        return [
            (columns[result], worth, 1 if result in COUNTED else _CENTS)
            for result, worth in self.worth.items()
        ]


def is_money(name: str) -> bool:
    """Whether the reward of this name is in the shop's currency.

    >>> is_money("margin"), is_money("click")
    (True, False)
    """
    return name in (*_AMOUNTS, WEIGHTED)
