"""All processes below a process are found, and a process ends with its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.prefect_flows.process_tree import descendants, is_alive, send, wait_for

ROOT = Path(__file__).parents[3]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""
SLEEPS = "import time; time.sleep(600)"
# A child that ignores SIGTERM, of a process that leaves with its parent.
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
WITH_CHILD = f"""
from flows.prefect_flows.process_tree import leave_with_parent
import subprocess, sys, time
leave_with_parent()
subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True)
time.sleep(600)
"""
LEAVES = "from flows.prefect_flows.process_tree import leave_with_parent; leave_with_parent()\n" + SLEEPS


@contextmanager
def started(child: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a parent and its child; both have ended when the block ends."""
    command = [sys.executable, "-c", PARENT.format(child=child)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        try:
            yield parent, pid
        finally:
            send([pid, parent.pid], signal.SIGKILL)


def test_processes_below_are_found_in_sessions_of_their_own():
    with started(SLEEPS) as (parent, child):
        assert {parent.pid, child} <= set(descendants(os.getpid()))
        assert descendants(parent.pid) == [child]
    assert wait_for([child, parent.pid], 10.0) == []


def test_waiting_ends_with_those_that_still_run():
    with started(SLEEPS) as (parent, child):
        send([child], signal.SIGTERM)
        assert wait_for([child], 10.0) == []
        assert wait_for([parent.pid], 0.1) == [parent.pid]


def test_a_process_ends_when_its_parent_was_killed():
    with started(LEAVES) as (parent, child):
        time.sleep(1)
        assert is_alive(child)
        parent.kill()
        parent.wait(10)
        assert wait_for([child], 20.0) == []


def test_it_takes_all_below_with_it():
    with started(WITH_CHILD) as (parent, child):
        deadline = time.monotonic() + 30
        while not (below := descendants(child)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(below) == 1
        time.sleep(1)
        parent.kill()
        parent.wait(10)
        assert wait_for([child, *below], 20.0) == []
