"""Checks of a shop, each on facts that are well and on facts that are not."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from features.exit_statuses import ExitStatus
from flows.attempts.heartbeat import Beat
from flows.health.clock import check_clock
from flows.health.configuration import check_variables
from flows.health.disk import check_folders, check_room
from flows.health.freshness import check_logs, check_night
from flows.health.heartbeat import STALE_AFTER, check_heartbeat
from flows.health.lock import check_lock, lock_state
from flows.health.secrecy import check_key, check_modes, modes_of

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
YESTERDAY = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("n_free", "level", "status"),
    [(300, "ok", 0), (299, "warning", 0), (100, "warning", 0), (99, "fault", ExitStatus.RESOURCES)],
)
def test_room_is_three_times_the_logs(tmp_path, n_free, level, status):
    check = check_room(tmp_path, n_free, n_logs=100)
    assert (check.level, check.exit_status) == (level, status)


def test_folders_are_tried_and_left_as_they_were(tmp_path):
    (tmp_path / "warehouse").mkdir()
    [check] = check_folders([tmp_path / "warehouse", tmp_path / "published" / "shop"])
    assert check.level == "ok"
    assert [path.name for path in tmp_path.rglob("*")] == ["warehouse"]


def test_a_folder_that_cant_be_written_is_a_fault(tmp_path, monkeypatch):
    def refuse(**_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    [check] = check_folders([tmp_path])
    assert (check.level, check.exit_status) == ("fault", ExitStatus.ACCESS)
    assert str(tmp_path) in check.found


def test_a_lock_is_never_made_or_held_by_looking(tmp_path):
    path = tmp_path / "shop.lock"
    assert check_lock(path, lock_state(path)).level == "ok"
    assert not path.exists()


def test_the_holder_of_a_lock_is_named_and_a_stale_file_is_harmless(tmp_path):
    path = tmp_path / "shop.lock"
    holder = """
import fcntl, os, sys
file = open(sys.argv[1], "a+")
fcntl.flock(file, fcntl.LOCK_EX)
file.write(f"process {os.getpid()} on here")
file.flush()
print("ready", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
        held = check_lock(path, lock_state(path))
        run.kill()
    assert (held.level, held.exit_status) == ("fault", ExitStatus.LOCKED)
    assert f"since 2026-02-01 12:00 UTC: process {run.pid} on here" in held.found
    stale = check_lock(path, lock_state(path))
    assert stale.level == "ok"
    assert f"process {run.pid} on here" in stale.found
    assert "harmless" in stale.found


def test_a_key_is_well_only_for_its_owner(tmp_path):
    path = tmp_path / "pseudonym.key"
    assert check_key(path, has_rows=False, environment={}).level == "ok"
    lost = check_key(path, has_rows=True, environment={})
    assert (lost.level, lost.exit_status) == ("fault", ExitStatus.USAGE)
    assert "restore the key" in lost.advice
    path.write_text("ab" * 32)
    path.chmod(0o600)
    well = check_key(path, has_rows=True, environment={})
    assert well.level == "ok"
    assert "ab" * 32 not in well.found
    path.chmod(0o640)
    opened = check_key(path, has_rows=True, environment={})
    assert opened.level == "fault"
    assert f"chmod 600 {path}" in opened.found


def test_a_key_in_the_environment_counts(tmp_path):
    variables = {"METACART_PSEUDONYM_KEY": "cd" * 32}
    check = check_key(tmp_path / "none", has_rows=True, environment=variables)
    assert check.level == "ok"
    assert "METACART_PSEUDONYM_KEY" in check.found


def test_modes_that_let_others_in_are_named_with_the_command(tmp_path):
    folder, file = tmp_path / "warehouse", tmp_path / "shop.duckdb"
    folder.mkdir(mode=0o700)
    file.touch(0o600)
    assert [check.level for check in check_modes(modes_of([folder, file]))] == ["ok"]
    folder.chmod(0o750)
    file.chmod(0o644)
    found = check_modes(modes_of([folder, file, tmp_path / "missing"]))
    assert [check.level for check in found] == ["warning", "warning"]
    assert f"chmod 700 {folder}" in found[0].advice
    assert f"chmod 600 {file}" in found[1].advice
    assert [check.level for check in check_modes({})] == ["ok"]


@pytest.mark.parametrize(
    ("ahead", "level", "status"),
    [
        (timedelta(minutes=-1), "ok", 0),
        (timedelta(minutes=4), "ok", 0),
        (timedelta(hours=2), "warning", 0),
        (timedelta(days=2), "fault", ExitStatus.INPUT),
    ],
)
def test_a_log_of_the_future_means_a_wrong_clock(ahead, level, status):
    check = check_clock(NOW, {"old.csv": NOW - timedelta(days=9), "new.csv": NOW + ahead})
    assert (check.level, check.exit_status) == (level, status)
    assert level == "ok" or "new.csv" in check.found


def test_without_logs_the_clock_is_well():
    assert check_clock(NOW, {}).level == "ok"


@pytest.mark.parametrize(
    ("newest_row", "newest_file", "level", "said"),
    [
        (None, YESTERDAY, "ok", "No logs were loaded yet"),
        (YESTERDAY, YESTERDAY, "ok", ""),
        (date(2026, 1, 30), date(2026, 1, 30), "warning", "1 day before yesterday"),
        (date(2026, 1, 20), date(2026, 1, 31), "warning", "11 days before yesterday"),
    ],
)
def test_old_logs_are_said(newest_row, newest_file, level, said):
    check = check_logs(YESTERDAY, newest_row, newest_file)
    assert check.level == level
    assert said in check.found


def test_an_old_night_is_said_and_a_lost_pointer_too():
    assert check_night(YESTERDAY, YESTERDAY, has_nights=True).level == "ok"
    assert check_night(YESTERDAY, None, has_nights=False).level == "ok"
    assert check_night(YESTERDAY, date(2026, 1, 29), has_nights=True).level == "warning"
    lost = check_night(YESTERDAY, None, has_nights=True)
    assert lost.level == "warning"
    assert "metacart verify" in lost.advice


def test_a_variable_that_nobody_reads_is_named():
    said = check_variables(["METACART_NIGHT__SEED", "METACART_NIGTH__SEED", "METACART_PSEUDONYM_KEY", "HOME"])
    assert [(check.level, "METACART_NIGTH__SEED" in check.found) for check in said] == [("warning", True)]


@pytest.mark.parametrize(
    ("age", "is_held", "level", "says"),
    [
        (STALE_AFTER, True, "ok", "learn"),
        (STALE_AFTER + timedelta(seconds=1), True, "warning", "It hangs"),
        (timedelta(0), False, "warning", "it was killed"),
        (timedelta(days=2), False, "warning", "it was killed"),
    ],
)
def test_a_heartbeat_that_stands_still_is_named(age, is_held, level, says):
    beat = Beat("learn", NOW - age, NOW - age - timedelta(hours=1), 4321, "shop-1")
    check = check_heartbeat(NOW, beat, is_held=is_held)
    assert check.level == level
    assert says in check.found
    assert "process 4321 on shop-1" in check.found
    assert bool(check.advice) == (level != "ok")


def test_without_a_heartbeat_no_night_is_on_its_way():
    assert check_heartbeat(NOW, None, is_held=False).level == "ok"
