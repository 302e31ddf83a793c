"""int_attributed_rewards, rows in and rows out; the window is 24 hours."""

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from features.warehouse.build import build

Row = dict[str, object]


@pytest.fixture
def rewards(
    warehouse: duckdb.DuckDBPyConnection, put: Callable[..., None]
) -> Callable[..., list[tuple[object, ...]]]:
    def attribute(
        impressions: list[Row], events: list[Row], purchases: list[Row]
    ) -> list[tuple[object, ...]]:
        put("impressions", *impressions)
        put("events", *events)
        put("purchases", *purchases)
        build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)
        return warehouse.execute(
            "SELECT * EXCLUDE (margin_cents) FROM int_attributed_rewards ORDER BY impression_id"
        ).fetchall()

    return attribute


def shown(
    impression_id: str, at: str, item: str = "shoe", user: str | None = "ann", session: str = "s1"
) -> Row:
    return {
        "impression_id": impression_id,
        "shown_at": f"2026-01-{at}Z",
        "item_id": item,
        "user_key": user,
        "session_id": session,
        "surface": "home",
        "slot": 1,
    }


def did(
    kind: str,
    at: str,
    impression_id: str | None = None,
    *,
    item: str = "shoe",
    user: str | None = "ann",
    session: str = "s1",
) -> Row:
    return {
        "event_id": f"{kind} {at} {impression_id}",
        "event_type": kind,
        "occurred_at": f"2026-01-{at}Z",
        "item_id": item,
        "user_key": user,
        "session_id": session,
        "impression_id": impression_id,
    }


def bought(
    at: str,
    *,
    item: str = "shoe",
    user: str | None = "ann",
    session: str = "s1",
    cents: int = 500,
    quantity: int = 1,
    is_cancelled: bool = False,
    is_returned: bool | None = None,
) -> Row:
    return {
        "order_id": f"order {at}",
        "line": 1,
        "ordered_at": f"2026-01-{at}Z",
        "item_id": item,
        "user_key": user,
        "session_id": session,
        "quantity": quantity,
        "price_cents": cents,
        "currency_code": "EUR",
        "is_cancelled": is_cancelled,
        "is_returned": is_returned,
    }


Rewards = Callable[..., list[tuple[object, ...]]]


def test_a_click_names_its_impression(rewards: Rewards) -> None:
    impressions = [shown("i1", "01T10:00"), shown("i2", "01T10:00", item="hat")]

    assert rewards(impressions, [did("click", "01T10:00", "i1"), did("view", "01T10:01", "i2")], []) == [
        ("i1", True, False, False, 0),
        ("i2", False, False, False, 0),
    ]


def test_a_click_counts_to_the_end_of_the_window_and_not_before_its_impression(rewards: Rewards) -> None:
    impressions = [shown(name, "02T10:00") for name in ("after", "before", "last")]
    clicks = [
        did("click", "03T10:00:00.000001", "after"),
        did("click", "02T09:59", "before"),
        did("click", "03T10:00", "last"),
    ]

    assert [(row[0], row[1]) for row in rewards(impressions, clicks, [])] == [
        ("after", False),
        ("before", False),
        ("last", True),
    ]


def test_an_order_counts_after_a_click_on_the_same_item(rewards: Rewards) -> None:
    impressions = [shown("clicked", "01T10:00"), shown("seen", "01T10:00", item="hat")]
    orders = [bought("01T11:00", quantity=3), bought("01T12:00", item="hat")]

    assert rewards(impressions, [did("click", "01T10:05", "clicked")], orders) == [
        ("clicked", True, False, True, 1500),
        ("seen", False, False, False, 0),
    ]


@pytest.mark.parametrize(
    "order",
    [
        bought("01T10:04"),
        bought("02T10:01"),
        bought("01T11:00", item="hat"),
        bought("01T11:00", user="bob", session="s2"),
        bought("01T11:00", is_cancelled=True),
    ],
    ids=["before the click", "after the window", "another item", "another user", "cancelled"],
)
def test_an_order_that_is_not_owed_to_the_click(rewards: Rewards, order: Row) -> None:
    impressions, clicks = [shown("i1", "01T10:00")], [did("click", "01T10:05", "i1")]

    assert rewards(impressions, clicks, [order]) == [("i1", True, False, False, 0)]


@pytest.mark.parametrize(
    "order",
    [bought("01T11:00", user="ann", session="s2"), bought("01T11:00", user="ann", session="s1")],
    ids=["same user on another visit", "same visit"],
)
def test_users_and_visits_both_connect(rewards: Rewards, order: Row) -> None:
    impressions, clicks = [shown("i1", "01T10:00")], [did("click", "01T10:05", "i1")]

    assert rewards(impressions, clicks, [order]) == [("i1", True, False, True, 500)]


def test_a_visitor_who_signs_in_to_buy_is_known_by_the_visit(rewards: Rewards) -> None:
    impressions = [shown("i1", "01T10:00", user=None)]
    clicks = [did("click", "01T10:05", "i1", user=None)]

    assert rewards(impressions, clicks, [bought("01T11:00", user="ann")]) == [("i1", True, False, True, 500)]


def test_an_order_is_credited_once_to_the_last_click(rewards: Rewards) -> None:
    impressions = [shown("first", "01T10:00"), shown("second", "01T11:00"), shown("third", "01T12:00")]
    clicks = [
        did("click", "01T10:05", "first"),
        did("click", "01T11:05", "second"),
        did("click", "01T13:00", "third"),
    ]

    assert [(row[0], row[4]) for row in rewards(impressions, clicks, [bought("01T12:30")])] == [
        ("first", 0),
        ("second", 500),
        ("third", 0),
    ]


def test_a_cart_counts_like_an_order_without_revenue(rewards: Rewards) -> None:
    events = [did("click", "01T10:05", "i1"), did("add_to_cart", "01T10:06")]

    assert rewards([shown("i1", "01T10:00")], events, []) == [("i1", True, True, False, 0)]


def test_a_cancelled_order_takes_back_no_other_order(rewards: Rewards) -> None:
    orders = [bought("01T11:00"), bought("01T12:00", is_cancelled=True)]

    [row] = rewards([shown("i1", "01T10:00")], [did("click", "01T10:01", "i1")], orders)

    assert row[3:] == (True, 500)


CLICK = [did("click", "01T10:01", "i1")]


@pytest.mark.parametrize(
    ("returned", "n_returned", "expected"),
    [
        ("01T20:00", 2, (False, 0)),
        ("01T20:00", 1, (True, 500)),
        ("01T20:00", 9, (False, 0)),
        # after the window of the impression, at 10:00 of the next day, the reward stands
        ("02T11:00", 2, (True, 1000)),
    ],
)
def test_a_return_inside_the_window_takes_its_pieces_back(
    rewards: Rewards, returned: str, n_returned: int, expected: tuple[bool, int]
) -> None:
    orders = [bought("01T11:00", quantity=2), bought(returned, quantity=n_returned, is_returned=True)]

    [row] = rewards([shown("i1", "01T10:00")], CLICK, orders)

    assert row[3:] == expected


@pytest.mark.parametrize(
    "other", [{"item": "hat"}, {"user": "bob", "session": "s1"}, {"user": None, "session": "s2"}]
)
def test_a_return_of_another_item_or_buyer_takes_nothing_back(
    rewards: Rewards, other: dict[str, str]
) -> None:
    orders = [bought("01T11:00"), bought("01T12:00", is_returned=True, **other)]

    [row] = rewards([shown("i1", "01T10:00")], CLICK, orders)

    assert row[3:] == (True, 500)


@pytest.mark.parametrize(
    ("returns", "kept"),
    [
        ([("01T14:00", 1)], [True, False]),
        ([("01T14:00", 2)], [False, False]),
        ([("01T14:00", 1), ("01T15:00", 1)], [False, False]),
        # what was not bought yet can't be given back
        ([("01T12:30", 1)], [False, True]),
        ([("01T12:30", 1), ("01T14:00", 1)], [False, False]),
    ],
)
def test_pieces_of_several_orders_go_back_the_last_one_first(
    rewards: Rewards, returns: list[tuple[str, int]], kept: list[bool]
) -> None:
    impressions = [shown("i1", "01T10:00"), shown("i2", "01T12:40")]
    clicks = [*CLICK, did("click", "01T12:41", "i2")]
    orders = [bought("01T11:00"), bought("01T13:00")]
    back = [bought(at, quantity=pieces, is_returned=True) for at, pieces in returns]

    assert [row[3] for row in rewards(impressions, clicks, [*orders, *back])] == kept


def test_a_guest_returns_by_the_session(rewards: Rewards) -> None:
    guest = {"user": None}
    orders = [bought("01T11:00", **guest), bought("01T12:00", is_returned=True, **guest)]

    [row] = rewards([shown("i1", "01T10:00", user=None)], [did("click", "01T10:01", "i1", user=None)], orders)

    assert row[3:] == (False, 0)
