"""Jobs in parallel processes that end with their parent and within seconds of a signal.

Spawned processes import the code at their start, so later changes on disk don't reach them.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from typing import TypeVar

from flows.interruption import cleaning_up
from offline_rl.device import limit_threads

Job = TypeVar("Job")

SECONDS_BETWEEN_WORDS = 60.0
"""Between two lines while no job ends, so that a long wait does not look like a standstill."""

SECONDS_TO_CLEAN_UP = 1.5


def run_parallel(
    work: Callable[[Job], None], todo: Sequence[Job], processes: int, waiting: Callable[[float], None]
) -> Iterator[tuple[Job, BaseException | None]]:
    """Run jobs in processes of one thread each; yield every job when it has ended, with its failure if any.

    waiting: called with the seconds since the start, once a minute.
    A signal, or a caller that stops reading, ends the processes: they get SIGTERM and remove their temporary
    folders, and those that still run after 1.5 s are killed.
    """
    began = time.monotonic()
    pool = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_process
    )
    try:
        started = {pool.submit(_run, work, job): job for job in todo}
        running = set(started)
        while running:
            ended, running = wait(running, SECONDS_BETWEEN_WORDS, FIRST_COMPLETED)
            if not ended:
                waiting(time.monotonic() - began)
            for future in ended:
                yield started[future], future.exception()
        pool.shutdown()
    except BaseException:
        with cleaning_up():
            # First the processes: while they run, the pool waits for them. Its thread waits for them as well,
            # so only after it has ended are they gone for everybody.
            _end_processes()
            pool.shutdown(cancel_futures=True)
        raise


def _begin_process() -> None:
    """Limit computing to one thread, leave Ctrl-C to the parent, and end when the parent has ended."""
    limit_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _run(work: Callable[[Job], None], job: Job) -> None:
    try:
        work(job)
    except SystemExit as asked:
        # The pool would go on with the next job.
        os._exit(asked.code if isinstance(asked.code, int) else 1)


def _leave(signum: int, _frame: object) -> None:
    raise SystemExit(128 + signum)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _end_processes() -> None:
    children = multiprocessing.active_children()
    for child in children:
        child.terminate()
    deadline = time.monotonic() + SECONDS_TO_CLEAN_UP
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
    for child in children:
        if child.is_alive():
            child.kill()
            child.join()
