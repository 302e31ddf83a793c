"""A dry run: which files a night would load, and for which day, without reading a line or writing a byte."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import duckdb

from features.contracts.mapping import SourceFile
from features.deidentify import MissingKeyError, read_key
from features.errors import InputDataError
from features.warehouse.contract_version import contract_version
from features.warehouse.log_days import first_and_last_day
from features.warehouse.manifest import held_meanings, key_ids
from features.warehouse.store import open_to_read
from flows.checksums import sha256_of
from flows.complete_days import newest_over, refuse_unfinished_day
from flows.disk_space import free_bytes
from flows.settings import Settings
from flows.stages.ingest import key_file, newest_complete_day, source_files
from flows.workspace import Workspace

FileState = Literal["new", "changed", "mapped anew", "loaded"]


@dataclass(frozen=True)
class PlannedFile:
    """A file of the logs; `mapped anew`: its content is as before, its mapping, key or joined file is not."""

    name: str
    n_bytes: int
    state: FileState


@dataclass(frozen=True)
class DryRun:
    """What a night would begin with.

    as_of: its date; None where it depends on days in files that are not loaded yet. latest: the newest date
    that it can have. free_bytes: on the disk of the data folder.
    """

    shop: str
    as_of: date | None
    latest: date
    files: tuple[PlannedFile, ...]
    free_bytes: int

    @property
    def to_load(self) -> tuple[PlannedFile, ...]:
        """The files that would be read."""
        return tuple(file for file in self.files if file.state != "loaded")


@dataclass(frozen=True)
class _Known:
    """What the warehouse has: file → what its rows depend on, ids of keys, and the newest complete day."""

    meanings: Mapping[str, tuple[str, str, str, str | None]]
    key_ids: tuple[str, ...] = ()
    newest_day: date | None = None


def dry_run(settings: Settings, as_of: date | None, now: datetime) -> DryRun:
    """Compare the shop's files with those in the warehouse.

    as_of: as in `ingest`. now: in UTC.
    Raises UsageError and InputDataError as a night would before it reads a line, and LockedError during one.
    """
    refuse_unfinished_day(as_of, now.date())
    workspace = Workspace(settings)
    files = source_files(settings, as_of)
    known = _known(workspace, now)
    planned = _planned(files, known, _key_id(workspace, known), settings)
    is_complete = all(file.state == "loaded" for file in planned)
    return DryRun(
        shop=workspace.shop,
        as_of=as_of or (known.newest_day if is_complete else None),
        latest=as_of or newest_over(now.date()),
        files=planned,
        free_bytes=free_bytes(settings.paths.data),
    )


def _known(workspace: Workspace, now: datetime) -> _Known:
    if not workspace.warehouse.is_file():
        return _Known({})
    with open_to_read(workspace.warehouse) as connection:
        try:
            days = first_and_last_day(connection, "raw")
            newest = days and newest_complete_day(connection, days[1], workspace.settings, now)
            return _Known(held_meanings(connection), key_ids(connection), newest)
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise InputDataError(
                f"{workspace.warehouse} is of an earlier version of metacart, which a dry run can't read. A "
                f"night brings it up to date. DuckDB says: {error}"
            ) from error


def _key_id(workspace: Workspace, known: _Known) -> str:
    """Return the id of the shop's key; empty where the first night would make one."""
    try:
        return read_key(key_file(workspace)).key_id
    except MissingKeyError:
        if known.key_ids:
            raise
        return ""


def _planned(
    files: Sequence[SourceFile], known: _Known, key_id: str, settings: Settings
) -> tuple[PlannedFile, ...]:
    planned = []
    for file in files:
        joined = sha256_of(file.join.file.path) if file.join else None
        meaning = (
            sha256_of(file.path),
            key_id,
            contract_version(file, settings.shop.first_day, settings.limits.of_files),
            joined,
        )
        planned.append(
            PlannedFile(file.name, file.path.stat().st_size, _state(known.meanings.get(file.name), meaning))
        )
    return tuple(planned)


def _state(held: tuple[object, ...] | None, meaning: tuple[object, ...]) -> FileState:
    if held is None:
        return "new"
    if held == meaning:
        return "loaded"
    return "changed" if held[0] != meaning[0] else "mapped anew"
