"""JSON and text files, replaced in one step: a reader sees the old or the new content, never a part."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from features.errors import DamagedFileError, UsageError

Record = TypeVar("Record")


def write_json(path: Path, content: Mapping[str, Any], mode: int | None = None) -> None:
    """Write a JSON object; mode: of the file, by default what the process gives to new files."""
    _replace(path, json.dumps(content, indent=1, sort_keys=True).encode(), mode)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises DamagedFileError, naming the file, where it holds anything else."""
    try:
        content = json.loads(path.read_bytes())
    except IsADirectoryError as error:
        raise DamagedFileError(f"{path} is damaged: it is a folder. Move it away.") from error
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: it is not JSON ({error}).") from error
    if not isinstance(content, dict):
        raise DamagedFileError(f"{path} is damaged: it should hold a JSON object.")
    return content


def write_text(path: Path, text: str, mode: int | None = None) -> None:
    """Write a text file; mode: as in `write_json`."""
    _replace(path, text.encode(), mode)


def write_record(path: Path, record: object, mode: int | None = None) -> None:
    """Write a frozen record of plain values: texts, numbers, dates, and mappings and records of them.

    mode: as in `write_json`.
    """
    _replace(path, TypeAdapter(type(record)).dump_json(record, indent=1), mode)


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
    _sync(folder)


def sync_tree(folder: Path) -> None:
    """Write all files of a folder and of its subfolders to disk, and their names."""
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes, mode: int | None = None) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 - the one call that is atomic on every file system
    sync_folder(path.parent)
