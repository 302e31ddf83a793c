"""Rates, users and their repeats of a log, counted by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from features.rewards import Reward
from features.warehouse.build import build
from features.warehouse.traffic import LoggedPropensities, WindowSums, logged_traffic

Row = dict[str, object]
Put = Callable[..., None]


def shown(name: str, day: int, user: str | None, *, item: str = "shoe", slot: int = 1, p: float = 0.5) -> Row:
    return {
        "impression_id": name,
        "shown_at": f"2026-01-{day:02} 10:00Z",
        "item_id": item,
        "user_key": user,
        "session_id": f"{user} {day}",
        "surface": "home",
        "slot": slot,
        "propensity": p,
    }


def clicked(name: str, day: int, user: str | None) -> Row:
    return {
        "event_id": f"click {name}",
        "event_type": "click",
        "occurred_at": f"2026-01-{day:02} 10:01Z",
        "item_id": "shoe",
        "user_key": user,
        "session_id": f"{user} {day}",
        "impression_id": name,
    }


def bought(order: str, day: int, user: str) -> Row:
    return {
        "order_id": order,
        "line": 1,
        "ordered_at": f"2026-01-{day:02} 11:00Z",
        "user_key": user,
        "session_id": f"{user} {day}",
        "item_id": "shoe",
        "quantity": 1,
        "price_cents": 100,
        "currency_code": "EUR",
        "is_cancelled": False,
    }


def built(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    build(warehouse, as_of=date(2026, 1, 20), attribution_hours=24)
    return warehouse


def test_rounds_by_hand(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    """Ann comes on both days with two rounds each and clicks once a day, Bob once without a click.

    The rate is 2/5. On a day: ann² + ann² + bob² = 4 + 4 + 1 squares; her rewards are 1 − 0.8 beyond the
    rate on each day, his −0.4. In two days: 16 + 1 squares, and 2 − 1.6, −0.4.
    """
    put(
        "impressions",
        *(shown(f"a{day}{slot}", day, "ann", slot=slot) for day in (5, 6) for slot in (1, 2)),
        shown("b", 6, "bob", item="hat", p=0.25),
    )
    put("events", clicked("a51", 5, "ann"), clicked("a61", 6, "ann"))

    traffic = logged_traffic(built(warehouse), Reward.of("click"))

    assert traffic is not None
    assert (traffic.area, traffic.n_rounds, traffic.rewards, traffic.n_days) == ("recommendation", 5, 2.0, 2)
    assert traffic.has_users
    assert traffic.n_slots == 2
    # one item on the first day, shoe and hat on the second
    assert traffic.n_available == pytest.approx((1 + 1 + 2 + 2 + 2) / 5)
    day, both = traffic.windows
    assert day == WindowSums(1, 2, 3, 5, 9, pytest.approx(0.04 + 0.04 + 0.16))
    assert both == WindowSums(2, 1, 2, 5, 17, pytest.approx(0.16 + 0.16))


def test_propensities_say_what_uniform_items_earn(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    """Two items with propensities 0.8 and 0.2: weights 1/(2 · 0.8) = 0.625 and 2.5, the first is clicked."""
    put("impressions", shown("a", 5, "ann", p=0.8), shown("b", 5, "bob", item="hat", p=0.2))
    put("events", clicked("a", 5, "ann"))

    traffic = logged_traffic(built(warehouse), Reward.of("click"))

    assert traffic is not None
    assert traffic.propensities == LoggedPropensities(
        uniform_rate=pytest.approx(0.625 / 3.125),
        effective_rounds=pytest.approx(3.125**2 / (0.625**2 + 2.5**2)),
        second_moment=pytest.approx((1 / (2 * 0.64) + 1 / (2 * 0.04)) / 2),
    )


def test_users_who_are_not_known_are_one_for_each_round(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    put("impressions", *(shown(f"i{n}", 5, None) for n in range(3)))

    traffic = logged_traffic(built(warehouse), Reward.of("click"))

    assert traffic is not None
    assert not traffic.has_users
    assert traffic.windows[0].n_visitors == 3


def test_without_rounds_a_day_of_a_user_counts(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    view = {"event_type": "view", "impression_id": None}
    put(
        "events",
        clicked("x", 5, "ann") | view,
        clicked("y", 5, "bob") | view,
        clicked("z", 8, "ann") | view,
    )
    put("purchases", bought("1", 5, "ann"), bought("2", 5, "ann"))

    traffic = logged_traffic(built(warehouse), Reward.of("conversion"))

    assert traffic is not None
    assert (traffic.area, traffic.n_rounds, traffic.rewards, traffic.n_days) == (None, 3, 1.0, 4)
    assert (traffic.propensities, traffic.n_available, traffic.n_slots) == (None, None, None)
    assert [window.days for window in traffic.windows] == [1, 2, 4]


def test_money_is_planned_by_orders_and_says_how_much_more_it_varies(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    """Orders of 10 and 30 in five rounds: 136 / 8² for the money, (1 − 0.4) / 0.4 for the orders."""
    users = ("ann", "bob", "cat", "dan", "eve")
    put("impressions", *(shown(user, 5, user) for user in users))
    put("events", clicked("ann", 5, "ann"), clicked("bob", 5, "bob"))
    put(
        "purchases",
        bought("1", 5, "ann") | {"price_cents": 1000},
        bought("2", 5, "bob") | {"price_cents": 3000, "cost_cents": 3000},
    )
    connection = built(warehouse)
    found = {name: logged_traffic(connection, Reward.of(name)) for name in ("conversion", "revenue", "click")}

    assert found["revenue"] is not None
    assert found["revenue"].rounds_for_money == pytest.approx(136 / 64 / 1.5)
    assert replace(found["revenue"], rounds_for_money=None) == found["conversion"]
    assert found["click"] is not None
    assert found["click"].rounds_for_money is None


def test_an_empty_log_has_no_traffic(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert logged_traffic(built(warehouse), Reward.of("click")) is None
