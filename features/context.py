"""Context: the facts known when a decision was made, as numbers.

Traits are the columns a round brings (its request context) or inherits (its user's attributes); history
columns were computed strictly before the round. The encoder is fitted on the training window and then
frozen: vocabularies, means and spreads never use the rounds that evaluate a policy.

Numbers are scaled by block: all columns about one thing (a user's history, an embedding) together have the
variance 1/4 of a balanced indicator. So a penalty on weights treats a trait, a number and a whole block
equally, and twenty columns of history can't outweigh the traits by their number. Sources: Gelman 2008,
"Scaling regression inputs by dividing by two standard deviations"; Escofier & Pagès 1994, "Multiple factor
analysis", for the blocks.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from features.errors import InputDataError
from features.warehouse.build import HALF_LIFE_DAYS

HISTORY = (
    "n_views_before",
    "n_clicks_before",
    "n_carts_before",
    "n_purchases_before",
    "spend_cents_before",
    "n_views_last_7_days",
    "n_clicks_last_7_days",
    "n_carts_last_7_days",
    "n_purchases_last_7_days",
    "n_rounds_in_session_before",
    "days_since_last_visit",
    "days_since_last_click",
    "days_since_last_purchase",
)
"""Columns of a user's history before each round, in the order of the context."""

POPULARITY = ("n_lately_shown", "lately_clicked_share")
"""Columns of an item's popularity at the end of the support window."""

# A trait is read as a number if nearly every value is one and there are more of them than a code would have.
NUMERIC_SHARE = 0.99
NUMERIC_DISTINCT = 20

# The key of an embedding (of a text, of an image) among the attributes of an item or a user.
EMBEDDING = "embedding"

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Number:
    """A numeric column, damped and scaled: (x - mean) / spread; absent values become 0, the mean.

    spread: 2 * sqrt(columns in the block) standard deviations.
    """

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

    @property
    def blocks(self) -> list[int]:
        """Block of each matrix column, from 0 in order of appearance.

        Columns share a block if together they describe one thing: the levels of one trait, a user's history,
        the numbers of an embedding. Every other number is a block alone.
        """
        numbers: dict[tuple[bool, str], int] = {}
        return [numbers.setdefault(_block_of(part), len(numbers)) for part in self.parts]

    @property
    def block_names(self) -> tuple[str, ...]:
        """Names of the blocks, in the order of their numbers."""
        return tuple(name for _, name in dict.fromkeys(_block_of(part) for part in self.parts))

    def encode(self, rows: pl.DataFrame) -> Matrix:
        """Return float32[n, d]; a frame without rows gives [0, d]."""
        encoded = rows.select(_encode(part).alias(str(place)) for place, part in enumerate(self.parts))
        return encoded.to_numpy().astype(np.float32).reshape(rows.height, len(self.parts))


def fit_encoder(training_rows: pl.DataFrame, columns: Sequence[str], min_rows: int) -> Encoder:
    """Fit the encoder of `columns` on the training window.

    min_rows: a categorical value needs this many rows to get an indicator.

    >>> fit_encoder(pl.DataFrame({"device": ["phone"] * 3 + ["tv"]}), ["device"], min_rows=2).names
    ['device=phone']
    """
    parts: list[Number | Level] = []
    for column in columns:
        if _is_number(training_rows[column]):
            parts += _number(column, training_rows.select(damped(column)).to_series())
        else:
            values = training_rows[column].drop_nulls().cast(pl.String)
            counts = values.value_counts().filter(pl.col("count") >= min_rows)
            parts += [Level(column, value) for value in counts[column].sort().to_list()]
    n_columns = Counter(_block(part.column) for part in parts if isinstance(part, Number))
    return Encoder(
        tuple(
            replace(part, spread=2.0 * math.sqrt(n_columns[_block(part.column)]) * part.spread)
            if isinstance(part, Number)
            else part
            for part in parts
        )
    )


def damped(column: str) -> pl.Expr:
    """Return a column as a number for a linear score, transformed by the unit in its name.

    Counts (`n_...`) and money (`..._cents...`) have heavy tails: log(1 + x). Time since something happened
    (`days_since_...`) becomes its recency: 1 at once, 1/2 after a half-life, 0 when it never happened.
    Other columns are not changed; a number that is not finite becomes null.

    >>> rows = pl.DataFrame({"n_clicks": [0, 1], "days_since_visit": [14.0, None]})
    >>> rows.select(damped("n_clicks").round(3), damped("days_since_visit")).rows()
    [(0.0, 0.5), (0.693, 0.0)]
    """
    number = pl.col(column).cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    if column.startswith("n_") or "_cents" in column:
        # Amounts below zero are corrections; they have no logarithm, and are treated as zero.
        number = number.clip(lower_bound=0.0).log1p()
    elif column.startswith("days_since_"):
        number = (number * (-math.log(2.0) / HALF_LIFE_DAYS)).exp().fill_null(0.0)
    return number.alias(column)


def free_name(key: str, reserved: Collection[str]) -> str:
    """Return the column name of an attribute.

    >>> free_name("color", {"segment_id"}), free_name("segment_id", {"segment_id"})
    ('color', 'segment_id_attribute')
    """
    return f"{key}_attribute" if key in reserved else key


def expand(
    frame: pl.DataFrame, json_column: str, keys: Sequence[str], *, reserved: Collection[str] = ()
) -> pl.DataFrame:
    """Turn a JSON object column into one String column per key, and drop it.

    reserved: names that a key may not have; `free_name` names the column of such a key.

    A key that is already a column keeps the column: the log's own field is the better source. The key
    `embedding`, an array of numbers, becomes one Float64 column per number: embedding_0, embedding_1, ...
    Raises InputDataError if embeddings differ in length or hold something else than numbers.
    """
    fields = [
        pl.col(json_column).str.json_path_match(f"$['{key}']").alias(free_name(key, reserved))
        for key in keys
        if key not in frame.columns
    ]
    opened = frame.with_columns(fields).drop(json_column)
    return _open_embedding(opened) if EMBEDDING in opened.columns else opened


def item_columns(items: pl.DataFrame) -> list[str]:
    """Return the attributes of an item that describe it: all but its id and its currency."""
    return [column for column in items.columns if column not in ("item_id", "currency_code")]


def _open_embedding(frame: pl.DataFrame) -> pl.DataFrame:
    try:
        vectors = frame[EMBEDDING].str.json_decode(pl.List(pl.Float64))
    except pl.exceptions.ComputeError as error:
        raise InputDataError(
            f"The attribute {EMBEDDING} must be a JSON array of numbers in every row; correct it in the file "
            "or leave it out of the mapping."
        ) from error
    lengths = vectors.list.len().drop_nulls().unique().sort().to_list()
    if len(lengths) > 1:
        raise InputDataError(
            f"The attribute {EMBEDDING} has {lengths[0]} numbers in one row and {lengths[-1]} in another; "
            "all must come from one model."
        )
    width = lengths[0] if lengths else 0
    numbers = [vectors.list.get(place).alias(f"{EMBEDDING}_{place}") for place in range(width)]
    return frame.drop(EMBEDDING).with_columns(numbers)


def _block(column: str) -> str:
    """Return the block of a numeric column: the column alone, unless several describe the same thing."""
    if column in HISTORY:
        return "history"
    if column in POPULARITY:
        return "popularity"
    return EMBEDDING if column.startswith(f"{EMBEDDING}_") else column


def _block_of(part: Number | Level) -> tuple[bool, str]:
    """Return whether it is a trait, and its name, since a trait may have the name of a block of numbers."""
    return (True, part.column) if isinstance(part, Level) else (False, _block(part.column))


def _is_number(values: pl.Series) -> bool:
    if values.dtype.is_numeric():
        return True
    known = values.drop_nulls()
    numbers = known.cast(pl.Float64, strict=False).drop_nulls()
    numbers = numbers.filter(numbers.is_finite())
    return len(numbers) >= NUMERIC_SHARE * len(known) and numbers.n_unique() > NUMERIC_DISTINCT


def _number(column: str, values: pl.Series) -> list[Number | Level]:
    mean, spread = values.mean(), values.std()
    if not isinstance(mean, float) or not isinstance(spread, float) or spread <= 0:
        return []
    return [Number(column, mean, spread)]


def _encode(part: Number | Level) -> pl.Expr:
    if isinstance(part, Level):
        return (pl.col(part.column).cast(pl.String) == part.value).fill_null(False).cast(pl.Float32)
    return ((damped(part.column) - part.mean) / part.spread).fill_null(0.0).cast(pl.Float32)
