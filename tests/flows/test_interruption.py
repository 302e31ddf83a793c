"""Signals end a process within seconds, wherever it is, with a sentence and without an open log of DuckDB."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

QUERY = """
    import sys
    from pathlib import Path
    import duckdb
    from flows.interruption import Stop, stopping

    stop = Stop("learn", "metacart run")
    connection = duckdb.connect(sys.argv[1])
    connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    try:
        with stopping(stop):
            print("ready", flush=True)
            connection.execute(
                "SELECT sum(a.i * b.i % 7) FROM range(1000000) a(i), range(1000000) b(i)"
            ).fetchall()
    except BaseException as error:
        assert stop.is_asked, error
        print(stop.sentence)
        sys.exit(stop.exit_status)
    finally:
        connection.close()
"""

# A call in native code that looks for no signals.
NATIVE = """
    import hashlib
    from flows.interruption import Stop, stopping

    with stopping(Stop("learn", "metacart run")):
        print("ready", flush=True)
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2_000_000_000)
"""

SWALLOWED = """
    import sys, time
    from flows.interruption import Stop, Stopped, stopping

    lost = []
    with stopping(Stop("learn", "metacart run")) as stop:
        print("ready", flush=True)
        while len(lost) < 2:
            try:
                time.sleep(600)
            except Stopped:
                lost.append(1)
    sys.exit(stop.exit_status)
"""


def stopped(script: str, signum: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script, send it a signal when it is ready, and return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # What the script does now takes minutes; the signal is to find it there.
        time.sleep(1)
        process.send_signal(signum)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_long_query_is_stopped_and_its_database_closed(tmp_path, signum, status):
    ended = stopped(QUERY, signum, str(tmp_path / "shop.duckdb"))
    assert ended.returncode == status, ended.stderr
    assert f"stopped by {signal.Signals(signum).name} during learn; what was done is kept" in ended.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["shop.duckdb"]


def test_a_call_that_no_exception_reaches_ends_the_process_with_a_sentence():
    ended = stopped(NATIVE, signal.SIGTERM)
    assert ended.returncode == 143, ended.stderr
    assert "metacart: stopped by SIGTERM during learn" in ended.stderr


def test_an_exception_that_is_lost_is_raised_again():
    assert stopped(SWALLOWED, signal.SIGTERM).returncode == 143


SWALLOWED_AND_ON = """
    import contextlib, time
    from flows.interruption import Stop, Stopped, stopping

    with stopping(Stop("learn", "metacart run")):
        print("ready", flush=True)
        while True:
            with contextlib.suppress(Stopped):
                while True:
                    sum(range(10_000))
"""


def test_a_process_that_goes_on_regardless_is_ended():
    ended = stopped(SWALLOWED_AND_ON, signal.SIGTERM)
    assert ended.returncode == 143, ended.stderr
    assert "metacart: stopped by SIGTERM during learn" in ended.stderr
