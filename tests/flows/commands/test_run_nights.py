"""`metacart run` as a schedule calls it: retries, limits, failures that are reported, and missed nights."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from features.errors import ResourceError
from flows.commands.cli import execute
from flows.commands.run_nights import NightRunner
from flows.stages import night
from flows.stages.night import run_night
from flows.workspace import Workspace
from tests.flows.conftest import small_shop
from tests.flows.spend_shop import FIRST, spend_shop

ROOT = Path(__file__).parents[3]
LAST = FIRST + timedelta(days=59)
DAY = timedelta(days=1)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop")


def config_of(shop: Workspace) -> Path:
    return shop.settings.shop.logs / "metacart.toml"


def metacart(shop: Workspace, *arguments: str) -> int:
    return execute(["run", "--config", str(config_of(shop)), *arguments])


def published(shop: Workspace) -> list[str]:
    return [night.as_of.isoformat() for night in shop.nights.all()]


def words(shop: Workspace) -> str:
    return (shop.published / "last_failure.txt").read_text()


def freshness(shop: Workspace) -> dict:
    return json.loads((shop.published / "freshness.json").read_text())


def spoil(shop: Workspace) -> None:
    """Write a file of the next day that no night can use."""
    (config_of(shop).parent / "spend-b.csv").write_text("day,price\n2026-03-02,1\n")


def test_a_failed_night_is_reported_with_its_command_and_a_good_one_puts_it_away(shop, capsys):
    spoil(shop)
    assert metacart(shop) == 65
    sentence = capsys.readouterr().err.splitlines()[-1].removeprefix("metacart: ")
    assert sentence in words(shop)
    assert f"metacart run --config {config_of(shop)}" in words(shop)
    assert freshness(shop)["last_attempt"]["exit_status"] == 65
    (config_of(shop).parent / "spend-b.csv").unlink()
    assert metacart(shop) == 0
    assert not (shop.published / "last_failure.txt").exists()
    assert (freshness(shop)["as_of"], freshness(shop)["last_attempt"]["exit_status"]) == (str(LAST), 0)


def test_a_refused_day_is_reported_too(shop):
    assert metacart(shop, "--as-of", "2100-01-01") == 64
    assert "2100-01-01 is not over yet" in words(shop)
    assert published(shop) == []


def test_a_night_that_is_taken_back_is_no_longer_fresh(shop):
    assert metacart(shop) == 0
    run_id = freshness(shop)["run_id"]
    assert execute(["unpublish", run_id, "--config", str(config_of(shop))]) == 0
    assert freshness(shop)["run_id"] is None


def test_a_passing_fault_is_waited_for_and_the_night_goes_on_where_it_was(shop, monkeypatch, capsys):
    waits: list[float] = []
    decide = night.decide

    def fail_once(*arguments):
        if not waits:
            raise ResourceError("The disk is full.")
        decide(*arguments)

    monkeypatch.setattr(night, "decide", fail_once)
    NightRunner(shop, config_of(shop), log_json=False, sleep=waits.append).run(None)
    assert waits == [300.0]
    printed = capsys.readouterr().out
    assert "The disk is full. Try 1 of 1 more begins in 300 s" in printed
    assert "done by an earlier run of this night" in printed
    assert published(shop) == [str(LAST)]
    assert not (shop.published / "last_failure.txt").exists()


def test_no_retry_is_made_where_none_is_wanted(shop, monkeypatch):
    def fail(*_arguments):
        raise ResourceError("The disk is full.")

    monkeypatch.setattr("flows.stages.night.ingest", fail)
    monkeypatch.setenv("METACART_RETRIES__TIMES", "0")
    assert metacart(shop) == 73
    assert "The disk is full." in words(shop)


def test_missed_nights_are_made_up_the_oldest_first(shop, capsys):
    run_night(shop.settings, LAST - 3 * DAY)
    assert metacart(shop, "--catch-up") == 0
    begun = [line for line in capsys.readouterr().out.splitlines() if line.endswith("begins")]
    assert begun == [f"shop: the night of {LAST - n * DAY} begins" for n in (2, 1, 0)]
    assert published(shop) == [str(LAST - n * DAY) for n in (3, 2, 1, 0)]
    assert freshness(shop)["as_of"] == str(LAST)
    assert metacart(shop, "--catch-up", "--json") == 0
    printed = capsys.readouterr().out
    assert "missed nights: none" in printed
    assert printed.splitlines()[-1] == "null"


def test_catching_up_stops_at_the_first_night_that_fails_and_goes_on_there(shop, monkeypatch):
    run_night(shop.settings, LAST - 3 * DAY)
    decide = night.decide

    def fail_once(workspace, one):
        if one.as_of == LAST - DAY:
            raise PermissionError(13, "Permission denied")
        decide(workspace, one)

    monkeypatch.setenv("METACART_RETRIES__TIMES", "0")
    with monkeypatch.context() as patched:
        patched.setattr(night, "decide", fail_once)
        assert metacart(shop, "--catch-up") == 74
    assert published(shop) == [str(LAST - 3 * DAY), str(LAST - 2 * DAY)]
    assert f"the night of {LAST - DAY} has failed (74: " in words(shop)
    assert metacart(shop, "--catch-up") == 0
    assert published(shop) == [str(LAST - n * DAY) for n in (3, 2, 1, 0)]
    assert not (shop.published / "last_failure.txt").exists()


def test_more_missed_nights_than_the_bound_are_refused_and_reported(shop, capsys):
    run_night(shop.settings, LAST - 3 * DAY)
    assert metacart(shop, "--catch-up", "2") == 64
    assert "has missed 3 nights" in capsys.readouterr().err
    assert "has missed 3 nights" in words(shop)
    assert len(published(shop)) == 1


def test_a_dry_run_lists_missed_nights_and_writes_nothing(shop, capsys):
    run_night(shop.settings, LAST - 3 * DAY)
    with shop.locked():
        pass
    before = {path: path.stat().st_mtime_ns for path in shop.settings.paths.data.rglob("*") if path.is_file()}
    assert metacart(shop, "--catch-up", "100000", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert [line.strip() for line in printed.splitlines()][1:4] == [str(LAST - n * DAY) for n in (2, 1, 0)]
    assert "Nothing was loaded or written" in printed
    assert metacart(shop, "--catch-up", "--dry-run", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"shop": "shop", "missed": [str(LAST - n * DAY) for n in (2, 1, 0)], "is_certain": True}
    after = {path: path.stat().st_mtime_ns for path in shop.settings.paths.data.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    "options",
    [["--catch-up", "0"], ["--catch-up", "--as-of", "2026-01-05"], ["--catch-up", "--from", "2026-01-05"]],
)
def test_days_are_named_or_found_but_not_both(shop, capsys, options):
    assert metacart(shop, *options) == 64
    assert "--catch-up finds the days itself" in capsys.readouterr().err


IN_INGEST = """
import sys
import flows.stages.night
from features.warehouse.store import open_store
from flows.commands.cli import main

def ingest(workspace, as_of):
    with open_store(workspace.warehouse) as connection:
        print("in the query", flush=True)
        connection.execute(
            "SELECT sum(a.i * b.i % 7) FROM range(1000000) a(i), range(1000000) b(i)"
        ).fetchall()

flows.stages.night.ingest = ingest
main()
"""


def limit(config: Path, lines: str) -> None:
    config.write_text(config.read_text().replace("night_minutes = 360.0", f"night_minutes = 360.0\n{lines}"))


def started(script: str, config: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, "run", "--config", str(config)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_night_in_a_query_of_hours_is_stopped_with_124(shop):
    limit(config_of(shop), "ingest_minutes = 0.02")
    _, err = (process := started(IN_INGEST, config_of(shop))).communicate(timeout=300)
    assert process.returncode == 124, err
    sentence = "stopped after 0.02 minutes (time_limits.ingest_minutes) during ingest; what was done is kept"
    assert f"metacart: {sentence}" in err
    assert sentence in words(shop)
    assert freshness(shop)["last_attempt"]["exit_status"] == 124
    assert not shop.heartbeat.exists()
    assert {path.name for path in shop.warehouse.parent.iterdir()} == {"shop.duckdb", "shop.lock"}


def test_a_night_that_sigterm_ends_is_reported(shop):
    process = started(IN_INGEST, config_of(shop))
    try:
        assert process.stdout is not None
        while "in the query" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143, err
    assert "stopped by SIGTERM during ingest" in words(shop)
    assert freshness(shop)["last_attempt"]["exit_status"] == 143


@pytest.mark.slow
def test_learning_of_hours_is_stopped_with_124_and_what_was_done_is_kept(tmp_path):
    config = small_shop(tmp_path, **{"max_steps = 200": "max_steps = 100000000"})
    limit(config, "learn_minutes = 0.05")
    script = "from flows.commands.cli import main; main()"
    _, err = (process := started(script, config)).communicate(timeout=500)
    assert process.returncode == 124, err
    assert "(time_limits.learn_minutes) during learn" in err
    assert not list((tmp_path / "data" / "work").rglob("learn.done"))
    assert list((tmp_path / "data" / "work").rglob("ingest.done"))
