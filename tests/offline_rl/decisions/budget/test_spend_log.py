"""What a day without a row means, and what is spent today."""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest

from offline_rl.decisions.budget.spend_log import SpendLog, read_spend_log
from offline_rl.decisions.budget_settings import BudgetSettings

FIRST = date(2026, 3, 2)  # a Monday
LAST = FIRST + timedelta(days=34)  # a Sunday

Active = Callable[[int], bool]


def always(_day: int) -> bool:
    return True


def read(cells: dict[str, tuple[str, Active]], *, spend: int = 1000, days: int = 35) -> SpendLog:
    """A log whose cells spend `spend` cents plus the day's number on their active days."""
    rows = [
        {
            "date": FIRST + timedelta(days=day),
            "campaign_id": name,
            "channel": channel,
            "segment_id": "all",
            "spend_cents": spend + day,
            "conversions": 1,
            "revenue_cents": 2 * spend,
        }
        for name, (channel, active) in cells.items()
        for day in range(days)
        if active(day)
    ]
    return read_spend_log(pl.DataFrame(rows), LAST, BudgetSettings())


def spend_of(first: int, last: int) -> float:
    return 1000 + (first + last) / 2


def test_a_channel_whose_log_ends_early_spends_what_its_own_last_week_spent() -> None:
    log = read({"a": ("search", always), "b": ("social", lambda day: day < 30)})
    assert log.days_late == [0, 5]
    assert log.current_cents.tolist() == [spend_of(28, 34), spend_of(23, 29)]
    assert log.active_share.tolist() == [1.0, 1.0]
    assert log.logged_until == [LAST, LAST - timedelta(days=5)]


def test_a_campaign_that_stopped_while_its_channel_went_on_spends_nothing() -> None:
    log = read({"a": ("search", always), "b": ("search", lambda day: day < 20)})
    assert log.days_late == [0, 0]
    assert log.current_cents[1] == 0
    assert log.last_spent == [LAST, FIRST + timedelta(days=19)]


def test_a_channel_that_is_silent_for_more_than_two_weeks_has_stopped() -> None:
    late = read({"a": ("search", always), "b": ("social", lambda day: day < 21)})
    stopped = read({"a": ("search", always), "b": ("social", lambda day: day < 20)})
    assert (late.days_late[1], late.current_cents[1]) == (14, spend_of(14, 20))
    assert (stopped.days_late[1], stopped.current_cents[1]) == (0, 0)


def test_a_channel_that_rests_on_weekends_is_not_late_on_a_sunday() -> None:
    log = read({"a": ("search", always), "b": ("social", lambda day: day % 7 < 5)})
    assert log.days_late == [0, 0]
    assert log.n_active.tolist() == [7, 5]
    assert log.current_cents[1] * 7 / 5 == pytest.approx(spend_of(28, 32), abs=1)


def test_a_channel_that_rests_on_weekends_is_late_when_it_lacks_a_friday() -> None:
    log = read({"a": ("search", always), "b": ("social", lambda day: day % 7 < 5 and day < 32)})
    assert log.days_late == [0, 3]
    days = [25, 28, 29, 30, 31]
    assert (log.n_active[1], log.n_current[1]) == (5, 7)
    assert log.current_cents[1] == pytest.approx(sum(1000 + day for day in days) / 7, abs=1)


def test_days_before_a_campaign_began_are_not_days_without_spend() -> None:
    log = read({"a": ("search", always), "b": ("search", lambda day: day >= 32)})
    assert log.current_cents[1] == spend_of(32, 34)
    assert (log.n_active[1], log.n_current[1]) == (3, 3)


def test_a_pause_inside_the_last_week_lowers_the_mean_and_not_the_day() -> None:
    log = read({"a": ("search", always), "b": ("search", lambda day: day not in (30, 31, 32))})
    assert (log.n_active[1], log.n_current[1]) == (4, 7)
    days = [28, 29, 33, 34]
    assert log.current_cents[1] == pytest.approx(sum(1000 + day for day in days) / 7, abs=1)


def test_the_total_is_what_the_shop_spends() -> None:
    log = read(dict.fromkeys("abc", ("search", always)))
    assert log.current_cents.sum() == 3 * spend_of(28, 34)


def test_days_on_which_nobody_logged_anything_are_no_days() -> None:
    log = read({"a": ("search", lambda day: day % 7 < 5)})
    assert len(log.days) == 25
    assert log.active_share.tolist() == [1.0]


def test_revenue_of_a_weekend_belongs_to_the_friday_before_and_none_is_lost() -> None:
    days = [FIRST + timedelta(days=day) for day in range(14)]
    rows = pl.DataFrame(
        {
            "date": days,
            "campaign_id": "a",
            "channel": "search",
            "segment_id": "all",
            "spend_cents": [0 if day.weekday() > 4 else 1000 for day in days],
            "conversions": 1,
            "revenue_cents": [500 if day.weekday() > 4 else 2000 for day in days],
        }
    )
    revenue = read_spend_log(rows, days[-1], BudgetSettings()).history.revenue[0]
    assert revenue[:7].tolist() == [2000, 2000, 2000, 2000, 3000, 0, 0]
    assert revenue.sum() == rows["revenue_cents"].sum()


def test_revenue_long_after_the_last_spend_is_not_piled_on_it() -> None:
    rows = pl.DataFrame(
        {
            "date": [FIRST + timedelta(days=day) for day in range(10)],
            "campaign_id": "a",
            "channel": "search",
            "segment_id": "all",
            "spend_cents": [1000] + [0] * 9,
            "conversions": 1,
            "revenue_cents": [2000] + [100] * 9,
        }
    )
    revenue = read_spend_log(rows, FIRST + timedelta(days=9), BudgetSettings()).history.revenue[0]
    assert revenue.tolist() == [2700, 0, 0, 0, 0, 0, 0, 0, 100, 100]
