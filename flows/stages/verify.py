"""Verify: whether published nights are as they were published, byte for byte and row for row."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from features.errors import DamagedFileError
from flows.json_files import read_json
from flows.published_nights import MANIFEST, PublishedNight
from flows.stages.publish import rows_sha256
from flows.workspace import Workspace


@dataclass(frozen=True)
class Verified:
    """One published folder: its name, its number of files, and file → what is wrong with it.

    n_unproven: files without a checksum. A night of an earlier version has only the rows of its tables in the
    manifest; what else it has could have been changed.
    """

    folder: Path
    n_files: int
    faults: Mapping[str, str]
    n_unproven: int = 0


def verify(workspace: Workspace, run_id: str | None = None) -> list[Verified]:
    """Compare published files with their checksums and tables with the manifest; change nothing.

    run_id: of one night; None for all, and for the pointer to the current one. A file is "missing",
    "changed", or "unknown" where it was not published with the night.
    Raises UsageError where no such night is published.
    """
    nights = workspace.nights
    chosen = nights.all() if run_id is None else nights.of(run_id)
    found = [_verified(night) for night in chosen]
    has_pointer = nights.pointer.exists()
    if run_id is None and nights.current() is None and (chosen or has_pointer):
        how = "changed" if has_pointer else "missing"
        found.append(Verified(nights.path, 1, {nights.pointer.name: how}))
    return found


def _verified(night: PublishedNight) -> Verified:
    n_files = sum(path.is_file() for path in night.path.rglob("*"))
    faults = night.faults()
    # The manifest has a hash of each table's rows: all that proves a night of a version without checksums.
    tables = _tables(night)
    for name, entry in tables.items():
        file = f"{name}.parquet"
        if file not in faults and not _has_rows(night.path / file, name, entry):
            faults[file] = "changed"
    return Verified(night.path, n_files, faults, 0 if night.has_checksums else n_files - len(tables))


def _tables(night: PublishedNight) -> dict[str, Any]:
    try:
        return dict(read_json(night.path / MANIFEST)["tables"])
    except (DamagedFileError, FileNotFoundError, KeyError, TypeError, ValueError):
        # then the checksums name it as missing or changed, or the night as one without them
        return {}


def _has_rows(path: Path, name: str, entry: Any) -> bool:
    try:
        return bool(rows_sha256(name, pl.read_parquet(path)) == entry["hash"])
    except (OSError, KeyError, TypeError, pl.exceptions.PolarsError):
        return False
