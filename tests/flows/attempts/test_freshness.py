"""One file for a monitor: the newest published night, and the last attempt."""

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.attempts.freshness import FRESHNESS, LastAttempt, read_freshness, write_freshness
from flows.json_files import write_json
from flows.published_nights import MANIFEST, PublishedNights

ATTEMPT = LastAttempt(None, datetime(2026, 1, 29, 4, 15, tzinfo=UTC), "ingest")
RUN = "2026-01-28-0a1b2c3d"


@pytest.fixture
def nights(tmp_path: Path) -> PublishedNights:
    return PublishedNights(tmp_path / "published" / "shop")


def publish(nights: PublishedNights, run_id: str, seconds: float) -> None:
    fresh = nights.path / ".fresh"
    fresh.mkdir(parents=True)
    write_json(fresh / MANIFEST, {"run_id": run_id})
    os.utime(fresh / MANIFEST, (seconds, seconds))
    nights.point_to_newest(published=nights.place(fresh, run_id, {"run_id": run_id}))


def test_before_the_first_night_only_the_attempt_is_known(nights):
    write_freshness("shop", nights, ATTEMPT)
    content = json.loads((nights.path / FRESHNESS).read_text())
    assert content["shop"] == "shop"
    assert content["as_of"] is content["run_id"] is content["published_at"] is None
    assert content["last_attempt"]["stage"] == "ingest"
    assert content["last_attempt"]["exit_status"] is None
    assert stat.S_IMODE((nights.path / FRESHNESS).stat().st_mode) == 0o640
    assert stat.S_IMODE(nights.path.stat().st_mode) == 0o750


def test_it_names_the_night_that_counts_and_when_it_was_published(nights):
    publish(nights, RUN, 1_769_662_800.0)
    fresh = write_freshness("shop", nights, ATTEMPT)
    assert (fresh.as_of, fresh.run_id, fresh.folder) == (date(2026, 1, 28), RUN, RUN)
    assert fresh.published_at == datetime.fromtimestamp(1_769_662_800, UTC)
    assert read_freshness(nights) == fresh


def test_a_night_that_is_written_anew_by_an_erasure_is_not_published_anew(nights):
    publish(nights, RUN, 1_769_662_800.0)
    before = write_freshness("shop", nights, ATTEMPT)
    write_json(nights.path / RUN / MANIFEST, {"run_id": RUN, "erasures": []})
    assert write_freshness("shop", nights).published_at == before.published_at


def test_a_failed_attempt_does_not_change_the_night_that_counts(nights):
    publish(nights, RUN, 1_769_662_800.0)
    before = write_freshness("shop", nights, ATTEMPT)
    failed = replace(ATTEMPT, ended_at=ATTEMPT.began_at, exit_status=65, meaning="logs")
    after = write_freshness("shop", nights, failed)
    assert after == replace(before, last_attempt=failed)


def test_a_night_that_is_taken_back_is_no_longer_named(nights):
    publish(nights, RUN, 1_769_662_800.0)
    write_freshness("shop", nights, ATTEMPT)
    nights.withdraw(nights.all())
    after = write_freshness("shop", nights)
    assert after.as_of is None
    assert after.last_attempt == ATTEMPT


@pytest.mark.parametrize("content", ["", "[]", '{"as_of": 3}'])
def test_a_damaged_file_is_written_anew(nights, content):
    nights.path.mkdir(parents=True)
    (nights.path / FRESHNESS).write_text(content)
    assert read_freshness(nights) is None
    assert write_freshness("shop", nights, ATTEMPT).last_attempt == ATTEMPT
