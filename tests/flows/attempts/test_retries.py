"""Which faults are tried again, after how long, and which are not."""

import errno

import pytest

from features.errors import (
    AccessError,
    BusyFileError,
    InputDataError,
    LockedError,
    MetacartError,
    ResourceError,
    TimeLimitError,
    UsageError,
)
from flows.attempts.retries import Retry, wait_of, with_retries


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 300.0),
        (MemoryError(), 300.0),
        (ResourceError("The disk is full."), 300.0),
        (OSError(errno.EIO, "Input/output error"), 60.0),
        (AccessError("It can't be read."), 60.0),
        (BusyFileError("Another process has it open."), 60.0),
    ],
)
def test_a_fault_that_may_pass_is_waited_for(fault, seconds):
    wait = wait_of(fault)
    assert wait is not None
    assert wait.seconds == seconds


@pytest.mark.parametrize(
    "fault",
    [
        UsageError("A key is wrong."),
        InputDataError("A column is missing."),
        LockedError("Another run is in progress."),
        TimeLimitError("It took too long."),
        MetacartError("A contract is broken."),
        ValueError("a bug"),
    ],
)
def test_a_fault_that_stays_is_not_tried_again(fault):
    waits: list[float] = []

    def fail() -> None:
        raise fault

    with pytest.raises(type(fault)):
        with_retries(fail, 3, announce=lambda _retry: None, sleep=waits.append)
    assert waits == []


def failing(times: int, fault: Exception):
    left = iter([fault] * times)

    def attempt() -> str:
        for error in left:
            raise error
        return "done"

    return attempt


def test_it_succeeds_when_the_fault_has_passed():
    waits: list[float] = []
    announced: list[Retry] = []
    done = with_retries(
        failing(2, ResourceError("The disk is full.")), 2, announce=announced.append, sleep=waits.append
    )
    assert (done, waits) == ("done", [300.0, 300.0])
    assert [(retry.number, retry.times) for retry in announced] == [(1, 2), (2, 2)]
    assert announced[0].line.startswith("The disk is full. Try 1 of 2 more begins in 300 s: ")


@pytest.mark.parametrize("times", [0, 1])
def test_the_last_fault_is_raised(times):
    waits: list[float] = []
    with pytest.raises(ResourceError):
        with_retries(
            failing(2, ResourceError("The disk is full.")),
            times,
            announce=lambda _retry: None,
            sleep=waits.append,
        )
    assert len(waits) == times


def test_a_signal_is_never_tried_again():
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_retries(stop, 3, announce=lambda _retry: None, sleep=lambda _seconds: None)
