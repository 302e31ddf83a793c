"""What is noted about a file although it makes no line bad: drift, replacement, late rows."""

from collections.abc import Iterable, Sequence
from datetime import date

import duckdb

from features.contracts.findings import Finding, finding, to_json
from features.contracts.mapping import JoinedFile
from features.warehouse.manifest import HeldFile
from features.warehouse.watermark import Watermark


def drift_notes(
    file: str, names: Sequence[str], previous: Sequence[str] | None, absent: Sequence[str]
) -> list[Finding]:
    """Compare a file's columns with those of the file before it.

    previous: None for the first file of a mapping. absent: columns that the mapping does without.

    >>> for found in drift_notes("day.csv", ["id", "color"], ["id", "size"], ["coupon"]):
    ...     print(found.code, found.text("names"))
    new_columns color
    columns_gone size
    columns_absent coupon
    """
    columns = {
        "new_columns": [name for name in names if name not in previous] if previous is not None else [],
        "columns_gone": [name for name in previous or () if name not in names],
        "columns_absent": absent,
    }
    return [Finding(code, file, {"names": ", ".join(found)}) for code, found in columns.items() if found]


def replacement_note(held: HeldFile, file_sha256: str, n_lines: int) -> Finding:
    """Return why a file's rows were replaced by rows of a file of the same name."""
    if held.file_sha256 == file_sha256:
        return Finding(
            "mapping_or_join_changed" if held.joined_sha256 else "mapping_changed", held.source_name
        )
    numbers = {"n_lines": n_lines, "n_lines_before": held.n_lines}
    return Finding("content_replaced", held.source_name, numbers)


def twin_note(file: str, twin: HeldFile) -> Finding:
    """Return that a file counts once although it came under two names."""
    return Finding("same_content", file, {"other": twin.source_name})


def lone_lines_note(file: str, join: JoinedFile, n_without_partner: int, n_lines: int) -> Finding:
    """Return the number of lines without a match in the file that they join."""
    return finding(
        "lines_without_partner",
        file,
        other=join.file.name,
        key=", ".join(join.key_names),
        n_alone=n_without_partner,
        n_lines=n_lines,
    )


def unchecked_note(file: str, n_rows: int) -> Finding:
    """Return that rows say they were served by lists, and no published list is left to compare them with."""
    return finding("shown_rows_unchecked", file, n_rows=n_rows)


def gap_note(file: str, n_days: int) -> Finding:
    """Return that a log of daily sums has one day in `n_days`, which may be a sum of all of them."""
    return Finding("days_far_apart", file, {"n_days": n_days})


def late_note(file: str, dates: Iterable[date], watermark: Watermark) -> Finding:
    """Return the closed days that got rows; these count, since tables are always built whole."""
    days = ", ".join(day.isoformat() for day in sorted(dates))
    return Finding("late_rows", file, {"days": days, "last_night": watermark.last_night.isoformat()})


def write_notes(connection: duckdb.DuckDBPyConnection, load_number: int, notes: Iterable[Finding]) -> None:
    """Write the notes on a file; they leave with its row of the manifest."""
    rows = [(load_number, note.code, to_json([note])) for note in notes]
    if rows:
        connection.executemany("INSERT INTO file_notes VALUES (?, ?, ?)", rows)
