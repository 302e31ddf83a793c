"""Retries: which faults may have passed in a minute, and how long to wait for that.

What is wrong with a configuration, a log or the code is wrong in a minute too, so that is not tried again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from features.errors import AccessError, BusyFileError, MetacartError, ResourceError
from features.machine_faults import machine_fault
from flows.attempts.failures import failure_of

Result = TypeVar("Result")


@dataclass(frozen=True)
class Wait:
    """How long to wait before a fault of some kind is tried again; why: what may have changed by then."""

    seconds: float
    why: str


WAITS: Mapping[type[MetacartError], Wait] = {
    ResourceError: Wait(300.0, "another program may have freed disk or memory"),
    AccessError: Wait(60.0, "a disk or a network folder may be back"),
    BusyFileError: Wait(60.0, "the other program may have closed the file"),
}
"""Kind of fault → the wait before its retry. Other faults are the same after any wait: so is a shop that
another night has locked, since that takes an hour."""


def wait_of(error: Exception) -> Wait | None:
    """Return the wait before what has failed is tried again; None where that would not help."""
    known = error if isinstance(error, MetacartError) else machine_fault(error)
    return next((wait for kind, wait in WAITS.items() if isinstance(known, kind)), None)


@dataclass(frozen=True)
class Retry:
    """A retry that is due: after which sentence, after what wait, and as which of how many."""

    after: str
    wait: Wait
    number: int
    times: int

    @property
    def line(self) -> str:
        """The retry as a line for a reader.

        >>> Retry("The disk is full.", Wait(60.0, "there may be room"), 1, 2).line
        'The disk is full. Try 1 of 2 more begins in 60 s: there may be room.'
        """
        return (
            f"{self.after} Try {self.number} of {self.times} more begins in "
            f"{self.wait.seconds:.0f} s: {self.wait.why}."
        )


def with_retries(
    attempt: Callable[[], Result],
    times: int,
    *,
    announce: Callable[[Retry], None],
    sleep: Callable[[float], None],
) -> Result:
    """Call a function, and again after a passing fault; return its result or raise its last error.

    times: largest number of further calls. announce: called before each wait. sleep: waits some seconds.
    """
    for number in range(1, times + 1):
        try:
            return attempt()
        except Exception as error:
            wait = wait_of(error)
            if wait is None:
                raise
            announce(Retry(failure_of(error).sentence, wait, number, times))
        sleep(wait.seconds)
    return attempt()
