"""The files in a folder of logs, before their lines are read."""

import csv
import gzip
from pathlib import Path

import polars as pl

from features.errors import InputDataError


def listed(folder: Path, *patterns: str, source: str) -> tuple[Path, ...]:
    """Return the files that match any of the patterns, by name.

    Raises InputDataError when there are none.
    """
    found = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    if not found:
        raise InputDataError(
            f"There are no files of {source} in {folder}: none is called {' or '.join(patterns)}. Put them "
            "there, or correct shop.logs."
        )
    return tuple(found)


def column_names(path: Path, delimiter: str = ",") -> tuple[str, ...]:
    """Return the names in the header of a CSV file, compressed or not, or in a Parquet file's schema.

    Raises InputDataError when the file can't be read that far.
    """
    try:
        if path.suffix == ".parquet":
            return tuple(pl.read_parquet_schema(path))
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", newline="", encoding="utf-8-sig", errors="replace") as file:
            return tuple(next(csv.reader(file, delimiter=delimiter), []))
    except (OSError, EOFError, csv.Error, pl.exceptions.PolarsError) as error:
        raise InputDataError(f"The columns of {path} can't be read ({error}); copy it again.") from error
