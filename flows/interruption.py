"""Stopping by a signal or a time limit: within seconds, with a sentence, and with every file closed.

Python handles a signal between two of its own instructions, in the main thread. A long query or fit runs in
native code meanwhile, and DuckDB looks for signals itself but sometimes loses the exception. So a second
thread sends the signal again while the main thread stands at the same place, and interrupts its queries
if that does not help. A time limit sends a signal of its own to the main thread, and goes the same way.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import _GeneratorContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

import duckdb

from features.exit_statuses import ExitStatus

TIME_IS_UP = signal.SIGXCPU
"""What a time limit sends; SIGALRM is Prefect's."""

STOPPED_BY = (signal.SIGINT, signal.SIGTERM, TIME_IS_UP)

SECONDS_BETWEEN = 0.3
"""Between two signals to a main thread that does not move."""

INTERRUPT_QUERIES_AFTER = 1.0
INSIST_AFTER = 2.0
LEAVE_AFTER = 4.2
"""Seconds from the first signal, after which queries are interrupted, a main thread that moves is interrupted
too, and a process that is still there ends without cleaning up."""


class Stopped(KeyboardInterrupt):
    """The process was asked to stop."""


@dataclass(frozen=True)
class Limit:
    """A time limit that was reached: its key in [time_limits], and its minutes."""

    key: str
    minutes: float


@dataclass
class Stop:
    """What is being done, and the signal that ended it.

    doing: the stage or the command, for the sentence. keeps: whether a new start continues what was done.
    limit: the time limit that has sent the signal. last_act: called before a process that can't be stopped
    in any other way is ended.
    """

    doing: str = ""
    again: str = ""
    keeps: bool = True
    signum: int | None = None
    limit: Limit | None = None
    last_act: Callable[[], None] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a signal has arrived."""
        return self.signum is not None

    @property
    def exit_status(self) -> int:
        """The status of a process that was ended so: 130 by SIGINT, 143 by SIGTERM, 124 by a limit."""
        return ExitStatus.TIMED_OUT if self.signum == TIME_IS_UP else 128 + (self.signum or 0)

    @property
    def sentence(self) -> str:
        """The last words on standard error.

        >>> Stop("learn", "metacart run", signum=15).sentence
        'stopped by SIGTERM during learn; what was done is kept; start again with `metacart run`'
        >>> Stop("learn", "metacart run", signum=TIME_IS_UP, limit=Limit("learn_minutes", 90.0)).sentence
        'stopped after 90 minutes (time_limits.learn_minutes) during learn; what was done is kept; start again with `metacart run`, or raise the limit if the shop needs longer'
        """  # noqa: E501 - one line on standard error
        kept = "what was done is kept; " if self.keeps else ""
        ended = f"during {self.doing}; {kept}start again with `{self.again}`"
        if self.signum == TIME_IS_UP and self.limit is not None:
            after = f"after {self.limit.minutes:g} minutes (time_limits.{self.limit.key})"
            return f"stopped {after} {ended}, or raise the limit if the shop needs longer"
        name = signal.Signals(self.signum).name if self.signum else "a signal"
        return f"stopped by {name} {ended}"


_active: Stop | None = None


def active() -> Stop | None:
    """Return what signals stop at present; None outside a block of `stopping`."""
    return _active


def stop_at(limit: Limit) -> None:
    """Stop what is being done as a signal would; call it in a block of `stopping`, from any thread."""
    main = threading.main_thread().ident
    if main is not None and _active is not None:
        _active.limit = limit
        signal.pthread_kill(main, TIME_IS_UP)


def begin(doing: str) -> None:
    """Name what is being done from now on, for the last words of a process that is stopped."""
    if _active is not None:
        _active.doing = doing


def leave_at_once(stop: Stop) -> NoReturn:
    """End the process without cleaning up, with the last words and the status of a stop."""
    if stop.last_act is not None:
        stop.last_act()
    # Past all buffers: the main thread may have the lock of standard error.
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"metacart: {stop.sentence}\n".encode())
    os._exit(stop.exit_status)


_is_cleaning = threading.Event()


@contextmanager
def cleaning_up() -> Iterator[None]:
    """Send no further signals while the block cleans up after the first."""
    _is_cleaning.set()
    try:
        yield
    finally:
        _is_cleaning.clear()


_GENERATOR_EXIT = _GeneratorContextManager.__exit__.__code__


def _hands_over_an_error(frame: FrameType | None) -> bool:
    """Whether a context manager is about to hand an error to its generator.

    What is raised in that moment takes the place of the error and never reaches the generator, which would
    neither clean up nor say why the block has ended.
    """
    is_exit = frame is not None and frame.f_code is _GENERATOR_EXIT
    return is_exit and frame is not None and frame.f_locals.get("typ") is not None


@contextmanager
def stopping(stop: Stop, by: Collection[int] = STOPPED_BY) -> Iterator[Stop]:
    """Raise Stopped in the block on these signals; a process that can't be stopped so ends by itself.

    by: signals of STOPPED_BY; others keep their handlers.
    Outside the main thread, which alone gets signals, the block is run as it is.
    """
    global _active  # noqa: PLW0603 - signals belong to the process, and so does what they interrupt
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    outer, _active = _active, stop
    is_left = threading.Event()

    def handle(signum: int, frame: FrameType | None) -> None:
        stop.signum = signum
        # An error on its way out ends the block as well; a signal that is swallowed with it comes again.
        if not is_left.is_set() and not _hands_over_an_error(frame):
            raise Stopped

    def leave(signum: int) -> None:
        stop.signum = signum
        leave_at_once(stop)

    previous = {signum: signal.signal(signum, handle) for signum in by}
    try:
        with insisting(leave, by):
            try:
                yield stop
            finally:
                is_left.set()
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)
        _active = outer


@contextmanager
def insisting(
    leave: Callable[[int], None] | None = None, by: Collection[int] = STOPPED_BY
) -> Iterator["Watch"]:
    """Repeat a signal that arrives in the block until the main thread moves; its handler stays the same.

    leave: called with the signal if nothing helps; None to keep trying. by: the signals that are repeated.
    Yields the watch, which knows the signal that has arrived.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Watch()
        return
    heard, rung = socket.socketpair()
    rung.setblocking(False)
    previous = signal.set_wakeup_fd(rung.fileno(), warn_on_full_buffer=False)
    watch = Watch(heard, leave, by)
    thread = threading.Thread(target=watch.run, name="signals", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        signal.set_wakeup_fd(previous)
        rung.close()
        with suppress(Stopped):
            thread.join(1.0)
        heard.close()


@dataclass
class Watch:
    """The thread that watches what the main thread does after a signal; signum: the signal."""

    heard: socket.socket | None = None
    leave: Callable[[int], None] | None = None
    by: Collection[int] = STOPPED_BY
    signum: int | None = None
    is_over: threading.Event = field(default_factory=threading.Event)
    sending: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Wait for a signal, and then for the main thread."""
        while signum := self._next_signal():
            if signum in self.by:
                self.signum = signum
                self._insist(signum)
                return

    def end(self) -> None:
        """Send no signal from now on."""
        with self.sending:
            self.is_over.set()

    def _next_signal(self) -> int:
        if self.heard is None:
            return 0
        try:
            received = self.heard.recv(1)
        except OSError:
            return 0
        return received[0] if received else 0

    def _insist(self, signum: int) -> None:
        began, place = time.monotonic(), _place()
        while not self.is_over.wait(SECONDS_BETWEEN):
            passed = time.monotonic() - began
            before, place = place, _place()
            if _is_cleaning.is_set():
                continue
            if passed > LEAVE_AFTER and self.leave is not None:
                self.leave(signum)
            # A main thread that moves is on its way out, unless something has swallowed the exception.
            if before != place and passed < INSIST_AFTER:
                continue
            if passed > INTERRUPT_QUERIES_AFTER:
                _interrupt_queries()
            with self.sending:
                main = threading.main_thread().ident
                if main is not None and not self.is_over.is_set():
                    signal.pthread_kill(main, signum)


def _place() -> tuple[int, int]:
    """Return where the main thread stands: its innermost Python frame and the instruction there."""
    frame = _main_frame()
    return (id(frame), frame.f_lasti) if frame else (0, 0)


def _main_frame() -> FrameType | None:
    return sys._current_frames().get(threading.main_thread().ident or 0)


def _interrupt_queries() -> None:
    """Interrupt the queries of connections that the main thread holds in a local variable."""
    frame = _main_frame()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if isinstance(value, duckdb.DuckDBPyConnection):
                value.interrupt()
        frame = frame.f_back
