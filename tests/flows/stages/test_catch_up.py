"""Which nights were missed."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from features.errors import UsageError
from flows.stage_events import NightEvent, StageBegins, StageEnded
from flows.stages.catch_up import missed_days, newest_day_in_logs
from flows.stages.night import run_night
from flows.workspace import Workspace
from tests.flows.spend_shop import FIRST, spend_shop

LAST = FIRST + timedelta(days=59)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop")


def test_the_days_since_the_newest_published_night_are_missed(shop):
    run_night(shop.settings, LAST - timedelta(days=3))
    run_night(shop.settings, LAST - timedelta(days=9))
    assert missed_days(shop, LAST, 14) == [LAST - timedelta(days=n) for n in (2, 1, 0)]
    assert missed_days(shop, LAST - timedelta(days=3), 14) == []
    assert missed_days(shop, date(2000, 1, 1), 14) == []


def test_more_than_the_bound_are_refused_with_their_number(shop):
    run_night(shop.settings, LAST - timedelta(days=15))
    assert len(missed_days(shop, LAST, 15)) == 15
    with pytest.raises(UsageError, match=r"has missed 15 nights, .*: more than 14\. .*--catch-up 15"):
        missed_days(shop, LAST, 14)


def test_before_the_first_night_none_was_missed(shop):
    with pytest.raises(UsageError, match="no published night yet"):
        missed_days(shop, LAST, 14)


def test_the_logs_say_which_day_is_the_newest(shop):
    events: list[NightEvent] = []
    assert newest_day_in_logs(shop, events.append) == LAST
    assert [type(event) for event in events] == [StageBegins, StageEnded]
    assert shop.nights.all() == []
