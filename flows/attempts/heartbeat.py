"""A heartbeat: a small file that says in which stage a night is, and when it was last alive.

It is written at each event of the night and twice a minute, and removed when the night has ended, however it
did. So a file that is old belongs to a night that hangs, or that was killed with its process.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from features.errors import UsageError
from flows.file_modes import PRIVATE_FILE
from flows.json_files import read_record, write_record
from flows.stage_events import NightEvent, Says, StageBegins, StageEnded, StageFailed, StageSkipped

SECONDS_BETWEEN = 30.0


@dataclass(frozen=True)
class Beat:
    """A sign of life: the stage of the night, the time of the sign and of the night's begin, in UTC."""

    stage: str
    at: datetime
    began_at: datetime
    process: int
    host: str


@dataclass
class Heart:
    """Follows a night and writes its heartbeat; it beats from the first event on, when the shop is locked.

    clock: returns the present time in UTC.
    """

    path: Path
    clock: Callable[[], datetime]
    stage: str = ""
    began_at: datetime | None = None
    is_over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    writing: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: NightEvent) -> None:
        """Beat, in the stage of the event."""
        match event:
            case StageBegins(stage):
                self.stage = stage
            case StageEnded(stage, _) | StageSkipped(stage):
                self.stage = f"after {stage}"
            case StageFailed() | Says():
                pass
        if self.thread is None:
            self.began_at = self.clock()
            self.thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
            self.thread.start()
        self._beat()

    def end(self) -> None:
        """Beat no more, and remove the file."""
        if self.thread is None:
            return
        self.is_over.set()
        with self.writing:
            self.path.unlink(missing_ok=True)

    def _beat_on(self) -> None:
        while not self.is_over.wait(SECONDS_BETWEEN):
            self._beat()

    def _beat(self) -> None:
        now = self.clock()
        beat = Beat(self.stage, now, self.began_at or now, os.getpid(), socket.gethostname())
        # A night whose heartbeat can't be written goes on: whether the disk is full is its own to find.
        with self.writing, suppress(OSError):
            if not self.is_over.is_set():
                write_record(self.path, beat, PRIVATE_FILE)


@contextmanager
def beating(path: Path, clock: Callable[[], datetime]) -> Iterator[Heart]:
    """Yield the heart of a night, which has to follow it; the file is removed when the block ends."""
    heart = Heart(path, clock)
    try:
        yield heart
    finally:
        heart.end()


def last_beat(path: Path) -> Beat | None:
    """Return the last sign of life in a file; None where there is none, or where it is damaged."""
    if not path.is_file():
        return None
    with suppress(UsageError):
        return read_record(path, Beat)
    return None
