"""The path and format of a file, from a `[[files]]` table or its `join`."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from features.contracts.mapping import FileFormat
from features.errors import UsageError
from features.sources.toml_values import count_of, text_of

FORMATS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
FORM_KEYS = ("path", "format", "delimiter", "encoding", "skip_lines")


@dataclass(frozen=True)
class FileForm:
    """The path and format of a file.

    path: relative to the folder of the logs. The others: see features.contracts.mapping.SourceFile.
    """

    path: str
    file_format: FileFormat
    delimiter: str
    encoding: str | None
    skip_lines: int


def parse_form(table: Mapping[str, object], key: str) -> FileForm:
    """Return a table's values of FORM_KEYS; missing ones follow from the ending of the path.

    Raises UsageError, with the key, where a value is invalid or the path leads out of the folder.
    """
    path = text_of(table, "path", key)
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise UsageError(f"{key}.path = {path!r} must lead from shop.logs to files inside of it.")
    delimiter = text_of(table, "delimiter", key, "\t" if ".tsv" in PurePosixPath(path).suffixes else ",")
    if len(delimiter) != 1:
        raise UsageError(f"{key}.delimiter = {delimiter!r} must be one character.")
    return FileForm(
        path, _format(table, path, key), delimiter, _encoding(table, key), count_of(table, "skip_lines", key)
    )


def _format(table: Mapping[str, object], path: str, key: str) -> FileFormat:
    suffix = PurePosixPath(path.removesuffix(".gz")).suffix.lower()
    said = text_of(table, "format", key, FORMATS.get(suffix, ""))
    if said not in FORMATS.values():
        raise UsageError(
            f"{key}.format must be csv, jsonl or parquet; the ending of {path!r} is none of them."
        )
    if said == "parquet" and path.endswith(".gz"):
        raise UsageError(f"{key}.path = {path!r}: Parquet is compressed inside; it can't be read from .gz.")
    return cast(FileFormat, said)


def _encoding(table: Mapping[str, object], key: str) -> str | None:
    encoding = text_of(table, "encoding", key, "")
    try:
        return codecs.lookup(encoding).name if encoding else None
    except LookupError:
        raise UsageError(
            f"{key}.encoding = {encoding!r} is not a known encoding; cp1252, utf-16 and gb18030 are."
        ) from None
