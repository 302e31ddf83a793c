"""A file that is no plain UTF-8 text, written out as such for the time that it is read."""

import os
import tempfile
import weakref
from pathlib import Path

import duckdb

from features.text_files import UTF_8, text_chunks, text_form

_PREFIX = "plain-text-"


class PlainCopy:
    """A temporary file; it is removed when nothing refers to this object any more.

    path: where it lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        weakref.finalize(self, path.unlink, missing_ok=True)


def plain_copy(connection: duckdb.DuckDBPyConnection, path: Path, encoding: str | None) -> PlainCopy | None:
    """Write a file's text as UTF-8 lines; None where its bytes are that already.

    The copy lies where the database spills, which is on the disk that has room. A line has the same number in
    both; an element of a JSON array is a line. Only its owner can read it: it may name people.

    Raises InputDataError where the bytes are none of the encoding.
    """
    form = text_form(path, encoding)
    if form.is_plain:
        return None
    [(folder,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    # One writer holds the warehouse: what lies there was left by a process that was killed.
    for left in Path(folder).glob(f"{_PREFIX}*"):
        left.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(suffix=f".{UTF_8}", prefix=_PREFIX, dir=folder)
    copy = PlainCopy(Path(name))
    with os.fdopen(handle, "wb") as file:
        for chunk in text_chunks(path, encoding):
            file.write(chunk)
    return copy
