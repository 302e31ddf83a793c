"""The layout of a CSV file: its delimiter, its header, and its lines of totals."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputDataError, closed

DELIMITERS = (",", ";", "\t", "|")
N_TRIED = 60
# Number of last lines that may be totals.
N_TOTALS = 8
_TOTAL = re.compile(
    r"\s*(?P<word>grand total|totals?|gesamt|summe|insgesamt|总计|合计|总和)(\W|$)", re.IGNORECASE
)
_VALUE = re.compile(r"[-+]?\d[\d.,' ]*|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?")
_SEPARATOR_LINE = re.compile(r'^"?sep=(?P<delimiter>.)"?$', re.IGNORECASE)


@dataclass(frozen=True)
class CsvLayout:
    """The header and the lines below it.

    n_above: number of lines above the header, without a `sep=` line.
    names: of the columns; one without a heading is named by its position, as in the loader.
    rows: fields of each line that is not empty and not a total.
    total: the column by which the lines of totals at the end are recognized, and the beginning of its text;
    None
        without such lines.
    """

    delimiter: str
    n_above: int
    has_separator_line: bool
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, str] | None = None


def csv_layout(lines: Sequence[str], path: Path) -> CsvLayout:
    """Find the delimiter and the header.

    Many reports have titles and dates above the header: the header is the first line with as many fields as
    most lines have. Raises InputDataError where the lines are not CSV.
    """
    separator = next((match for line in lines[:3] if (match := _SEPARATOR_LINE.match(line))), None)
    start = (
        1 + next((n for n, line in enumerate(lines) if _SEPARATOR_LINE.match(line)), -1) if separator else 0
    )
    lines = lines[start:]
    try:
        delimiter = separator["delimiter"] if separator else _delimiter(lines)
        parsed = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise InputDataError(f"{path} can't be read as CSV: {closed(str(error))}") from error
    n_above = _header_position(parsed)
    header, rows = (parsed[n_above], parsed[n_above + 1 :]) if parsed else ([], [])
    if _is_data(header):
        raise InputDataError(
            f"{path} seems to have no header: its first line looks like data. Export it with its header: "
            "columns are read by name."
        )
    # A delimiter after the last field of each line, but not of the header, makes one more field.
    if rows and all(len(row) == len(header) + 1 and not row[-1] for row in rows[:N_TRIED] if row):
        header = [*header, ""]
    names = tuple(name or f"column{position}" for position, name in enumerate(header))
    whole = [tuple(row) for row in rows if any(row)]
    kept, total = _without_totals(whole, names)
    return CsvLayout(delimiter, n_above, separator is not None, names, kept, total)


def _without_totals(
    rows: Sequence[tuple[str, ...]], names: Sequence[str]
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, str] | None]:
    """Separate the lines of totals, which reports put at the end, from the others."""
    total = None
    kept = list(rows[:-N_TOTALS])
    for row in rows[-N_TOTALS:]:
        found = next(
            (
                (name, match)
                for name, text in zip(names[:3], row, strict=False)
                if (match := _TOTAL.match(text))
            ),
            None,
        )
        if found and len(rows) > 1:
            total = (found[0], found[1]["word"].lower())
        else:
            kept.append(row)
    return tuple(kept), total


def _is_data(header: Sequence[str]) -> bool:
    """Return whether a first line has values: a person's address, or mostly numbers and times."""
    filled = [text.strip() for text in header if text.strip()]
    n_values = sum(bool(_VALUE.fullmatch(text)) for text in filled)
    return (
        any("@" in text for text in filled)
        or n_values * 2 > len(filled)
        or (n_values > 0 and len(filled) <= 4)
    )


def _delimiter(lines: Sequence[str]) -> str:
    """Return the sign that splits most lines into the same number of fields, and into more than one."""

    def fit(delimiter: str) -> tuple[float, int]:
        counts = Counter(len(row) for row in csv.reader(lines[:N_TRIED], delimiter=delimiter) if row)
        several = {n_fields: n_lines for n_fields, n_lines in counts.items() if n_fields > 1}
        if not several:
            return (0.0, 0)
        n_fields = max(several, key=lambda n_fields: (several[n_fields], n_fields))
        return (several[n_fields] / counts.total(), n_fields)

    return max(DELIMITERS, key=fit)


def _header_position(parsed: Sequence[Sequence[str]]) -> int:
    counts = Counter(len(row) for row in parsed[:N_TRIED] if row)
    if not counts:
        return 0
    usual = max(counts, key=lambda n_fields: (counts[n_fields], n_fields))
    # Lines may have one field more than their header, after a last delimiter.
    fits = [n for n, row in enumerate(parsed[:N_TRIED]) if len(row) in {usual, usual - 1} and len(row) > 1]
    first = fits[0] if fits else 0
    return first if first <= 20 and (usual > 1) else 0
