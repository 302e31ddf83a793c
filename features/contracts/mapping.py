"""How a shop's file maps onto the logs: values that an adapter returns and the warehouse carries out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FileFormat = Literal["csv", "jsonl", "parquet"]


@dataclass(frozen=True)
class LogMapping:
    """The part of a file that becomes rows of one log.

    columns: contract column → SQL expression over the file's own columns, which arrive as text; the
        warehouse casts the result to the contract's type. A nullable column may be left out.
    where: SQL condition on the file's columns; lines that fail it are no rows of this log.
    """

    log: str
    columns: Mapping[str, str]
    where: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """One file on disk and every log that it feeds.

    name: how tables and messages call the file, e.g. `random/men/men.csv`; the same on every machine.
    required: header names without which the file is refused.
    """

    path: Path
    name: str
    file_format: FileFormat
    required: frozenset[str]
    logs: tuple[LogMapping, ...]
