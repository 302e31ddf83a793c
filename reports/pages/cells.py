"""Cells that every page's tables share."""

from collections.abc import Mapping, Sequence

from reports.summaries.formatting import MISSING, count, fixed, ratio, share
from reports.summaries.printed_table import Cell, Column, IntervalBar, Mark
from reports.summaries.suppression import is_hidden, shown_users


def text(words: str | None) -> Cell:
    """Return a cell of words, a dash where there are none."""
    return Cell(words or MISSING)


def counted(number: int | None) -> Cell:
    """Return a count."""
    return Cell(count(number), sort=number)


def people(n_users: Sequence[int]) -> list[Cell]:
    """Return the user counts of one table, small groups hidden; hidden cells carry no number to sort by."""
    return [
        Cell(words, sort=None if hidden else number)
        for number, words, hidden in zip(n_users, shown_users(n_users), is_hidden(n_users), strict=True)
    ]


def shared(number: float | None, *, signed: bool = False, drawn: bool = False) -> Cell:
    """Return a share, with a bar where it is drawn."""
    return Cell(share(number, signed=signed), sort=number, share=number if drawn else None)


def ratioed(number: float | None) -> Cell:
    """Return a ratio with two decimals."""
    return Cell(ratio(number), sort=number)


def rounded(number: float | None) -> Cell:
    """Return a number without decimals."""
    return Cell(fixed(number, 0), sort=number)


def measured(words: str, number: float | None, bar: IntervalBar | None = None) -> Cell:
    """Return a formatted estimate that sorts by its value."""
    return Cell(words, sort=number, bar=bar)


def marked(word: str, words: Mapping[str, tuple[Mark, str]]) -> Cell:
    """Return a word with its symbol; unknown words stand alone."""
    if word not in words:
        return text(word)
    mark, label = words[word]
    return Cell(label, mark=mark)


def heads(*labels: str) -> tuple[Column, ...]:
    """Return columns: a label that ends in `#` heads numbers, in `…` sentences, else words.

    >>> [column.kind for column in heads("Segment", "Rounds#", "Reason…")]
    ['text', 'number', 'long']
    """
    return tuple(
        Column(label.rstrip("#…"), "number" if label[-1] == "#" else "long" if label[-1] == "…" else "text")
        for label in labels
    )
