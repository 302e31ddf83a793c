"""The header of a CSV file, which lines above it may precede."""

import csv
import re

from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.text_files import text_chunks

_HEADER_BYTES = 1 << 20
# A line that a spreadsheet puts above the header, to name the delimiter.
_SEPARATOR_LINE = re.compile(r'^"?sep=(?P<delimiter>.)"?$', re.IGNORECASE)


def csv_header(file: SourceFile) -> tuple[tuple[str, ...], int]:
    """Return the names of the header, and how many lines stand above it.

    A column without a name is called `column<position from 0>`. Raises InputDataError where it can't be read.
    """
    n_above = file.skip_lines
    lines = _first_lines(file, n_above + 3)
    at = f"{file.name} line {n_above + 1}"
    try:
        text = _text_of(lines, n_above)
        if found := _SEPARATOR_LINE.match(text):
            _refuse_other_delimiter(file, found["delimiter"])
            n_above += 1
            text = _text_of(lines, n_above)
        names = next(csv.reader([text], delimiter=file.delimiter, strict=True), [])
    except UnicodeDecodeError as error:
        raise InputDataError(
            f"{at}: the header is not UTF-8 ({error.reason}). Name its encoding in [[files]], such as "
            'encoding = "cp1252" for a Windows program of Western Europe, or export it as UTF-8.'
        ) from error
    except csv.Error as error:
        raise InputDataError(f"{at}: the header can't be read ({error}).") from error
    if _has_field_behind(lines, n_above, len(names), file.delimiter):
        names = [*names, ""]
    return tuple(name or f"column{position}" for position, name in enumerate(names)), n_above


def _text_of(lines: list[bytes], position: int) -> str:
    return lines[position].decode("utf-8-sig").rstrip("\r") if position < len(lines) else ""


def _has_field_behind(lines: list[bytes], n_above: int, n_names: int, delimiter: str) -> bool:
    """Return whether a delimiter ends the first line of data, but not the header, which adds a field."""
    if len(lines) < n_above + 2:
        return False
    text = lines[n_above + 1].decode(errors="replace").rstrip("\r")
    try:
        row = next(csv.reader([text], delimiter=delimiter), []) if len(text) < _HEADER_BYTES else []
    except csv.Error:
        # a line that is not one, as with a carriage return inside, is refused or counted later
        return False
    return len(row) == n_names + 1 and not row[-1]


def _first_lines(file: SourceFile, n_lines: int) -> list[bytes]:
    text = b""
    for chunk in text_chunks(file.path):
        text += chunk
        if text.count(b"\n") >= n_lines or len(text) > _HEADER_BYTES:
            break
    return text.split(b"\n")[:n_lines]


def _refuse_other_delimiter(file: SourceFile, delimiter: str) -> None:
    if delimiter != file.delimiter:
        raise InputDataError(
            f"{file.name} says in its line sep= that {delimiter!r} parts its fields, and the mapping says "
            f"{file.delimiter!r}. Correct delimiter in its [[files]] table."
        )
