"""Damaged files and leftovers of interrupted runs, which must not stop an erasure: named, and mostly removed.

A temporary file that a killed run left can contain anybody, and so can half a table.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from features.errors import DamagedFileError, MetacartError
from features.warehouse.tombstones import read_tombstone
from flows.erasure.proof import Damage, erasures
from flows.json_files import read_json
from flows.published_nights import MANIFEST, is_run_id
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
    """Return what becomes of a damaged table: only what lies in the folder of a night is metacart's."""
    if path.is_relative_to(workspace.work):
        return "reset" if _is_of_night(path, workspace.work) else "not searched"
    if path.is_relative_to(workspace.published):
        is_table = path.parent.parent == workspace.published and path.name.startswith("out_")
        return "removed" if is_table and _is_of_night(path, workspace.published) else "not searched"
    return "not searched"


def _is_of_night(path: Path, nights: Path) -> bool:
    """Return whether a file lies in the folder of a night."""
    folder, *inside = path.relative_to(nights).parts
    return bool(inside) and is_run_id(folder.partition(".")[0])


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
