"""A heartbeat names the stage and the time, and is gone when the night has ended."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from flows.attempts import heartbeat
from flows.attempts.heartbeat import beating, last_beat
from flows.stage_events import Says, StageBegins, StageEnded, StageFailed, StageSkipped

START = datetime(2026, 1, 29, 4, 15, tzinfo=UTC)


class Clock:
    """A clock that goes on a second with each look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def test_each_event_is_a_sign_of_life_in_its_stage(tmp_path):
    path = tmp_path / "heartbeat.json"
    with beating(path, Clock()) as heart:
        assert last_beat(path) is None, "before the first event, another run may have the shop"
        seen = []
        for event, stage in [
            (StageBegins("ingest"), "ingest"),
            (StageEnded("ingest", 1.0), "after ingest"),
            (StageSkipped("learn"), "after learn"),
            (StageBegins("evaluate"), "evaluate"),
            (Says("a line"), "evaluate"),
            (StageFailed("evaluate"), "evaluate"),
        ]:
            heart(event)
            beat = last_beat(path)
            assert beat is not None
            assert beat.stage == stage
            seen.append(beat.at)
        assert seen == sorted(set(seen))
        assert beat.began_at <= seen[0]
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


def test_it_beats_by_itself_in_a_long_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "SECONDS_BETWEEN", 0.01)
    path = tmp_path / "heartbeat.json"
    with beating(path, Clock()) as heart:
        heart(StageBegins("learn"))
        first = last_beat(path)
        assert first is not None
        while (beat := last_beat(path)) is None or beat.at == first.at:
            time.sleep(0.01)
        assert beat.stage == "learn"


def test_it_is_removed_when_the_night_fails(tmp_path):
    path = tmp_path / "heartbeat.json"
    with pytest.raises(KeyError), beating(path, Clock()) as heart:
        heart(StageBegins("learn"))
        raise KeyError
    assert not path.exists()


def test_a_night_whose_heartbeat_can_not_be_written_goes_on(tmp_path):
    with beating(tmp_path / "nowhere" / "heartbeat.json", Clock()) as heart:
        heart(StageBegins("ingest"))


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"stage": "learn"})])
def test_a_damaged_file_is_no_sign_of_life(tmp_path, content):
    path = tmp_path / "heartbeat.json"
    path.write_text(content)
    assert last_beat(path) is None
