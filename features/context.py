"""Context: what was known when a decision was made, as numbers.

Traits are the columns a round brings (its request context) or inherits (its user's attributes); history
columns were computed strictly before the round. The encoder is fitted on the training window and then
frozen: vocabularies, means and spreads never see the rounds that judge a policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

HISTORY = ("n_views_before", "n_clicks_before", "n_purchases_before", "days_since_last_visit")

# A trait is read as a number if nearly every value is one and there are more of them than a code would have.
NUMERIC_SHARE = 0.99
NUMERIC_DISTINCT = 20

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Number:
    """A numeric column, standardized: (x - mean) / spread; absent values become 0, the mean."""

    column: str
    mean: float
    spread: float


@dataclass(frozen=True)
class Level:
    """One value of a categorical column as an indicator; rare and unseen values have none."""

    column: str
    value: str


@dataclass(frozen=True)
class Encoder:
    """Columns of a frame → columns of a matrix, in a fixed order."""

    parts: tuple[Number | Level, ...]

    @property
    def names(self) -> list[str]:
        """Names of the matrix columns."""
        return [
            part.column if isinstance(part, Number) else f"{part.column}={part.value}" for part in self.parts
        ]

    def encode(self, rows: pl.DataFrame) -> Matrix:
        """Return float32[n, d]; a frame without rows gives [0, d]."""
        encoded = rows.select(_encode(part).alias(str(place)) for place, part in enumerate(self.parts))
        return encoded.to_numpy().astype(np.float32).reshape(rows.height, len(self.parts))


def fit_encoder(training_rows: pl.DataFrame, columns: Sequence[str], min_rows: int) -> Encoder:
    """Learn how to write `columns` as numbers from the training window.

    min_rows: a categorical value needs this many rows to get an indicator of its own.

    >>> fit_encoder(pl.DataFrame({"device": ["phone"] * 3 + ["tv"]}), ["device"], min_rows=2).names
    ['device=phone']
    """
    parts: list[Number | Level] = []
    for column in columns:
        values = training_rows[column].drop_nulls()
        numbers = values.cast(pl.Float64, strict=False).drop_nulls()
        numbers = numbers.filter(numbers.is_finite())
        is_number = values.dtype.is_numeric() or (
            len(numbers) >= NUMERIC_SHARE * len(values) and numbers.n_unique() > NUMERIC_DISTINCT
        )
        if is_number:
            parts += _number(column, numbers)
        else:
            counts = values.cast(pl.String).value_counts().filter(pl.col("count") >= min_rows)
            parts += [Level(column, value) for value in counts[column].sort().to_list()]
    return Encoder(tuple(parts))


def expand(frame: pl.DataFrame, json_column: str, keys: Sequence[str]) -> pl.DataFrame:
    """Turn a JSON object column into one String column per key, and drop it.

    A key that is already a column keeps the column: the log's own field is the better source.
    """
    fields = [
        pl.col(json_column).str.json_path_match(f"$['{key}']").alias(key)
        for key in keys
        if key not in frame.columns
    ]
    return frame.with_columns(fields).drop(json_column)


def item_columns(items: pl.DataFrame) -> list[str]:
    """Return the attributes of an item that describe it: all but its id and its currency."""
    return [column for column in items.columns if column not in ("item_id", "currency_code")]


def _number(column: str, values: pl.Series) -> list[Number | Level]:
    mean, spread = values.mean(), values.std()
    if not isinstance(mean, float) or not isinstance(spread, float) or spread <= 0:
        return []
    return [Number(column, mean, spread)]


def _encode(part: Number | Level) -> pl.Expr:
    if isinstance(part, Level):
        return (pl.col(part.column).cast(pl.String) == part.value).fill_null(False).cast(pl.Float32)
    number = pl.col(part.column).cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    return ((number - part.mean) / part.spread).fill_null(0.0).cast(pl.Float32)
