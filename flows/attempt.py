"""An attempt at a night: kept alive, within its time, and known to others however it ends.

While it runs it has a heartbeat and its time limits, and `freshness.json` says that it runs. When it has
failed, that file says how, and the failure is reported (`flows/failed_attempt.py`).
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from features.exit_statuses import ExitStatus
from flows.failed_attempt import Attempted, note_success, report_failure
from flows.failures import Failure, failure_by, failure_of
from flows.freshness import LastAttempt, write_freshness
from flows.heartbeat import beating
from flows.interruption import active, cleaning_up
from flows.progress import LinePrinter
from flows.stage_events import Follower, NightEvent, Says, StageBegins, StageEnded, StageSkipped, all_of
from flows.time_limits import limited
from flows.workspace import Workspace

N_LINES = 20
"""Last lines of a night that an alert repeats."""


@dataclass
class Attempt:
    """One attempt at a night; it has to follow the night.

    as_of: the date that was asked for; None for the newest day in the logs. warn: prints a line about what
    could not be reported.
    """

    workspace: Workspace
    of: Attempted
    as_of: date | None
    warn: LinePrinter
    began_at: datetime
    follow: Follower = field(init=False)
    stage: str = "the start"
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
            case StageSkipped(stage):
                self._add(f"{stage} was done by an earlier run of this night")
            case Says(line):
                self._add(line)
        if not self.is_known:
            self.is_known = True
            write_freshness(self.of.shop, self.of.nights, self._last())

    def succeeded(self, folder: Path) -> None:
        """Report that the night is published in a folder."""
        self.stage = "the end"
        note_success(self.of, folder, self._last(ExitStatus.DONE), self.warn)

    def failed(self, failure: Failure) -> None:
        """Report a failure, once."""
        if self.is_reported:
            return
        self.is_reported = True
        report_failure(self.of, failure, self._last(failure.exit_status), tuple(self.lines), self.warn)

    def _add(self, line: str) -> None:
        self.lines.append(f"{_now():%H:%M:%S}  {line}")

    def _last(self, status: int | None = None) -> LastAttempt:
        if status is None:
            return LastAttempt(self.as_of, self.began_at, self.stage)
        meaning = next((known.meaning for known in ExitStatus if known == status), "")
        return LastAttempt(self.as_of, self.began_at, self.stage, _now(), int(status), meaning)


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
    attempt = Attempt(workspace, of, as_of, warn, _now())
    try:
        with limited(settings.time_limits, again) as deadlines, beating(workspace.heartbeat, _now) as heart:
            attempt.follow = all_of(deadlines, attempt.note, heart)
            with _last_act(attempt):
                yield attempt
    except BaseException as error:
        with cleaning_up():
            attempt.failed(_meaning(error, read_failure))
        raise


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


def _now() -> datetime:
    return datetime.now(UTC)
