"""An attempt at a night: kept alive, within its time, and known to others however it ends.

While it runs it has a heartbeat and its time limits, and `freshness.json` says that it runs. When it has
failed, that file says how, and the failure is reported (`flows/attempts/failed_attempt.py`).
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from features.errors import MetacartError
from features.exit_statuses import ExitStatus
from flows.attempts.failed_attempt import Attempted, note_begin, note_success, report_failure
from flows.attempts.failures import Failure, failure_by, failure_of
from flows.attempts.freshness import LastAttempt
from flows.attempts.heartbeat import beating
from flows.attempts.refused_configuration import report_refusal, resolve_refusal
from flows.attempts.time_limits import limited
from flows.interruption import active, cleaning_up
from flows.progress import LinePrinter
from flows.settings import Settings
from flows.stage_events import (
    Follower,
    NightEvent,
    Says,
    StageBegins,
    StageEnded,
    StageFailed,
    StageSkipped,
    all_of,
)
from flows.workspace import Workspace

N_LINES = 20
"""Last lines of a night that an alert repeats."""


@dataclass
class Attempt:
    """One attempt at a night; it has to follow the night.

    as_of: the date that was asked for; None for the newest day in the logs. warn: prints a line about what
    could not be reported.
    """

    of: Attempted
    as_of: date | None
    warn: LinePrinter
    began_at: datetime
    follow: Follower = field(init=False)
    stage: str = "the start"
    folder: Path | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=N_LINES))
    is_known: bool = False
    is_reported: bool = False

    def note(self, event: NightEvent) -> None:
        """Remember what happens; the first event, when the shop is locked, makes the attempt known."""
        match event:
            case StageBegins(stage):
                self.stage = stage
                self._add(f"{stage} begins")
            case StageEnded(stage, seconds):
                self.stage = f"after {stage}"
                self._add(f"{stage} has ended after {seconds:.1f} s")
            case StageFailed(stage):
                self._add(f"{stage} has failed")
            case StageSkipped(stage):
                self._add(f"{stage} was done by an earlier run of this night")
            case Says(line):
                self._add(line)
        if not self.is_known:
            self.is_known = True
            note_begin(self.of, self._last(), self.warn)

    def published_in(self, folder: Path) -> None:
        """Remember the folder in which the night is published."""
        self.folder = folder

    def ended(self) -> None:
        """Report that it has ended well."""
        note_success(self.of, self.folder, self._last(ExitStatus.DONE), self.warn)

    def failed(self, failure: Failure) -> None:
        """Report a failure, once."""
        if self.is_reported:
            return
        self.is_reported = True
        report_failure(self.of, failure, self._last(failure.exit_status), tuple(self.lines), self.warn)

    def _add(self, line: str) -> None:
        self.lines.append(f"{_now():%H:%M:%S}  {line}")

    def _last(self, status: int | None = None) -> LastAttempt:
        last = LastAttempt(self.as_of, self.began_at, self.stage)
        return last if status is None else _ended(last, status)


@contextmanager
def attempted(
    workspace: Workspace,
    config: Path,
    as_of: date | None,
    *,
    again: str,
    warn: LinePrinter,
    read_failure: Callable[[BaseException], Failure] = failure_of,
) -> Iterator[Attempt]:
    """Watch over a night in a block, and report how it ended; an error is passed on as it is.

    again: the command that starts it again. read_failure: what an error means, where it is not a signal's.
    """
    settings = workspace.settings
    of = Attempted(workspace.shop, workspace.nights, settings.alerts, config, again)
    attempt = Attempt(of, as_of, warn, _now())
    try:
        with limited(settings.time_limits, again) as deadlines, beating(workspace.heartbeat, _now) as heart:
            attempt.follow = all_of(deadlines, attempt.note, heart)
            with _last_act(attempt):
                yield attempt
    except BaseException as error:
        with cleaning_up():
            attempt.failed(_meaning(error, read_failure))
        raise
    attempt.ended()


def settings_of_night(
    config: Path, as_of: date | None, *, again: str, warn: LinePrinter, read: Callable[[], Settings]
) -> Settings:
    """Return the settings of a night that is to begin; a configuration that is refused is reported.

    read: reads them. Raises what it raises.
    """
    began_at = _now()
    try:
        settings = read()
    except MetacartError as error:
        failure = failure_of(error)
        last = _ended(LastAttempt(as_of, began_at, "the configuration"), failure.exit_status)
        report_refusal(config, failure, last, again, warn)
        raise
    resolve_refusal(config, warn)
    return settings


@contextmanager
def _last_act(attempt: Attempt) -> Iterator[None]:
    """Report the failure also of a process that can be stopped only by ending it."""
    stop = active()
    if stop is None:
        yield
        return
    stop.last_act = lambda: attempt.failed(failure_by(stop))
    try:
        yield
    finally:
        stop.last_act = None


def _meaning(error: BaseException, read_failure: Callable[[BaseException], Failure]) -> Failure:
    """Return what ended the attempt: the signal, where there was one, and not the error that it caused."""
    stop = active()
    return failure_by(stop) if stop is not None and stop.is_asked else read_failure(error)


def _ended(attempt: LastAttempt, status: int) -> LastAttempt:
    meaning = next((known.meaning for known in ExitStatus if known == status), None)
    return replace(attempt, ended_at=_now(), exit_status=int(status), meaning=meaning)


def _now() -> datetime:
    return datetime.now(UTC)
