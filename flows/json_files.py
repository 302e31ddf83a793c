"""JSON files that are replaced in one step: a reader sees the old or the new content, never a part."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from features.errors import UsageError

Record = TypeVar("Record")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object."""
    _replace(path, json.dumps(content, indent=1, sort_keys=True).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def write_record(path: Path, record: object) -> None:
    """Write a frozen record of plain values: texts, numbers, dates, and mappings and records of them."""
    _replace(path, TypeAdapter(type(record)).dump_json(record, indent=1))


def read_record(path: Path, kind: type[Record]) -> Record:
    """Read what `write_record` wrote; fields with a default may be missing in a file of an older version.

    Raises UsageError where the file is missing or has the form of another version.
    """
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise UsageError(
            f"{path} is missing, or another version of metacart has written it. Run `metacart ingest` and "
            "the verbs after it again, or `metacart run`."
        ) from error


def sync_folder(folder: Path) -> None:
    """Write the renames inside a folder to disk, so that they survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 - the one call that is atomic on every file system
    sync_folder(path.parent)
