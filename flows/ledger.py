"""Ledgers: files of one JSON object per line, to which lines are only added."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from features.errors import DamagedFileError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Entry = TypeVar("Entry")


def append_line(path: Path, entry: "DataclassInstance") -> None:
    """Append a record; where an interruption cut off the last line, end that line first.

    One write to a file opened for appending, so that parallel processes don't mix their lines.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(file).st_size
        was_cut_off = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        os.write(file, ("\n" * was_cut_off + json.dumps(asdict(entry)) + "\n").encode())
    finally:
        os.close(file)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return all lines as objects, the oldest first; none if there is no file.

    A line that was cut off is skipped. Raises DamagedFileError, naming the line, where another is damaged.
    """
    if not path.is_file():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(_object(json.loads(line)))
        except json.JSONDecodeError:
            continue
        except (TypeError, UnicodeDecodeError, RecursionError) as error:
            raise _damaged(path, number) from error
    return found


def read_records(path: Path, kind: type[Entry]) -> list[Entry]:
    """Return all lines as records, in the same way; one of another form is damage as well."""
    found = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            found.append(kind(**line))
        except TypeError as error:
            raise _damaged(path, number) from error
    return found


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TypeError("not an object")
    return content


def _damaged(path: Path, number: int) -> DamagedFileError:
    return DamagedFileError(
        f"{path} is damaged in its record {number}. Restore the file, or move it away: what it recorded is "
        "then unknown to later nights."
    )
