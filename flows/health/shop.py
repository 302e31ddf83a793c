"""The checks of one shop, with what they look at: its files, its warehouse and its published nights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

import duckdb

from features.contracts.mapping import SourceFile
from features.warehouse.log_days import first_and_last_day
from features.warehouse.store import open_to_read
from flows.attempts.heartbeat import last_beat
from flows.disk_space import free_bytes
from flows.health.check import Check, well
from flows.health.clock import check_clock
from flows.health.configuration import check_configuration, check_variables
from flows.health.disk import check_folders, check_room
from flows.health.freshness import check_logs, check_night
from flows.health.heartbeat import check_heartbeat
from flows.health.lock import check_lock, lock_state
from flows.health.secrecy import check_key, check_modes, modes_of
from flows.stages.ingest import key_file, source_files
from flows.workspace import Workspace


@dataclass(frozen=True)
class ShopCheckup:
    """A shop to look at; now: in UTC."""

    config: Path
    workspace: Workspace
    now: datetime

    def looks(self) -> Mapping[str, Callable[[], list[Check]]]:
        """Return name → function of each check."""
        return {
            "configuration": self._configuration,
            "lock": self._lock,
            "heartbeat": self._heartbeat,
            "disk": self._disk,
            "folders": self._folders,
            "key": self._key,
            "modes": self._modes,
            "warehouse": self._warehouse,
            "clock": self._clock,
            "logs": self._freshness,
            "night": self._night,
        }

    @cached_property
    def _files(self) -> tuple[SourceFile, ...]:
        return source_files(self.workspace.settings, None)

    @cached_property
    def _written(self) -> dict[str, datetime]:
        """Each log file with its time of writing."""
        return {file.name: datetime.fromtimestamp(file.path.stat().st_mtime, UTC) for file in self._files}

    @cached_property
    def _newest_row(self) -> date | None:
        """The newest day in the warehouse; None before the first night."""
        if not self.workspace.warehouse.is_file():
            return None
        with open_to_read(self.workspace.warehouse) as connection:
            try:
                days = first_and_last_day(connection, "raw")
            except duckdb.CatalogException:
                # The first night was interrupted before it had made its tables.
                return None
        return days[1] if days else None

    @property
    def _yesterday(self) -> date:
        return self.now.date() - timedelta(days=1)

    def _configuration(self) -> list[Check]:
        settings = self.workspace.settings
        n_files = len(self._files) if settings.shop.logs.is_dir() else 0
        return [*check_variables(), check_configuration(self.config, settings, n_files)]

    def _lock(self) -> list[Check]:
        return [check_lock(self.workspace.lock_file, lock_state(self.workspace.lock_file))]

    def _heartbeat(self) -> list[Check]:
        state = lock_state(self.workspace.lock_file)
        beat = last_beat(self.workspace.heartbeat)
        return [check_heartbeat(self.now, beat, is_held=state is not None and state.is_held)]

    def _disk(self) -> list[Check]:
        data = self.workspace.settings.paths.data
        return [check_room(data, free_bytes(data), sum(file.path.stat().st_size for file in self._files))]

    def _folders(self) -> list[Check]:
        workspace = self.workspace
        return check_folders([workspace.warehouse.parent, workspace.work, workspace.published])

    def _key(self) -> list[Check]:
        return [check_key(key_file(self.workspace), has_rows=self._newest_row is not None)]

    def _modes(self) -> list[Check]:
        workspace = self.workspace
        private = [workspace.warehouse.parent, workspace.warehouse, workspace.work.parent, workspace.work]
        return check_modes(modes_of(private))

    def _warehouse(self) -> list[Check]:
        path = self.workspace.warehouse
        if self._newest_row is None:
            return [well("warehouse", f"{path} has no rows yet.")]
        return [well("warehouse", f"{path} can be read; its newest row is of {self._newest_row}.")]

    def _clock(self) -> list[Check]:
        passed = dict(self._written)
        if self._newest_row is not None:
            passed["the newest row in the warehouse"] = datetime.combine(self._newest_row, time.min, UTC)
        return [check_clock(self.now, passed)]

    def _freshness(self) -> list[Check]:
        newest = max(self._written.values(), default=None)
        return [check_logs(self._yesterday, self._newest_row, newest.date() if newest else None)]

    def _night(self) -> list[Check]:
        nights = self.workspace.nights
        current = nights.current()
        as_of = current.as_of if current else None
        return [check_night(self._yesterday, as_of, has_nights=bool(nights.all()))]
