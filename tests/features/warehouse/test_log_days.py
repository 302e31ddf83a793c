from collections.abc import Callable
from datetime import UTC, date, datetime

import duckdb

from features.warehouse.log_days import first_and_last_day, row_counts

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
