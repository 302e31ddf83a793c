"""Where a shop's files lie, and the lock that keeps two nights apart.

<data>/warehouse/<shop>.duckdb          the live database; analysts never open it
<data>/warehouse/<shop>.lock            held while a run of this shop is going on
<data>/work/<shop>/<run_id>/            what the stages hand to one another
<data>/published/<shop>/<run_id>/       immutable: tables, report, manifest
<data>/published/<shop>/current.json    the run that counts, replaced in one step
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.errors import LockedError, UsageError
from flows.settings import Settings


@dataclass(frozen=True)
class Night:
    """One night of one shop, as decided when its logs were ingested.

    inputs: file → sha256 of everything loaded. data_from, data_to: first and last day of any log.
    domains: what policies are learned for. undecided: domain → why nothing is decided in it.
    """

    run_id: str
    shop: str
    as_of: date
    inputs: Mapping[str, str]
    data_from: date
    data_to: date
    domains: tuple[str, ...]
    undecided: Mapping[str, str]


@dataclass(frozen=True)
class Workspace:
    """The folders of one shop."""

    settings: Settings

    @property
    def shop(self) -> str:
        """Name of the shop, safe in paths."""
        return self.settings.shop.name

    @property
    def warehouse(self) -> Path:
        """The shop's DuckDB file."""
        return self.settings.paths.data / "warehouse" / f"{self.shop}.duckdb"

    @property
    def published(self) -> Path:
        """The folder of published runs."""
        return self.settings.paths.data / "published" / self.shop

    def work(self, run_id: str) -> Path:
        """Return the work folder of a run, made if need be."""
        folder = self.settings.paths.data / "work" / self.shop / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def remember(self, night: Night) -> None:
        """Make a night the one that the later verbs go on with."""
        record = asdict(night) | {
            key: value.isoformat() if isinstance(value, date) else value
            for key, value in asdict(night).items()
            if key in ("as_of", "data_from", "data_to")
        }
        write_json(self.work(night.run_id) / "night.json", record)
        write_json(self.work(night.run_id).parent / "latest.json", {"run_id": night.run_id})

    def recall(self) -> Night:
        """Return the night that was ingested last.

        Raises UsageError if nothing was ingested yet.
        """
        latest = self.settings.paths.data / "work" / self.shop / "latest.json"
        if not latest.is_file():
            raise UsageError(f"{self.shop} has no ingested night yet. Start with `metacart ingest`.")
        record = read_json(self.work(read_json(latest)["run_id"]) / "night.json")
        days = {key: date.fromisoformat(record[key]) for key in ("as_of", "data_from", "data_to")}
        # A night that an older version has ingested decided in every domain that it had.
        return Night(**{"undecided": {}} | record | days | {"domains": tuple(record["domains"])})

    def last_night(self) -> date | None:
        """Return the newest date that a night was ingested for; None before the first."""
        nights = (self.settings.paths.data / "work" / self.shop).glob("*/night.json")
        return max((date.fromisoformat(read_json(night)["as_of"]) for night in nights), default=None)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the shop: the kernel lets go by itself when the process dies, however it dies.

        Raises LockedError, naming the holder, if another run is going on.
        """
        path = self.warehouse.with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise LockedError(
                    f"Another run of {self.shop} is going on ({holder}). Wait for it, then start again."
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
            yield


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step: a reader sees the old content or the new, never half."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 - the one call that is atomic on every file system
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
