"""Cells that every page's tables share."""

from collections.abc import Mapping, Sequence

from reports.pages.marks import IS_RIGHT
from reports.summaries.printed_table import Cell, Column, IntervalBar, Mark
from reports.summaries.suppression import SMALLEST_GROUP, is_hidden
from reports.wording.catalog import Catalog


def text(words: str | None, catalog: Catalog) -> Cell:
    """Return a cell of words, a dash where there are none."""
    return Cell(words or catalog.numbers.missing)


def counted(number: int | None, catalog: Catalog) -> Cell:
    """Return a count."""
    return Cell(catalog.numbers.count(number), sort=number)


def people(n_users: Sequence[int], catalog: Catalog) -> list[Cell]:
    """Return the user counts of one table, small groups hidden; hidden cells carry no number to sort by."""
    return [
        Cell(words, sort=None if hidden else number)
        for number, words, hidden in zip(
            n_users, shown_users(n_users, catalog), is_hidden(n_users), strict=True
        )
    ]


def shown_users(n_users: Sequence[int], catalog: Catalog) -> list[str]:
    """Return each count as printed: the number, `< 20`, or `hidden` where it protects another row."""
    numbers = catalog.numbers
    below = numbers.below.format(limit=numbers.count(SMALLEST_GROUP))
    return [
        numbers.count(number) if not hide else below if number < SMALLEST_GROUP else catalog.text("hidden")
        for number, hide in zip(n_users, is_hidden(n_users), strict=True)
    ]


def shared(number: float | None, catalog: Catalog, *, signed: bool = False, drawn: bool = False) -> Cell:
    """Return a share, with a bar where it is drawn."""
    return Cell(catalog.numbers.share(number, signed=signed), sort=number, share=number if drawn else None)


def ratioed(number: float | None, catalog: Catalog) -> Cell:
    """Return a ratio with two decimals."""
    return Cell(catalog.numbers.ratio(number), sort=number)


def rounded(number: float | None, catalog: Catalog) -> Cell:
    """Return a number without decimals."""
    return Cell(catalog.numbers.fixed(number, 0), sort=number)


def measured(words: str, number: float | None, bar: IntervalBar | None = None) -> Cell:
    """Return a formatted estimate that sorts by its value."""
    return Cell(words, sort=number, bar=bar)


def marked(word: str, marks: Mapping[str, Mark], catalog: Catalog, vocabulary: str) -> Cell:
    """Return a word of a vocabulary, by its text in the language, with its symbol."""
    return Cell(catalog.text(f"{vocabulary}.{word}"), mark=marks[word])


def is_right(answer: bool, catalog: Catalog) -> Cell:
    """Return yes or no with its symbol."""
    return Cell(catalog.text("yes" if answer else "no"), mark=IS_RIGHT[answer])


def heads(catalog: Catalog, *names: str) -> tuple[Column, ...]:
    """Return columns by the names of their heads in the language: a name that ends in `#` heads numbers.

    One that ends in `…` heads sentences, any other words.

    >>> from reports.wording.language import LANGUAGE
    >>> [(column.label, column.kind) for column in heads(LANGUAGE, "segment", "rounds#", "reason…")]
    [('Segment', 'text'), ('Rounds', 'number'), ('Reason', 'long')]
    """
    return tuple(
        Column(
            catalog.text(f"head.{name.rstrip('#…')}"),
            "number" if name[-1] == "#" else "long" if name[-1] == "…" else "text",
        )
        for name in names
    )
