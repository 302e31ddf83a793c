"""Ledgers: files of one JSON object per line, to which lines are only added."""

import json
import os
from collections.abc import Iterator
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
    """Return all lines as objects, the oldest first; empty without a file.

    A line that was cut off is skipped. Raises DamagedFileError, naming the line, where another is damaged.
    """
    return [content for _, content in _numbered(path)]


def read_records(path: Path, kind: type[Entry]) -> list[Entry]:
    """Return all lines as records, in the same way; one of another form is damage as well."""
    found = []
    for number, content in _numbered(path):
        try:
            found.append(kind(**content))
        except TypeError as error:
            raise _damaged(path, number) from error
    return found


def _numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line, from 1, and its object."""
    lines = path.read_bytes().splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
        except json.JSONDecodeError:
            continue
        except (UnicodeDecodeError, RecursionError) as error:
            raise _damaged(path, number) from error
        if not isinstance(content, dict):
            raise _damaged(path, number)
        yield number, content


def _damaged(path: Path, number: int) -> DamagedFileError:
    return DamagedFileError(
        f"{path} is damaged in line {number}. Restore the file, or move it away: what it recorded is then "
        "unknown to later nights."
    )
