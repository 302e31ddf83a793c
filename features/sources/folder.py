"""The files in a folder of logs, before their lines are read."""

import csv
import gzip
import io
from pathlib import Path

import polars as pl

from features.contracts.plain_text import shown
from features.errors import InputDataError, UsageError

# A header is shorter; a file whose first line is longer is refused where its lines are counted.
_HEADER_CHARACTERS = 1 << 20


def log_files(folder: Path, *patterns: str) -> tuple[Path, ...]:
    """Return the files of a folder of logs that match any of the patterns, by name.

    Raises InputDataError where a folder, a pipe or a link to nothing has the name of a log; UsageError where
    a link leads out of the folder.
    """
    found = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    return tuple(path for path in found if _is_log(path, folder))


def listed(folder: Path, *patterns: str, source: str) -> tuple[Path, ...]:
    """Return the files that match any of the patterns, by name.

    Raises InputDataError when there are none, and as `log_files` does.
    """
    found = log_files(folder, *patterns)
    if not found:
        raise InputDataError(
            f"There are no files of {source} in {folder}: none is called {' or '.join(patterns)}. Put them "
            "there, or correct shop.logs."
        )
    return found


def has_log(folder: Path, name: str) -> bool:
    """Return whether a folder of logs has the file of this name; raises as `log_files` does."""
    return bool(log_files(folder, name))


def refuse_link(path: Path, folder: Path) -> None:
    """Raise UsageError where a path of a folder of logs leads out of that folder by a link."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{shown(str(path))} is a link to a file outside of {folder}; put the file itself there."
        )


def column_names(path: Path, delimiter: str = ",") -> tuple[str, ...]:
    """Return the names in the header of a CSV file, compressed or not, or in a Parquet file's schema.

    Raises InputDataError when the file can't be read that far.
    """
    try:
        if path.suffix == ".parquet":
            return tuple(pl.read_parquet_schema(path))
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", newline="", encoding="utf-8-sig", errors="replace") as file:
            head = io.StringIO(file.read(_HEADER_CHARACTERS), newline="")
            return tuple(next(csv.reader(head, delimiter=delimiter), []))
    except (OSError, EOFError, csv.Error, pl.exceptions.PolarsError) as error:
        raise InputDataError(f"The columns of {path} can't be read ({error}); copy it again.") from error


def _is_log(path: Path, folder: Path) -> bool:
    """Return whether a path is a file; False for a folder with the name of a folder, such as `events`."""
    refuse_link(path, folder)
    if path.is_file():
        return True
    if path.is_dir() and not path.suffix:
        return False
    what = "a folder" if path.is_dir() else "a link to nothing" if path.is_symlink() else "not a file"
    raise InputDataError(f"{shown(str(path))} has the name of a log, and is {what}. Move it out of {folder}.")
