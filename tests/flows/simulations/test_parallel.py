"""Jobs in parallel processes: their failures are reported, and no process outlives its caller."""

import multiprocessing
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.simulations import parallel
from flows.simulations.parallel import run_parallel

# Jobs are pickled by reference, and tests are not a package: the work is one of the library's own functions.
TOUCH = Path.touch
LONG = 600.0


@dataclass
class Waits:
    seconds: list[float]

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def test_every_job_is_done_and_a_failure_is_its_own(tmp_path):
    there, nowhere = tmp_path / "there", tmp_path / "no folder" / "file"
    ended = dict(run_parallel(TOUCH, [there, nowhere], 2, Waits([])))
    assert there.is_file()
    assert ended[there] is None
    assert isinstance(ended[nowhere], FileNotFoundError)


def test_processes_end_when_the_caller_stops(monkeypatch):
    monkeypatch.setattr(parallel, "SECONDS_BETWEEN_WORDS", 0.1)

    def stop(_seconds: float) -> None:
        if multiprocessing.active_children():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_parallel(time.sleep, [LONG, LONG, LONG], 2, stop))
    assert multiprocessing.active_children() == []


def test_a_long_wait_is_reported(monkeypatch):
    monkeypatch.setattr(parallel, "SECONDS_BETWEEN_WORDS", 0.1)
    waits = Waits([])
    assert [error for _, error in run_parallel(time.sleep, [1.0], 1, waits)] == [None]
    assert waits.seconds == sorted(waits.seconds)
    assert waits.seconds


def test_a_process_that_sigterm_does_not_end_is_gone_too(monkeypatch):
    monkeypatch.setattr(parallel, "SECONDS_TO_CLEAN_UP", 0.1)
    stuck = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(LONG,))
    stuck.start()
    monkeypatch.setattr(stuck, "terminate", lambda: None)
    monkeypatch.setattr(multiprocessing, "active_children", lambda: [stuck])
    parallel._end_processes()
    assert stuck.exitcode == -signal.SIGKILL
