"""Rules over two columns of one row, written once for SQL and for polars."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from features.contracts.check import Rule
from features.contracts.value_shape import digits_sql


class RowRule(Protocol):
    """A rule over columns of one row; a row in which one of them is null obeys it."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the rule reads."""

    @property
    def sentence(self) -> str:
        """The rule by itself, for the data dictionary."""

    def holds(self) -> pl.Expr:
        """Return the rule as a dataframely rule."""

    def in_sql(self, values: Mapping[str, str]) -> Rule:
        """Return the rule as the warehouse checks it, after the rules of each column.

        values: SQL of the typed value of each column.
        """


@dataclass(frozen=True)
class AtMost:
    """The lesser column is at most the greater one, where both are there.

    >>> AtMost("clicks", "impressions").sentence
    'clicks must be at most impressions'
    """

    lesser: str
    greater: str

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the rule reads."""
        return frozenset({self.lesser, self.greater})

    @property
    def sentence(self) -> str:
        """The rule by itself, for the data dictionary."""
        return f"{self.lesser} must be at most {self.greater}"

    def holds(self) -> pl.Expr:
        """Return the rule as a dataframely rule."""
        return pl.col(self.lesser) <= pl.col(self.greater)

    def in_sql(self, values: Mapping[str, str]) -> Rule:
        """Return the rule as the warehouse checks it, after the rules of each column.

        values: SQL of the typed value of each column.
        """
        lesser, greater = values[self.lesser], values[self.greater]
        return Rule(
            "above_other",
            self.lesser,
            f"({lesser}) > ({greater})",
            {"other": self.greater},
            _digits(lesser, greater),
        )


@dataclass(frozen=True)
class ProductAtMost:
    """The product of two columns that are not negative is at most a limit.

    >>> ProductAtMost("quantity", "price_cents", 100).sentence
    'quantity times price_cents must be at most 100'
    """

    first: str
    second: str
    limit: int

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the rule reads."""
        return frozenset({self.first, self.second})

    @property
    def sentence(self) -> str:
        """The rule by itself, for the data dictionary."""
        return f"{self.first} times {self.second} must be at most {self.limit}"

    def holds(self) -> pl.Expr:
        """Return the rule as a dataframely rule."""
        # a quotient, because the product itself may not fit into 64 bits
        return pl.col(self.second) <= self.limit // pl.col(self.first)

    def in_sql(self, values: Mapping[str, str]) -> Rule:
        """Return the rule as the warehouse checks it, after the rules of each column."""
        first, second = values[self.first], values[self.second]
        return Rule(
            "product_too_large",
            self.first,
            f"CAST({first} AS HUGEINT) * ({second}) > {self.limit}",
            {"other": self.second, "most": self.limit},
            _digits(first, second),
        )


def _digits(value: str, other: str) -> dict[str, str]:
    """Return what is kept of two numbers: a number of a shifted column may be a telephone number."""
    return {
        "digits": digits_sql(f"CAST({value} AS VARCHAR)"),
        "other_digits": digits_sql(f"CAST({other} AS VARCHAR)"),
    }
