"""Time limits of a night and of its stages: what takes too long is stopped as by a signal.

A thread looks at the clock. When a limit is reached, the main thread gets a signal of its own, which goes the
way of SIGTERM (`flows/interruption.py`): DuckDB's queries are interrupted, learning ends where it is, files
are closed, and a process that nothing reaches ends itself.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from features.errors import TimeLimitError
from flows.interruption import TIME_IS_UP, Limit, Stop, active, stop_at, stopping
from flows.operating_settings import TimeLimits
from flows.stage_events import NightEvent, StageBegins, StageEnded, StageFailed

SECONDS = 60.0

Clock = Callable[[], float]
"""Returns seconds of a clock that never goes back."""


@dataclass
class Deadlines:
    """When the limits of a night are reached; seconds are those of the clock.

    A follower of the night: the limit of a stage counts from its begin.
    """

    limits: TimeLimits
    clock: Clock
    night_ends: float = 0.0
    stage: Limit | None = None
    stage_ends: float = float("inf")

    def __post_init__(self) -> None:
        """Start the night's time."""
        self.night_ends = self.clock() + self.limits.night_minutes * SECONDS

    def __call__(self, event: NightEvent) -> None:
        """Start the time of a stage that begins, and end that of a stage that has ended."""
        match event:
            case StageBegins(stage):
                key = f"{stage}_minutes"
                minutes = getattr(self.limits, key)
                self.stage = None if minutes is None else Limit(key, minutes)
                self.stage_ends = float("inf") if minutes is None else self.clock() + minutes * SECONDS
            case StageEnded() | StageFailed():
                self.stage, self.stage_ends = None, float("inf")
            case _:
                pass

    @property
    def reached(self) -> Limit | None:
        """The limit that is reached; None while there is time."""
        now = self.clock()
        if self.stage is not None and now >= self.stage_ends:
            return self.stage
        if now >= self.night_ends:
            return Limit("night_minutes", self.limits.night_minutes)
        return None


@dataclass
class _Watchdog:
    deadlines: Deadlines
    seconds_between: float
    is_over: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Stop the night when it has reached a limit."""
        while not self.is_over.wait(self.seconds_between):
            limit = self.deadlines.reached
            if limit is not None:
                with self.stopping:
                    if not self.is_over.is_set():
                        stop_at(limit)
                return

    def end(self) -> None:
        """Stop nothing from now on."""
        with self.stopping:
            self.is_over.set()


@contextmanager
def limited(
    limits: TimeLimits, again: str, *, clock: Clock = time.monotonic, seconds_between: float = 0.5
) -> Iterator[Deadlines]:
    """Stop the block when a limit is reached; yields the deadlines, which have to follow its stages.

    again: the command that starts the night again. Where signals are not handled yet (in a flow run), the
    block raises TimeLimitError; in a command, it raises Stopped, and the command ends as after a signal.
    Only the main thread can be stopped: in another one, the block is run without limits.
    """
    deadlines = Deadlines(limits, clock)
    if threading.current_thread() is not threading.main_thread():
        yield deadlines
        return
    watchdog = _Watchdog(deadlines, seconds_between)
    thread = threading.Thread(target=watchdog.run, name="time limits", daemon=True)
    with _stoppable(again):
        thread.start()
        try:
            yield deadlines
        finally:
            watchdog.end()


@contextmanager
def _stoppable(again: str) -> Iterator[None]:
    """Make the block one that `stop_at` can stop."""
    if active() is not None:
        # A command, which handles the signal itself.
        yield
        return
    stop = Stop("the night", again)
    with stopping(stop, by=(TIME_IS_UP,)):
        try:
            yield
        except BaseException as error:
            # An interrupted query raises its own error: the limit is the cause, not what it broke.
            if not stop.is_asked or isinstance(error, TimeLimitError):
                raise
            raise TimeLimitError(f"{stop.sentence}.") from error
