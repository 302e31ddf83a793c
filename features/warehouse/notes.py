"""Notes on a file, none of which makes a line bad: drift, replacement, late rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from features.contracts.mapping import JoinedFile
from features.warehouse.manifest import HeldFile
from features.warehouse.watermark import Watermark


@dataclass(frozen=True)
class Note:
    """The kind of an observation, and a sentence about it."""

    rule: str
    reason: str


def drift_notes(names: Sequence[str], previous: Sequence[str] | None, absent: Sequence[str]) -> list[Note]:
    """Compare a file's columns with those of the file before it.

    previous: None for the first file of a mapping. absent: columns that the mapping does without.

    >>> for note in drift_notes(["id", "color"], ["id", "size"], ["coupon"]):
    ...     print(note.reason)
    the file has color; the file before it had not
    the file has no size; the file before it had
    the file has no coupon, which reads as null in every line
    """
    new = [name for name in names if name not in previous] if previous is not None else []
    gone = [name for name in previous or () if name not in names]
    notes = []
    if new:
        notes.append(Note("new column", f"the file has {', '.join(new)}; the file before it had not"))
    if gone:
        notes.append(Note("column gone", f"the file has no {', '.join(gone)}; the file before it had"))
    if absent:
        said = f"the file has no {', '.join(absent)}, which reads as null in every line"
        notes.append(Note("optional column", said))
    return notes


def replacement_note(held: HeldFile, file_sha256: str, n_lines: int) -> Note:
    """Return a note on why a file's rows were replaced by rows of a file of the same name."""
    if held.file_sha256 == file_sha256:
        others = " or the file that it joins" if held.joined_sha256 else ""
        changed = f"the mapping, the contract{', the key' if others else ' or the key'}{others} has changed"
        return Note("same file, read anew", changed)
    said = f"the file holds {n_lines} lines in place of the {held.n_lines} that it held before"
    return Note("same name, other content", said)


def twin_note(twin: HeldFile) -> Note:
    """Return a note that a file counts once although it came under two names."""
    return Note("same content twice", f"its content is that of {twin.source_name}, which counts once")


def lone_lines_note(join: JoinedFile, n_without_partner: int, n_lines: int) -> Note:
    """Return a note on the number of lines without a match in the file that they join."""
    said = (
        f"without a partner in {join.file.name} by {join.key}: {n_without_partner} of {n_lines} lines; its "
        "columns are null in these lines"
    )
    return Note("line without a partner", said)


def gap_note(n_days: int) -> Note:
    """Return a note that a log of daily sums has one day in `n_days`, which may be a sum of all of them."""
    said = (
        f"its days are {n_days} days apart: if each line is the sum of {n_days} days, each day's "
        f"spend or revenue is that of {n_days} days; divide the amounts among the days, or keep this in mind"
    )
    return Note("days far apart", said)


def late_note(dates: Iterable[date], watermark: Watermark) -> Note:
    """Return a note on the closed days that got rows; these count, since tables are always built whole."""
    days = ", ".join(day.isoformat() for day in sorted(dates))
    return Note("late rows", f"rows of {days} came after the night of {watermark.last_night.isoformat()}")


def write_notes(connection: duckdb.DuckDBPyConnection, load_number: int, notes: Iterable[Note]) -> None:
    """Write the notes on a file; they leave with its row of the manifest."""
    rows = [(load_number, note.rule, note.reason) for note in notes]
    if rows:
        connection.executemany("INSERT INTO file_notes VALUES (?, ?, ?)", rows)
