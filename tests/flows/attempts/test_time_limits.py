"""Time limits stop queries, learning and native code, of a command and of a flow run."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from features.errors import TimeLimitError
from flows.attempts.time_limits import Deadlines, limited
from flows.interruption import TIME_IS_UP, Limit, Stop, Stopped, stopping
from flows.operating_settings import TimeLimits
from flows.stage_events import StageBegins, StageEnded, StageFailed

ROOT = Path(__file__).parents[3]


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_each_limit_counts_from_its_own_begin():
    clock = Clock()
    deadlines = Deadlines(TimeLimits(night_minutes=10, learn_minutes=3), clock)
    deadlines(StageBegins("ingest"))
    clock.seconds = 300
    deadlines(StageEnded("ingest", 300.0))
    deadlines(StageBegins("learn"))
    clock.seconds = 479
    assert deadlines.reached is None
    clock.seconds = 480
    assert deadlines.reached == Limit("learn_minutes", 3)
    deadlines(StageEnded("learn", 180.0))
    assert deadlines.reached is None
    clock.seconds = 600
    assert deadlines.reached == Limit("night_minutes", 10)


def test_the_wait_before_a_retry_is_not_of_the_stage():
    clock = Clock()
    deadlines = Deadlines(TimeLimits(ingest_minutes=1), clock)
    deadlines(StageBegins("ingest"))
    deadlines(StageFailed("ingest"))
    clock.seconds = 300
    assert deadlines.reached is None


def test_there_may_be_no_limit():
    clock = Clock()
    deadlines = Deadlines(TimeLimits(night_minutes=float("inf")), clock)
    clock.seconds = 1e12
    assert deadlines.reached is None


def wait_for_the_end() -> None:
    """Do what an hour of learning does: Python, again and again."""
    while True:
        sum(range(1000))


def test_a_flow_run_gets_an_error_with_the_sentence():
    clock = Clock()
    before = signal.getsignal(TIME_IS_UP)
    with (
        pytest.raises(
            TimeLimitError, match=r"stopped after 5 minutes \(time_limits.learn_minutes\)"
        ) as raised,
        limited(TimeLimits(learn_minutes=5), "the run", clock=clock, seconds_between=0.01) as deadlines,
    ):
        deadlines(StageBegins("learn"))
        clock.seconds = 300
        wait_for_the_end()
    assert "start again with `the run`, or raise the limit" in str(raised.value)
    assert raised.value.exit_status == 124
    assert signal.getsignal(TIME_IS_UP) == before


def test_a_command_is_stopped_as_by_a_signal():
    clock, stop = Clock(), Stop("learn", "metacart run")
    with (
        pytest.raises(Stopped),
        stopping(stop),
        limited(TimeLimits(night_minutes=5), "unused", clock=clock, seconds_between=0.01),
    ):
        clock.seconds = 300
        wait_for_the_end()
    assert stop.exit_status == 124
    assert stop.sentence.startswith("stopped after 5 minutes (time_limits.night_minutes) during learn")


def test_a_night_within_its_time_is_left_alone():
    with limited(TimeLimits(night_minutes=1), "the run", seconds_between=0.01) as deadlines:
        deadlines(StageBegins("learn"))
        sum(range(10_000_000))


def test_another_thread_runs_without_limits():
    ended: list[str] = []

    def run() -> None:
        clock = Clock()
        with limited(TimeLimits(night_minutes=1), "the run", clock=clock, seconds_between=0.01):
            clock.seconds = 1e9
            sum(range(1_000_000))
            ended.append("here")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended == ["here"]


QUERY = """
    import sys
    import duckdb
    from flows.operating_settings import TimeLimits
    from flows.attempts.time_limits import limited

    connection = duckdb.connect(sys.argv[1])
    connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    try:
        with limited(TimeLimits(night_minutes=0.02), "metacart run"):
            connection.execute(
                "SELECT sum(a.i * b.i % 7) FROM range(1000000) a(i), range(1000000) b(i)"
            ).fetchall()
    except Exception as error:
        print(type(error).__name__, error)
    finally:
        connection.close()
"""

# A call in native code that looks for no signals.
NATIVE = """
    import hashlib
    from flows.operating_settings import TimeLimits
    from flows.attempts.time_limits import limited

    with limited(TimeLimits(night_minutes=0.02), "metacart run"):
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2_000_000_000)
"""


def ended(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script that would take hours."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_query_of_hours_is_interrupted_and_its_database_closed(tmp_path):
    run = ended(QUERY, str(tmp_path / "shop.duckdb"))
    assert run.stdout.startswith("TimeLimitError stopped after 0.02 minutes"), run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["shop.duckdb"]


def test_a_call_that_nothing_reaches_ends_the_process_with_124():
    run = ended(NATIVE)
    assert run.returncode == 124, run.stderr
    assert "metacart: stopped after 0.02 minutes (time_limits.night_minutes)" in run.stderr
