"""Visits faster than any person enter no table and are named; a session of many people is not one."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest

from features.warehouse.build import build
from features.warehouse.quality import data_quality
from reports.wording.sentences import say, say_rule

START = datetime(2026, 1, 5, 10, tzinfo=UTC)
MANIFEST = (
    "INSERT INTO load_manifest (load_number, source_name, file_sha256, n_bytes, n_lines, n_loaded, "
    "n_rejected, logs, key_id, contract_version) VALUES (1, 'shown.csv', '', 0, 9, 9, 0, [], '', '')"
)

Row = dict[str, object]
Connection = duckdb.DuckDBPyConnection


def visit(session: str | None, n: int, seconds: float, user: str | None = None) -> list[Row]:
    """One item shown at a time, at a steady interval in seconds."""
    return [
        {
            "impression_id": f"{session} {user} {number}",
            "shown_at": START + timedelta(seconds=seconds * number),
            "session_id": session,
            "user_key": user,
            "item_id": "shoe",
            "surface": "home",
            "slot": 1,
        }
        for number in range(n)
    ]


def people() -> list[Row]:
    return [row for number in range(40) for row in visit(f"person {number}", 40, 20)]


def people_again(times: int) -> list[Row]:
    return [
        row | {"impression_id": f"{row['impression_id']} {time}", "session_id": f"{row['session_id']} {time}"}
        for time in range(times)
        for row in people()
    ]


def shifted(rows: list[Row]) -> list[Row]:
    """The same rows under other ids, a day later."""
    return [
        row
        | {"impression_id": f"later {row['impression_id']}", "shown_at": START + timedelta(days=1, seconds=n)}
        for n, row in enumerate(rows)
    ]


def staged(warehouse: Connection) -> set[str | None]:
    warehouse.execute(MANIFEST)
    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)
    found = warehouse.execute("SELECT DISTINCT coalesce(session_id, user_key) FROM stg_impressions")
    return {name for (name,) in found.fetchall()}


@pytest.mark.parametrize(("session", "user"), [("crawler", None), (None, "crawler")])
def test_a_visit_at_a_robots_rate_is_left_out_and_named(
    warehouse: Connection, put: Callable[..., None], session: str | None, user: str | None
) -> None:
    put("impressions", *people(), *visit(session, 200, 1, user))

    found = staged(warehouse)

    assert len(found) == 40
    assert "crawler" not in found
    [said] = data_quality(warehouse, "night", say, say_rule).filter(
        pl.col("reason_codes").str.contains("robots")
    )["reason"]
    assert said == (
        "visits at the rate of robots: 1, with 200 acts in five minutes at most; their rows: 200; "
        "they enter no table"
    )


@pytest.mark.slow
def test_a_rush_of_guests_who_share_a_session_leaves_nobody_out(
    warehouse: Connection, put: Callable[..., None]
) -> None:
    slow = visit("guest", 400, 60)
    put("impressions", *people(), *people_again(4), *slow, *shifted(visit("guest", 200, 1)))

    assert "guest" in staged(warehouse)


def test_a_day_without_a_clock_is_not_a_rush(warehouse: Connection, put: Callable[..., None]) -> None:
    viewed = [
        {
            "event_id": f"view {number}",
            "occurred_at": START,
            "session_id": "fan",
            "item_id": f"item {number}",
            "event_type": "view",
        }
        for number in range(200)
    ]
    put("impressions", *people())
    put("events", *viewed)
    warehouse.execute(MANIFEST)

    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)

    assert warehouse.execute("SELECT count(*) FROM stg_events").fetchone() == (200,)


def test_the_items_of_one_page_are_one_act(warehouse: Connection, put: Callable[..., None]) -> None:
    put("impressions", *people(), *visit("catalog page", 300, 0))

    assert "catalog page" in staged(warehouse)


def test_sessions_that_are_not_visits_leave_nobody_out(
    warehouse: Connection, put: Callable[..., None]
) -> None:
    put("impressions", *visit("everybody", 2000, 0.5))

    assert staged(warehouse) == {"everybody"}
    [said] = data_quality(warehouse, "night", say, say_rule).filter(
        pl.col("reason_codes").str.contains("robots")
    )["reason"]
    assert "they hold 100% of all rows, too many for robots, and are kept" in said
