"""The file of a serving system's user ids: its form, the column with the ids, and its lines as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import duckdb
import polars as pl

from features.contracts.limits import Limits
from features.contracts.mapping import SourceFile
from features.errors import InputDataError, UsageError, refuse_missing
from features.sources.csv_layout import csv_layout
from features.sources.file_form import FORMATS
from features.sources.headings import WORDS_OF_ROLES, heading_rank
from features.sources.sample import N_LINES, take_sample
from features.sources.sample_text import first_lines
from features.warehouse.census import take_census
from features.warehouse.line_numbers import number_rows
from features.warehouse.load import refuse_unfit_path
from features.warehouse.reader import blame_file, scan_file, some_names

USER_ID = "user_id"


@dataclass(frozen=True)
class IdFile:
    """A file of ids; column: the one with the ids.

    is_only_column: nobody has named the column, and the file has no other; its name may be an id, if the file
    has no header.
    """

    file: SourceFile
    column: str
    is_only_column: bool


@dataclass(frozen=True)
class ReadLines:
    """How many lines a file of ids has, without its header: n_lines, and n_unreadable of these."""

    n_lines: int
    n_unreadable: int


def id_file(path: Path, column: str | None) -> IdFile:
    """Find the column of the ids: the named one, or user_id, or the only one.

    Text may be compressed (.gz), in UTF-16 or in a code page; a sign in the header parts its fields.
    Raises UsageError where the ending of the name is not a known format, InputDataError where there is no
    such file, or it can't be read that far or lacks the column.
    """
    refuse_missing(path)
    suffix = PurePath(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in FORMATS or (suffix == ".parquet" and path.suffix == ".gz"):
        raise UsageError(
            f"The ending of {path} is not a known format; known are {', '.join(FORMATS)}, and .gz of those "
            "that are text."
        )
    file = SourceFile(path, str(path), FORMATS[suffix], frozenset(), ())
    refuse_unfit_path(file)
    delimiter, encoding = ",", None
    names: tuple[str, ...]
    if file.file_format == "csv":
        delimiter, encoding, names = _csv_form(path)
    elif file.file_format == "parquet":
        names = _parquet_names(path)
    else:
        names = tuple(dict.fromkeys(found.name for found in take_sample(path).columns))
    chosen = _column(path, column, names)
    known = frozenset({chosen})
    file = SourceFile(path, str(path), file.file_format, known, (), delimiter=delimiter, encoding=encoding)
    return IdFile(file, chosen, is_only_column=column is None and chosen != USER_ID)


def read_ids(connection: duckdb.DuckDBPyConnection, ids: IdFile, limits: Limits) -> ReadLines:
    """Read the lines of a file into the table `id_lines`: user_id as text, as a log with this file would say.

    Raises InputDataError where the file can't be read, or a line gets lost in it.
    """
    file = ids.file
    census = take_census(file.path, has_lines=file.file_format != "parquet", limits=limits)
    with blame_file(f"{file.name} can't be read as {file.file_format}"):
        scan = scan_file(connection, file, census, also_read={ids.column.lower()}, limits=limits)
        connection.execute(
            f"""
            CREATE TEMP TABLE id_lines AS
            SELECT
                CAST({scan.columns[ids.column].source} AS VARCHAR) AS {USER_ID},
                {scan.is_data} AS is_data,
                {scan.is_readable} AS is_readable
            FROM {scan.relation}
            """
        )
        [(n_rows, n_data, n_unreadable)] = connection.execute(
            "SELECT count(*), count(*) FILTER (is_data), count(*) FILTER (is_data AND NOT is_readable) "
            "FROM id_lines"
        ).fetchall()
    if scan.line is None:
        n_lost = number_rows(connection, file, scan, "id_lines", n_rows).n_unreadable
        n_data, n_unreadable = n_data + n_lost, n_unreadable + n_lost
    return ReadLines(n_data, n_unreadable)


def _csv_form(path: Path) -> tuple[str, str | None, tuple[str, ...]]:
    """Return delimiter, encoding and column names of a CSV file.

    The header alone is asked for its delimiter: an id may hold any sign.
    """
    text = first_lines(path, N_LINES)
    if not text.lines:
        raise InputDataError(f"{path} is empty: it has no header and no ids.")
    n_head = 2 if text.lines[0].strip('"').lower().startswith("sep=") else 1
    layout = csv_layout(text.lines[:n_head], path)
    return layout.delimiter, text.encoding, layout.names


def _parquet_names(path: Path) -> tuple[str, ...]:
    try:
        return tuple(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise InputDataError(f"{path} can't be read as parquet. Write it again.") from error


def _column(path: Path, column: str | None, names: Sequence[str]) -> str:
    wanted = column or USER_ID
    if wanted in names:
        return wanted
    if len(names) == 1:
        if column is None:
            return names[0]
        # The name of the only column of a file without a header is an id: it is not shown.
        raise InputDataError(
            f"{path} has no column {wanted}, and one other column. Leave --column out to use that one, or "
            "give the file a header."
        )
    # In a file without a header they are values of its first line, so only words of headings are shown.
    known = [name for name in names if any(heading_rank(role, name) is not None for role in WORDS_OF_ROLES)]
    among = f", among them {some_names(known)}" if known else ""
    raise InputDataError(
        f"{path} has no column {wanted}; it has {len(names)} columns{among}. Name the one with the ids by "
        "--column; the first line must be a header."
    )
