from collections.abc import Callable
from datetime import UTC, date, datetime

import duckdb
import pytest

from features.warehouse.log_days import (
    days_between,
    first_and_last_day,
    last_day_with_rewards,
    row_counts,
)

Put = Callable[..., None]


def test_days_are_those_of_all_dated_logs_in_utc(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    put("events", {"occurred_at": datetime(2026, 1, 5, 23, 59, tzinfo=UTC)})
    put("ad_spend_daily", {"date": date(2026, 1, 2)})
    put("items", {"item_id": "shoe"})

    assert first_and_last_day(warehouse, "raw") == (date(2026, 1, 2), date(2026, 1, 5))


def test_a_catalog_alone_has_no_day(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    put("items", {"item_id": "shoe"})

    assert first_and_last_day(warehouse, "raw") is None


def test_rows_are_counted_for_dated_logs_only(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    put("items", {"item_id": "shoe"})
    put("purchases", {"order_id": "a", "ordered_at": datetime(2026, 1, 5, tzinfo=UTC)})

    counts = row_counts(warehouse, "raw")

    assert counts["purchases"] == 1
    assert counts["events"] == 0
    assert "items" not in counts


@pytest.mark.parametrize(
    ("shown_at", "hours", "last"),
    [
        (["2026-01-05T09:00:00Z"], 24, date(2026, 1, 6)),
        (["2026-01-05T00:00:00Z"], 24, date(2026, 1, 6)),
        (["2026-01-05T00:00:01Z", "2026-01-05T00:00:01Z"], 24, date(2026, 1, 6)),
        (["2026-01-05T09:00:00Z", "2026-01-04T09:00:00Z"], 72, date(2026, 1, 8)),
        (["2026-01-05T09:00:00Z"], 0.5, date(2026, 1, 5)),
        (["2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z"], 24, date(2026, 1, 5)),
        ([], 24, date(2026, 1, 5)),
    ],
)
def test_rounds_without_times_have_their_rewards_on_the_day_on_which_the_last_may_come(
    warehouse: duckdb.DuckDBPyConnection,
    put: Put,
    shown_at: list[str],
    hours: float,
    last: date,
) -> None:
    put("impressions", *({"impression_id": f"i{n}", "shown_at": at} for n, at in enumerate(shown_at)))

    assert last_day_with_rewards(warehouse, date(2026, 1, 5), hours) == last


def test_one_log_with_times_is_enough_for_the_last_day_to_stay(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    put("impressions", {"impression_id": "i", "shown_at": "2026-01-05T09:00:00Z"})
    put("ad_impressions", *({"shown_at": f"2026-01-05T0{hour}:00:00Z"} for hour in range(3)))

    assert last_day_with_rewards(warehouse, date(2026, 1, 5), 24) == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("days", "gap"),
    [
        ([1, 8, 15, 22, 29], 7),
        ([1, 1, 2, 3, 4], 1),
        ([1, 2, 3, 4, 25], 1),
        ([5, 6, 7, 8, 9, 12, 13], 1),
        ([1, 8, 15], None),
        ([], None),
    ],
)
def test_the_usual_step_from_day_to_day_shows_a_log_of_weeks(
    warehouse: duckdb.DuckDBPyConnection, put: Put, days: list[int], gap: int | None
) -> None:
    put("ad_spend_daily", *({"date": date(2026, 1, day)} for day in days), load_number=4)
    put("ad_spend_daily", *({"date": date(2026, 3, day)} for day in range(1, 9)), load_number=5)

    assert days_between(warehouse, "ad_spend_daily", 4) == gap
