"""User history, rows in and rows out: what was known at the moment of the decision."""

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from features.warehouse.build import build

Row = dict[str, object]
Put = Callable[..., None]

QUERY = (
    "SELECT round_id, n_views_before, n_clicks_before, n_purchases_before, days_since_last_visit "
    "FROM fct_rounds ORDER BY round_id"
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


def did(kind: str, at: str, user: str | None = "ann", session: str | None = "s1") -> Row:
    return {
        "event_id": f"{kind} {at}",
        "event_type": kind,
        "occurred_at": f"2026-01-{at}Z",
        "user_key": user,
        "session_id": session,
        "item_id": "shoe",
    }


def bought(at: str, user: str = "ann", session: str | None = "s2") -> Row:
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


def test_the_last_seven_days_begin_with_the_same_moment_a_week_before(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    put(
        "events",
        did("view", "03T10:00"),
        did("view", "02T23:59"),
        did("click", "03T10:00:00.000001"),
        did("add_to_cart", "01T10:00"),
    )
    put("purchases", bought("09T10:00"), bought("01T10:00"))
    put("impressions", shown("i1", "10T10:00"))
    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)

    assert warehouse.execute(
        "SELECT n_views_before, n_views_last_7_days, n_clicks_last_7_days, n_carts_before, "
        "n_carts_last_7_days, n_purchases_before, n_purchases_last_7_days FROM fct_rounds"
    ).fetchall() == [(2, 1, 1, 1, 0, 2, 1)]


def test_spend_and_recency_tell_of_orders_and_clicks(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    past(put)
    put("purchases", {**bought("03T10:00"), "price_cents": 250, "quantity": 2, "is_cancelled": True})
    put("impressions", shown("i1", "05T10:01"), shown("i2", "04T22:00", user="bob"))
    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)

    # an order that was cancelled later had been placed all the same
    assert warehouse.execute(
        "SELECT n_purchases_before, spend_cents_before, n_carts_before, days_since_last_click, "
        "days_since_last_purchase FROM fct_rounds ORDER BY round_id"
    ).fetchall() == [(2, 501, 1, 4.0, pytest.approx(36 / 24 + 1 / 1440)), (0, 0, 0, None, None)]


def test_a_slate_is_one_moment_of_a_visit(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    put(
        "impressions",
        *(shown(f"first {slot}", "05T10:00", user=None) for slot in range(3)),
        *(shown(f"second {slot}", "05T10:01", user=None) for slot in range(3)),
        shown("another visit", "05T10:02", session="s4"),
    )
    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)

    rows = warehouse.execute(
        "SELECT n_rounds_in_session_before FROM fct_rounds ORDER BY decided_at, round_id"
    ).fetchall()
    assert [depth for (depth,) in rows] == [0, 0, 0, 3, 3, 3, 0]


def test_a_snapshot_knows_what_followed_the_last_round(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    put("impressions", shown("i1", "05T12:00"))
    put("events", did("click", "05T12:01", session="s3"), did("view", "04T12:00", user="carl"))
    build(warehouse, as_of=date(2026, 1, 6), attribution_hours=24)

    assert warehouse.execute(
        "SELECT user_key, n_views_before, n_clicks_before, days_since_last_visit FROM fct_user_snapshots"
    ).fetchall() == [("ann", 0, 1, 1.5), ("carl", 1, 0, 2.5)]


def test_the_visit_of_the_round_is_not_its_own_past(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    past(put)
    put("events", did("view", "05T09:00", session="s3"))
    put("impressions", shown("i1", "05T10:00"))

    assert history(warehouse) == [("i1", 3, 1, 1, 1.5)]


def test_an_act_without_a_session_is_a_visit_of_its_own(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    order = bought("04T10:00", session=None)
    put("events", did("view", "01T10:00", session=None), did("view", "03T22:00", session=None))
    put("purchases", order, {**order, "line": 2})
    # while the visit of the rounds goes on, no other can have been the last before it
    put("events", did("click", "05T10:30", session=None), load_number=2)
    put("impressions", shown("i1", "05T10:00"), shown("i2", "05T11:00"))
    put("ad_impressions", {"ad_impression_id": "a1", "shown_at": "2026-01-05T22:30:00Z", "user_key": "ann"})

    assert history(warehouse) == [
        ("a1", 2, 1, 2, 0.5),
        ("i1", 2, 0, 2, 1.0),
        ("i2", 2, 1, 2, pytest.approx(25 / 24)),
    ]
    # the two lines of the order are one moment, and so one visit
    visits = warehouse.execute(
        "SELECT session_id, strftime(began_at AT TIME ZONE 'UTC', '%dT%H:%M') FROM int_visits "
        "ORDER BY began_at"
    ).fetchall()
    assert visits == [
        (None, "01T10:00"),
        (None, "03T22:00"),
        (None, "04T10:00"),
        ("s3", "05T10:00"),
        (None, "05T10:30"),
    ]


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
    put("events", did("add_to_cart", later, session=None), load_number=2)
    put("purchases", bought(later, session="s5"))
    put("impressions", shown("i2", later, session="s6"), load_number=2)

    assert history(warehouse)[:1] == before
