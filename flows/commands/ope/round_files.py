"""Files of logged rounds, read batch by batch: only one batch is in memory, whatever the file's length."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from features.errors import InputDataError, UsageError

VALUES_PER_BATCH = 2**20
"""Largest number of values of one list column in a batch (8 MB of float64)."""

MOST_ROWS_PER_BATCH = 2**17

CSV_BLOCK = 2**21
"""Bytes of text in a batch; a line must fit into a batch."""

PARQUET_BUFFER = 2**20
"""Bytes read at once of each Parquet column, so that no whole row group is in memory."""


class RoundFile(Protocol):
    """A file with one logged round per row."""

    @property
    def path(self) -> Path:
        """The path of the file."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns, as in the file."""
        ...

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the file's order, with these columns only.

        Raises InputDataError where the file is incomplete or can't be parsed.
        """
        ...


@dataclass(frozen=True)
class ParquetRounds:
    """Rounds in Parquet, where each list column is a list of numbers (or text as in CSV)."""

    path: Path
    columns: tuple[str, ...]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one row group after another, in smaller batches where lists are long."""
        try:
            # The default, buffering ahead, would keep all row groups of the file in memory.
            with pq.ParquetFile(self.path, buffer_size=PARQUET_BUFFER, pre_buffer=False) as file:
                yield from file.iter_batches(batch_size=_rows_per_batch(file, columns), columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise InputDataError(f"{self.path} can't be read as Parquet: {_one_line(error)}.") from error


@dataclass(frozen=True)
class CsvRounds:
    """Rounds in CSV, gzipped or not: comma-separated with a header; every column comes as text.

    A list is one field, its numbers separated by spaces, semicolons or (in quotation marks) commas,
    with or without brackets around it: `0.2 0.8`, `0.2;0.8`, `"[0.2, 0.8]"`.
    """

    path: Path
    columns: tuple[str, ...]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one block of text after another."""
        convert = pa_csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=True,
        )
        try:
            yield from _csv_reader(self.path, convert)
        except (pa.ArrowException, OSError) as error:
            raise InputDataError(f"{self.path} can't be read as CSV: {_one_line(error)}.") from error


def lacking(asker: str, columns: str, file: RoundFile, remedy: str = "") -> UsageError:
    """Return the error of an option or estimator that needs columns which a file doesn't have."""
    return UsageError(
        f"{asker} needs {columns}, which {file.path} doesn't have. Its columns are "
        f"{', '.join(file.columns)}.{remedy}"
    )


def open_rounds(path: Path) -> RoundFile:
    """Return the file of a path that ends in .parquet, .csv or .csv.gz, after a check of its columns.

    Raises UsageError for another ending, InputDataError where the file is missing or broken, or names a
    column twice.
    """
    name = path.name.lower()
    if not name.endswith((".parquet", ".csv", ".csv.gz")):
        raise UsageError(f"{path} is neither .parquet nor .csv nor .csv.gz: rounds come in one of these.")
    if not path.is_file():
        raise InputDataError(f"{path} does not exist: name an existing file of rounds.")
    kind = "Parquet" if name.endswith(".parquet") else "CSV"
    try:
        schema = pq.read_schema(path) if kind == "Parquet" else _csv_reader(path).schema
    except (pa.ArrowException, OSError) as error:
        raise InputDataError(f"{path} can't be read as {kind}: {_one_line(error)}.") from error
    repeated = [column for column, times in Counter(schema.names).items() if times > 1]
    if repeated:
        raise InputDataError(f"{path} has several columns called {repeated[0]}: keep one.")
    file = ParquetRounds if kind == "Parquet" else CsvRounds
    return file(path, tuple(schema.names))


def _csv_reader(path: Path, convert: pa_csv.ConvertOptions | None = None) -> pa_csv.CSVStreamingReader:
    return pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(block_size=CSV_BLOCK),
        # Long lists are often printed over several lines, inside their quotation marks.
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=convert,
    )


def _rows_per_batch(file: pq.ParquetFile, columns: Sequence[str]) -> int:
    """Return the number of rows per batch that keeps every list column under VALUES_PER_BATCH values."""
    longest = 1
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        chunks = map(group.column, range(group.num_columns))
        values = [chunk.num_values for chunk in chunks if chunk.path_in_schema.split(".")[0] in columns]
        longest = max(longest, *(-(-count // max(1, group.num_rows)) for count in values), 1)
    return max(1, min(MOST_ROWS_PER_BATCH, VALUES_PER_BATCH // longest))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
