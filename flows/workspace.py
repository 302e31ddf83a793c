"""The folders of a shop's files, and the lock that prevents two nights at the same time.

<data>/warehouse/<shop>.duckdb          the live database; analysts never open it
<data>/warehouse/<shop>.lock            locked during a run of this shop
<data>/work/<shop>/<run_id>/            files from one stage to the next
<data>/published/<shop>/<run_id>/       immutable: tables, report, manifest
<data>/published/<shop>/current.json    the current run, replaced in one step
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from features.errors import LockedError, UsageError
from flows.json_files import read_json, write_json
from flows.night_folder import Night, NightFolder
from flows.settings import Settings


@dataclass(frozen=True)
class Workspace:
    """The folders of one shop."""

    settings: Settings

    @property
    def shop(self) -> str:
        """The name of the shop, safe in paths."""
        return self.settings.shop.name

    @property
    def warehouse(self) -> Path:
        """The shop's DuckDB file."""
        return self.settings.paths.data / "warehouse" / f"{self.shop}.duckdb"

    @property
    def published(self) -> Path:
        """The folder of published runs."""
        return self.settings.paths.data / "published" / self.shop

    @property
    def work(self) -> Path:
        """The folder of all nights' work."""
        return self.settings.paths.data / "work" / self.shop

    def night_folder(self, run_id: str) -> NightFolder:
        """Return the work folder of a run, and create it if it is missing."""
        folder = self.work / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return NightFolder(folder)

    @property
    def night_folders(self) -> list[NightFolder]:
        """The existing work folders."""
        return [NightFolder(path) for path in sorted(self.work.glob("*")) if path.is_dir()]

    def remember(self, night: Night) -> None:
        """Record a night as the one that later stages continue."""
        self.night_folder(night.run_id).write_night(night)
        write_json(self._latest, {"run_id": night.run_id})

    @property
    def latest(self) -> NightFolder | None:
        """The work folder of the night that was ingested last; None before the first."""
        if not self._latest.is_file():
            return None
        return self.night_folder(read_json(self._latest)["run_id"])

    def recall(self) -> Night:
        """Return the night that was ingested last.

        Raises UsageError if nothing was ingested yet.
        """
        if self.latest is None:
            raise UsageError(f"{self.shop} has no ingested night yet. Start with `metacart ingest`.")
        return self.latest.night

    def last_night(self) -> date | None:
        """Return the newest date that a night was ingested for; None before the first."""
        ingested = [folder.as_of for folder in self.night_folders if folder.is_ingested]
        return max(ingested, default=None)

    @property
    def _latest(self) -> Path:
        return self.work / "latest.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the shop for a block; the kernel releases the lock if the process dies.

        Raises LockedError, naming the process that has the lock, during another run.
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
                    f"Another run of {self.shop} is in progress ({holder}). Start again when it has ended."
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
            yield
