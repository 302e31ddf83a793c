"""The folders of a shop's files, and the lock that prevents two nights at the same time.

<data>/warehouse/<shop>.duckdb          the live database; analysts never open it
<data>/warehouse/<shop>.lock            locked during a run of this shop
<data>/work/<shop>/<run_id>/            files from one stage to the next
<data>/work/<shop>/heartbeat.json       the stage and the last sign of life of a night that runs
<data>/registry/<shop>/                 champions, and what people decided of them (flows/registry/)
<data>/published/<shop>/<run_id>/       immutable: tables, report, manifest
<data>/published/<shop>/current.json    the current run, replaced in one step
<data>/published/<shop>/freshness.json  the newest run and the last attempt, for a monitor
<data>/published/<shop>/last_failure.txt   what has failed and what to do, until the next good night
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
from flows.file_modes import PRIVATE_FOLDER, owner_only
from flows.json_files import read_json, write_json
from flows.night_folder import Night, NightFolder
from flows.published_nights import PublishedNights, is_run_id
from flows.settings import Settings


def published_folder(data: Path, shop: str) -> Path:
    """Return the folder of a shop's published runs below a data folder."""
    return data / "published" / shop


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
    def lock_file(self) -> Path:
        """The file that is locked during a run."""
        return self.warehouse.with_suffix(".lock")

    @property
    def published(self) -> Path:
        """The folder of published runs."""
        return published_folder(self.settings.paths.data, self.shop)

    @property
    def registry(self) -> Path:
        """The folder of the shop's champions."""
        return self.settings.paths.data / "registry" / self.shop

    @property
    def work(self) -> Path:
        """The folder of all nights' work."""
        return self.settings.paths.data / "work" / self.shop

    @property
    def heartbeat(self) -> Path:
        """The file in which a running night says that it is alive."""
        return self.work / "heartbeat.json"

    def night_folder(self, run_id: str) -> NightFolder:
        """Return the work folder of a run, and create it if it is missing."""
        folder = self.work / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return NightFolder(folder)

    @property
    def night_folders(self) -> list[NightFolder]:
        """The existing work folders."""
        return [NightFolder(path) for path in sorted(self.work.glob("*")) if path.is_dir()]

    @property
    def nights(self) -> PublishedNights:
        """The published nights."""
        return PublishedNights(self.published)

    def remember(self, night: Night) -> None:
        """Record an ingested night as the one that later stages continue."""
        folder = self.night_folder(night.run_id)
        folder.write_night(night)
        folder.seal_ingest()
        write_json(self._latest, {"run_id": night.run_id})

    def forget(self) -> None:
        """Record that no ingested night fits the marts of the warehouse, which are about to change."""
        self._latest.unlink(missing_ok=True)

    @property
    def latest(self) -> NightFolder | None:
        """The work folder of the night that was ingested last; None before the first, or where it failed.

        Raises UsageError where latest.json is damaged, or names a folder that is not a night's.
        """
        if not self._latest.is_file():
            return None
        run_id = read_json(self._latest).get("run_id")
        if not (isinstance(run_id, str) and is_run_id(run_id) and (self.work / run_id).is_dir()):
            raise UsageError(
                f"{self._latest} names {run_id!r}, which is not a night of {self.shop}. Run "
                "`metacart ingest`, which writes it anew."
            )
        return NightFolder(self.work / run_id)

    def recall(self) -> Night:
        """Return the night that was ingested last.

        Raises UsageError if nothing was ingested yet, or with other settings than the present ones.
        """
        if self.latest is None:
            raise UsageError(
                f"{self.shop} has no ingested night: there was none yet, or the last `metacart ingest` did "
                "not end. Run `metacart ingest` first."
            )
        night = self.latest.night
        if night.config_sha256 and night.config_sha256 != self.settings.content_hash:
            raise UsageError(
                f"The configuration of {self.shop} has changed since {night.run_id} was ingested. Run "
                "`metacart ingest` and the verbs after it again, or `metacart run`."
            )
        return night

    def last_night(self) -> date | None:
        """Return the newest date that a night was published for; None before the first."""
        return max((night.as_of for night in self.nights.all()), default=None)

    @property
    def _latest(self) -> Path:
        return self.work / "latest.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the shop for a block; the kernel releases the lock if the process dies.

        All that is written meanwhile, what DuckDB writes included, is for the owner alone; only published
        nights are shared with the group. Raises LockedError, naming the process that has the lock, during
        another run.
        """
        # The way to the published nights stays open.
        self.settings.paths.data.mkdir(parents=True, exist_ok=True)
        with owner_only():
            yield from self._lock()

    def _lock(self) -> Iterator[None]:
        path = self.lock_file
        for folder in (path.parent, self.work.parent, self.work):
            folder.mkdir(parents=True, exist_ok=True)
            # An earlier version has left them open to all.
            folder.chmod(PRIVATE_FOLDER)
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
