"""Margin of attributed orders, and which rewards of money a log can't say; counted by hand."""

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from features.contracts.findings import finding
from features.errors import InputDataError
from features.rewards import Reward
from features.warehouse.build import build
from features.warehouse.earned_money import money_findings, refuse_unknown_money

Row = dict[str, object]
Put = Callable[..., None]


def seen(item: str) -> tuple[Row, Row]:
    """An impression of an item and its click, by ann."""
    shown = {"impression_id": item, "shown_at": "2026-01-01T10:00Z", "surface": "home", "slot": 1}
    click = {"event_id": f"click {item}", "event_type": "click", "occurred_at": "2026-01-01T10:01Z"}
    who = {"item_id": item, "user_key": "ann", "session_id": "s1"}
    return shown | who, click | who | {"impression_id": item}


def bought(item: str, price: int | None, cost: int | None = None, **more: object) -> Row:
    return {
        "order_id": f"order {item}",
        "line": 1,
        "ordered_at": "2026-01-01T11:00Z",
        "item_id": item,
        "user_key": "ann",
        "session_id": "s1",
        "quantity": 1,
        "price_cents": price,
        "cost_cents": cost,
        "currency_code": "EUR",
        "is_cancelled": False,
        **more,
    }


def built(
    warehouse: duckdb.DuckDBPyConnection, put: Put, orders: list[Row], items: list[Row]
) -> dict[str, tuple[int, int | None]]:
    """Return (revenue, margin) of each item's impression, in cents."""
    for item in {str(order["item_id"]) for order in orders}:
        impression, click = seen(item)
        put("impressions", impression)
        put("events", click)
    put("purchases", *orders)
    put("items", *items)
    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)
    rows = warehouse.execute("SELECT impression_id, revenue_cents, margin_cents FROM int_attributed_rewards")
    return {name: (revenue, margin) for name, revenue, margin in rows.fetchall()}


def cost(item: str, cents: int | None, currency: str | None = None) -> Row:
    return {"item_id": item, "cost_cents": cents, "currency_code": currency}


def test_the_cost_of_the_line_counts_before_that_of_the_item_and_the_usual_share(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    orders = [
        bought("shoe", 1000, 700, quantity=2),
        bought("hat", 500),
        bought("sock", 100),
        bought("gift", None),
    ]
    found = built(warehouse, put, orders, [cost("shoe", 1), cost("hat", 100)])

    # known: costs of 2 * 700 + 100 in prices of 2 * 1000 + 500, a share of 0.6
    assert found == {"shoe": (2000, 600), "hat": (500, 400), "sock": (100, 40), "gift": (0, 0)}
    assert money_findings(warehouse, Reward.of("margin")) == (
        finding("prices_missing", "purchases", n_without=1, n_lines=4),
        finding("costs_estimated", "purchases", n_without=1, n_lines=3),
    )
    assert [found.code for found in money_findings(warehouse, Reward.of("revenue"))] == ["prices_missing"]
    assert money_findings(warehouse, Reward.of("conversion")) == ()
    refuse_unknown_money(warehouse, Reward.of("margin"), "EUR")


def test_a_sale_below_cost_has_a_negative_margin_and_a_returned_piece_none(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    back = bought("shoe", 1000, order_id="back", ordered_at="2026-01-01T12:00Z", is_returned=True)
    orders = [bought("shoe", 1000, 1200, quantity=3), back, bought("hat", 500, 100, is_cancelled=True)]

    assert built(warehouse, put, orders, []) == {"shoe": (2000, -400), "hat": (0, 0)}


def test_without_any_cost_there_is_no_margin_and_the_night_says_so(
    warehouse: duckdb.DuckDBPyConnection, put: Put
) -> None:
    assert built(warehouse, put, [bought("shoe", 1000)], []) == {"shoe": (1000, None)}

    with pytest.raises(InputDataError, match=r"no cost is known of any of 1 bought lines\. Map cost_cents"):
        refuse_unknown_money(warehouse, Reward.of("margin"), "EUR")
    with pytest.raises(InputDataError, match="no cost is known"):
        refuse_unknown_money(warehouse, Reward.of("weighted", {"click": 1.0, "margin": 0.5}), "EUR")
    for name in ("click", "conversion", "revenue"):
        refuse_unknown_money(warehouse, Reward.of(name), "EUR")


@pytest.mark.parametrize(
    ("logs", "reward", "said"),
    [
        (
            ([bought("a", 9, 5), bought("b", 9), bought("c", 9)], []),
            "margin",
            "2 of 3 bought lines have no cost",
        ),
        (([bought("a", None)], []), "revenue", "none of 1 bought lines has a price"),
        (([bought("a", 9, currency_code="USD")], []), "revenue", "money in EUR .* purchases are in USD"),
        (
            ([bought("a", 9, 5), bought("b", 9, 5)], [cost("a", 5, "USD")]),
            "margin",
            "The items have costs in USD",
        ),
    ],
)
def test_money_that_the_log_does_not_know_is_refused(
    warehouse: duckdb.DuckDBPyConnection,
    put: Put,
    logs: tuple[list[Row], list[Row]],
    reward: str,
    said: str,
) -> None:
    built(warehouse, put, *logs)

    with pytest.raises(InputDataError, match=said):
        refuse_unknown_money(warehouse, Reward.of(reward), "EUR")


def test_a_cost_in_another_currency_is_not_subtracted(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    found = built(warehouse, put, [bought("a", 900), bought("b", 100, 50)], [cost("a", 5, "USD")])

    assert found["a"] == (900, 450)


def test_a_log_without_an_order_is_not_refused(warehouse: duckdb.DuckDBPyConnection, put: Put) -> None:
    built(warehouse, put, [], [])

    refuse_unknown_money(warehouse, Reward.of("margin"), "EUR")
