"""Ledgers: files of one JSON object per line, to which lines are only added."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


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
    """Return all records, the oldest first; none if there is no file. A line that was cut off is skipped."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [content for line in lines if (content := _whole(line)) is not None]


def _whole(line: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(line))
    except json.JSONDecodeError:
        return None
