"""What a printed table is made of: columns, cells, and how many rows were left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ROWS_SHOWN = 50

Tone = Literal["good", "even", "bad", "quiet"]


@dataclass(frozen=True)
class IntervalBar:
    """A small interval drawn beside its numbers; positions run 0..100 on a scale shared by the column."""

    lower: float
    value: float
    upper: float
    zero: float


@dataclass(frozen=True)
class Mark:
    """A symbol in front of a word, so that color is never the only sign."""

    symbol: str
    tone: Tone


@dataclass(frozen=True)
class Cell:
    """One cell: its text, the number it sorts by, and what is drawn beside it.

    share: 0..1, drawn as a bar behind the text.
    """

    text: str
    sort: float | None = None
    mark: Mark | None = None
    bar: IntervalBar | None = None
    share: float | None = None


@dataclass(frozen=True)
class Column:
    """Head of a column; `long` columns hold sentences and wrap."""

    label: str
    kind: Literal["text", "number", "long"] = "text"


@dataclass(frozen=True)
class PrintedTable:
    """A table ready to print; the first cell of a row is its head.

    total: cells of the line above all others, over all rows, those left out too.
    whys: one sentence below each row, empty for a row without; none where the table has no such line.
    source: the published table that has every row.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str
    left_out: int = 0
    total: tuple[Cell, ...] | None = None
    whys: tuple[str, ...] = ()


def first_rows(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[Cell, ...]],
    source: str,
    *,
    total: tuple[Cell, ...] | None = None,
    whys: Sequence[str] = (),
    shown: int = ROWS_SHOWN,
) -> PrintedTable:
    """Return the table of the first rows; bring the rows in order of importance."""
    return PrintedTable(
        caption=caption,
        columns=tuple(columns),
        rows=tuple(rows[:shown]),
        source=source,
        left_out=max(0, len(rows) - shown),
        total=total,
        whys=tuple(whys[:shown]),
    )


def interval_bars(
    intervals: Sequence[tuple[float | None, float | None, float | None]],
) -> list[IntervalBar | None]:
    """Return one bar per (value, lower, upper) on a common scale that contains zero.

    None where a number is missing.

    >>> interval_bars([(1.0, -1.0, 3.0), (None, None, None)])
    [IntervalBar(lower=0.0, value=50.0, upper=100.0, zero=25.0), None]
    """
    ends = [end for _, lower, upper in intervals for end in (lower, upper) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    span = high - low or 1.0

    def position(number: float) -> float:
        return round(100 * (number - low) / span, 2)

    return [
        None
        if value is None or lower is None or upper is None
        else IntervalBar(position(lower), position(value), position(upper), position(0.0))
        for value, lower, upper in intervals
    ]
