"""The temporary copy of a file as plain UTF-8 text, for the time that it is read."""

import os
import tempfile
import weakref
from pathlib import Path

import duckdb

from features.text_files import UTF_8, text_chunks, text_form

_PREFIX = "plain-text-"


class PlainCopy:
    """A temporary file; it is removed when nothing refers to this object any more.

    path: of the temporary file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        weakref.finalize(self, path.unlink, missing_ok=True)


def plain_copy(connection: duckdb.DuckDBPyConnection, path: Path, encoding: str | None) -> PlainCopy | None:
    """Write a file's text as UTF-8 lines; return None where its bytes are UTF-8 lines already.

    The copy is in the folder where the database spills, on the disk that has room. A line has the same number
    in both files; an element of a JSON array is a line. Only its owner can read it: it may name people.

    Raises InputDataError where the bytes are not in the encoding.
    """
    form = text_form(path, encoding)
    if form.is_plain:
        return None
    [(folder,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    # The warehouse has one writer, so files there were left by a process that was killed.
    for left in Path(folder).glob(f"{_PREFIX}*"):
        left.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(suffix=f".{UTF_8}", prefix=_PREFIX, dir=folder)
    copy = PlainCopy(Path(name))
    with os.fdopen(handle, "wb") as file:
        for chunk in text_chunks(path, encoding):
            file.write(chunk)
    return copy
