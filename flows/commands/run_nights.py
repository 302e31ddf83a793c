"""`metacart run`: one night, a range of them, or those that were missed; each is an attempt of its own."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import UsageError
from flows.attempts.attempt import Attempt, attempted, settings_of_night
from flows.attempts.retries import with_retries
from flows.commands.stage_lines import StageLines
from flows.complete_days import DAY
from flows.interruption import active
from flows.settings import read_settings
from flows.stage_events import Says, all_of
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.stages.night import NightResult

LONGEST = 14
"""The largest number of missed nights that are made up without naming a number."""


@dataclass(frozen=True)
class AskedNights:
    """The nights that `metacart run` was asked for.

    catch_up: None without --catch-up; empty without its number.
    """

    config: Path
    as_of: date | None = None
    first: date | None = None
    last: date | None = None
    catch_up: tuple[int, ...] | None = None

    @property
    def longest(self) -> int | None:
        """The largest number of missed nights to make up; None where none are to be made up."""
        return None if self.catch_up is None else (*self.catch_up, LONGEST)[0]

    @property
    def days(self) -> list[date | None]:
        """The dates that are named, oldest first; None stands for the newest day that is over.

        Raises UsageError where the options contradict each other.

        >>> AskedNights(Path("shop.toml"), first=date(2026, 1, 30), last=date(2026, 2, 1)).days
        [datetime.date(2026, 1, 30), datetime.date(2026, 1, 31), datetime.date(2026, 2, 1)]
        """
        if self.longest is not None and (self.as_of or self.first or self.last or self.longest < 1):
            raise UsageError(
                "--catch-up finds the days itself: it takes the largest number of nights, 1 or more, and no "
                "--as-of, --from and --to."
            )
        if self.first is None and self.last is None:
            return [self.as_of]
        if self.as_of is not None or self.first is None or self.last is None or self.first > self.last:
            raise UsageError(
                "A range of nights takes --from and --to, the earlier day first, and no --as-of."
            )
        return [self.first + n * DAY for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class NightRunner:
    """Runs nights of one shop, prints them, and reports how each attempt ends; sleep: waits some seconds."""

    workspace: Workspace
    config: Path
    log_json: bool
    sleep: Callable[[float], None] = time.sleep

    def run(self, day: date | None) -> "NightResult":
        """Run one night; day: None for the newest one that is over."""
        print(f"{self.workspace.shop}: the night {f'of {day} ' if day else ''}begins")
        settings = self.workspace.settings
        lines = StageLines(self.workspace, self.log_json)
        with self._attempt(day) as attempt:
            # Of an installation that is broken, too, others should hear.
            from flows.commands.printed_night import print_night
            from flows.commands.progress_bar import progress_bar
            from flows.stages.night import run_night

            follower = all_of(lines, attempt.follow)
            with progress_bar() as bar:
                result = with_retries(
                    lambda: run_night(settings, day, follower, lines.listener(bar)),
                    settings.retries.times,
                    announce=lambda retry: follower(Says(retry.line)),
                    sleep=self.sleep,
                )
            attempt.published_in(result.published.folder)
        print_night(result)
        return result

    def missed(self, longest: int) -> list[date]:
        """Load the logs, and return the days of missed nights, the oldest first."""
        print(f"{self.workspace.shop}: the logs are loaded, to see which nights were missed")
        with self._attempt(None) as attempt:
            from flows.stages.catch_up import missed_days, newest_day_in_logs

            follower = all_of(StageLines(self.workspace, self.log_json), attempt.follow)
            days = missed_days(self.workspace, newest_day_in_logs(self.workspace, follower), longest)
        listed = ", ".join(map(str, days)) or "none"
        print(f"{self.workspace.shop}: missed nights: {listed}")
        return days

    def _attempt(self, day: date | None) -> AbstractContextManager[Attempt]:
        return attempted(self.workspace, self.config, day, again=command(self.config), warn=warn)


def run_nights(asked: AskedNights, *, dry_run: bool, as_json: bool, log_json: bool) -> None:
    """Run the nights that are asked for, the oldest first; stop at the first that fails.

    dry_run: only print what would run. as_json: end with the last night as one JSON object; null without one.
    """
    days = asked.days
    if dry_run:
        from flows.commands.dry_run import print_dry_run, print_missed

        settings = read_settings(asked.config)
        if asked.longest is not None:
            print_missed(settings, asked.longest, as_json=as_json)
            return
        if asked.first is not None:
            raise UsageError("--dry-run is of one night: it takes --as-of, and no --from and --to.")
        print_dry_run(settings, asked.as_of, as_json=as_json)
        return
    settings = settings_of_night(
        asked.config,
        asked.as_of,
        again=command(asked.config),
        warn=warn,
        read=lambda: read_settings(asked.config),
    )
    runner = NightRunner(Workspace(settings), asked.config, log_json)
    result = None
    for day in days if asked.longest is None else runner.missed(asked.longest):
        result = runner.run(day)
    if as_json:
        print(json.dumps(result.to_json() if result else None))


def command(config: Path) -> str:
    """Return the command that starts the same nights again."""
    stop = active()
    return stop.again if stop is not None and stop.again else f"metacart run --config {config}"


def warn(line: str) -> None:
    """Print a line about what could not be reported."""
    print(line, file=sys.stderr)
