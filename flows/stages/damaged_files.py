"""Damaged files and leftovers of interrupted runs, which must not stop an erasure: named, and mostly removed.

A temporary file that a killed run left can contain anybody, and so can half a table.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from features.errors import DamagedFileError, MetacartError
from features.warehouse.tombstones import read_tombstone
from flows.json_files import read_json
from flows.published_nights import MANIFEST, is_run_id
from flows.stages.erasure_proof import Damage, erasures
from flows.workspace import Workspace


def named(workspace: Workspace, path: Path) -> str:
    """Return how a proof calls a file: relative to the data folder."""
    return path.relative_to(workspace.settings.paths.data).as_posix()


def damage(workspace: Workspace, unreadable: Iterable[Path]) -> dict[str, Damage]:
    """Return every leftover and damaged file, with what an erasure does with it.

    unreadable: Parquet files. Damaged JSON stays as it is: it contains nobody, and `metacart verify`,
    `metacart ingest` or the next erasure of the same person says what to do.
    """
    found: dict[str, Damage] = {named(workspace, path): "kept" for path in _damaged_json(workspace)}
    leftovers = _leftovers(workspace)
    for path in unreadable:
        if not any(path.is_relative_to(leftover) for leftover in leftovers):
            found[named(workspace, path)] = _fate(workspace, path)
    return found | {named(workspace, path): "removed" for path in leftovers}


def sweep(workspace: Workspace) -> None:
    """Remove what interrupted runs left."""
    for path in _leftovers(workspace):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _leftovers(workspace: Workspace) -> list[Path]:
    """Return files and folders whose names begin with a dot, and what DuckDB spilled to disk.

    Folders that don't have the name of a night are not metacart's, and keep theirs.
    """
    warehouse = workspace.warehouse
    spilled = warehouse.with_name(f"{warehouse.name}.tmp")
    found = [*warehouse.parent.glob(f".{warehouse.name}*"), *([spilled] if spilled.exists() else [])]
    nights = [folder.path for folder in workspace.night_folders if is_run_id(folder.run_id)]
    nights += [night.path for night in workspace.nights.all()]
    hidden = [path for folder in (workspace.work, workspace.published) for path in sorted(folder.glob(".*"))]
    hidden += [path for night in nights for path in sorted(night.rglob(".*"))]
    return [*found, *(path for path in hidden if not any(other in path.parents for other in hidden))]


def _fate(workspace: Workspace, path: Path) -> Damage:
    for folder, fate in ((workspace.work, "reset"), (workspace.published, "removed")):
        if path.is_relative_to(folder):
            parts = path.relative_to(folder).parts
            is_of_night = len(parts) > 1 and is_run_id(parts[0].partition(".")[0])
            is_table = fate == "reset" or (len(parts) == 2 and path.name.startswith("out_"))
            if is_of_night and is_table:
                return "reset" if fate == "reset" else "removed"
    return "not searched"


def _damaged_json(workspace: Workspace) -> list[Path]:
    nights = [night.path / MANIFEST for night in workspace.nights.all()]
    ingested = [folder.path / "night.json" for folder in workspace.night_folders if is_run_id(folder.run_id)]
    records = [workspace.nights.pointer, workspace.work / "latest.json", *nights, *ingested]
    damaged = [path for path in records if path.is_file() and not _is_json(path)]
    for path in sorted(erasures(workspace).glob("*.json")):
        try:
            read_tombstone(path)
        except DamagedFileError:
            damaged.append(path)
    return damaged


def _is_json(path: Path) -> bool:
    try:
        read_json(path)
    except MetacartError:
        return False
    return True
