"""int_user_history, rows in and rows out: what was known at the moment of the decision."""

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from features.warehouse.build import build

Row = dict[str, object]
Put = Callable[..., None]

QUERY = (
    "SELECT round_id, n_views_before, n_clicks_before, n_purchases_before, days_since_last_visit "
    "FROM int_user_history ORDER BY round_id"
)


def shown(impression_id: str, at: str, user: str | None = "ann", session: str = "s3") -> Row:
    return {
        "impression_id": impression_id,
        "shown_at": f"2026-01-{at}Z",
        "user_key": user,
        "session_id": session,
        "surface": "home",
        "item_id": "shoe",
    }


def did(kind: str, at: str, user: str | None = "ann", session: str = "s1") -> Row:
    return {
        "event_id": f"{kind} {at}",
        "event_type": kind,
        "occurred_at": f"2026-01-{at}Z",
        "user_key": user,
        "session_id": session,
        "item_id": "shoe",
    }


def bought(at: str, user: str = "ann", session: str = "s2") -> Row:
    return {
        "order_id": at,
        "line": 1,
        "ordered_at": f"2026-01-{at}Z",
        "user_key": user,
        "session_id": session,
        "item_id": "shoe",
        "quantity": 1,
        "price_cents": 1,
        "currency_code": "EUR",
        "is_cancelled": False,
    }


def history(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)
    return warehouse.execute(QUERY).fetchall()


def past(put: Put) -> None:
    put(
        "events",
        did("view", "01T10:00"),
        did("view", "01T10:00:01"),
        did("click", "01T10:01"),
        did("add_to_cart", "01T10:02"),
        did("view", "02T09:00", user="bob"),
    )
    put("purchases", bought("03T22:00"))


def test_acts_before_the_round_are_counted(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    past(put)
    put("impressions", shown("i1", "05T10:00"))
    put("ad_impressions", {"ad_impression_id": "a1", "shown_at": "2026-01-05T22:00:00Z", "user_key": "ann"})

    # the visit of the ad is not logged, so that the one of the impression, twelve hours before, is its last
    assert history(warehouse) == [("a1", 2, 1, 1, 0.5), ("i1", 2, 1, 1, 1.5)]


def test_the_visit_of_the_round_is_not_its_own_past(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    past(put)
    put("events", did("view", "05T09:00", session="s3"))
    put("impressions", shown("i1", "05T10:00"))

    assert history(warehouse) == [("i1", 3, 1, 1, 1.5)]


def test_a_first_round_and_a_round_without_user_have_no_past(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    past(put)
    put(
        "impressions",
        shown("anonymous", "05T10:00", user=None, session="s1"),
        shown("carl", "05T10:00", user="carl"),
    )

    assert history(warehouse) == [("anonymous", 0, 0, 0, None), ("carl", 0, 0, 0, None)]


@pytest.mark.parametrize(
    "later", ["05T10:00", "05T10:00:00.000001", "09T10:00"], ids=["same moment", "next", "days"]
)
def test_what_comes_at_or_after_the_round_changes_nothing(
    warehouse: duckdb.DuckDBPyConnection, put: Put, later: str
) -> None:
    past(put)
    put("impressions", shown("i1", "05T10:00"))
    before = history(warehouse)

    put("events", did("view", later, session="s3"), did("click", later, session="s4"))
    put("purchases", bought(later, session="s5"))
    put("impressions", shown("i1", "05T10:00"), shown("i2", later, session="s6"))

    assert history(warehouse)[:1] == before
