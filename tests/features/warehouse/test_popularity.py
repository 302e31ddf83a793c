"""Item popularity and price position, rows in and numbers out; the half-life is two weeks."""

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from features.warehouse.build import build
from features.warehouse.popularity import read_popularity

Put = Callable[..., None]
Connection = duckdb.DuckDBPyConnection


def shown(impression_id: str, at: str, item: str = "hat", surface: str = "home") -> dict[str, object]:
    return {
        "impression_id": impression_id,
        "shown_at": f"2026-01-{at}Z",
        "session_id": "s1",
        "surface": surface,
        "item_id": item,
    }


def clicked(impression_id: str, at: str) -> dict[str, object]:
    return {
        "event_id": f"{impression_id} {at}",
        "occurred_at": f"2026-01-{at}Z",
        "session_id": "s1",
        "item_id": "hat",
        "event_type": "click",
        "impression_id": impression_id,
    }


def run(warehouse: Connection) -> None:
    build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)


def popularity(warehouse: Connection, known_date: date) -> list[tuple[object, ...]]:
    run(warehouse)
    return warehouse.execute(
        "SELECT surface, item_id, decayed_impressions, decayed_clicks FROM int_item_popularity "
        "WHERE domain = 'recommendation' AND known_date = ? ORDER BY ALL",
        [known_date],
    ).fetchall()


def test_impressions_and_clicks_fade_by_half_in_two_weeks(warehouse: Connection, put: Put) -> None:
    put(
        "impressions",
        shown("i1", "01T10:00"),
        shown("i2", "15T10:00"),
        shown("i3", "15T10:00", surface="cart"),
    )
    # the second click of an impression on a day says nothing new; the third came on another day
    put("events", clicked("i1", "01T10:01"), clicked("i1", "01T10:02"), clicked("i2", "16T00:00"))

    assert popularity(warehouse, date(2026, 1, 15)) == [("cart", "hat", 1.0, 0.0), ("home", "hat", 1.5, 0.5)]
    found = popularity(warehouse, date(2026, 1, 16))
    assert found == [("home", "hat", pytest.approx(1.5 * 2 ** (-1 / 14)), pytest.approx(1 + 2 ** (-15 / 14)))]


def test_a_day_knows_the_days_before_it(warehouse: Connection, put: Put) -> None:
    put(
        "impressions",
        shown("i1", "01T10:00"),
        shown("i2", "15T10:00"),
        shown("i3", "15T10:00", surface="cart"),
    )
    run(warehouse)

    def n_lately_shown(known_date: date) -> list[float]:
        return read_popularity(warehouse, "recommendation", known_date)["n_lately_shown"].to_list()

    assert n_lately_shown(date(2026, 1, 1)) == []
    assert n_lately_shown(date(2026, 1, 2)) == [1.0]
    assert n_lately_shown(date(2026, 1, 15)) == pytest.approx([2 ** (-13 / 14)])
    assert n_lately_shown(date(2026, 1, 16)) == pytest.approx([2.5])


def test_a_click_rate_leans_on_that_of_all_items(warehouse: Connection, put: Put) -> None:
    put("impressions", *(shown(f"hat {n}", "30T10:00") for n in range(50)))
    put("impressions", *(shown(f"cap {n}", "30T10:00", "cap") for n in range(50)), load_number=2)
    put("events", *(clicked(f"hat {n}", "30T11:00") for n in range(20)))
    run(warehouse)

    rates = read_popularity(warehouse, "recommendation", date(2026, 1, 31)).select(
        "item_id", "lately_clicked_share"
    )
    # 20 of 100 rounds were clicked: (0 + 100 * 0.2) / (50 + 100) and (20 + 100 * 0.2) / (50 + 100)
    assert rates.rows() == [("cap", pytest.approx(20 / 150)), ("hat", pytest.approx(40 / 150))]


def test_the_click_of_an_ad_is_known_when_its_window_has_closed(warehouse: Connection, put: Put) -> None:
    ad = {
        "ad_impression_id": "a1",
        "shown_at": "2026-01-10T10:00:00Z",
        "channel": "search",
        "is_clicked": True,
    }
    put("ad_impressions", {**ad, "creative_id": "snow"})
    run(warehouse)

    rows = warehouse.execute(
        "SELECT known_date, decayed_clicks FROM int_item_popularity WHERE domain = 'advertising' ORDER BY ALL"
    ).fetchall()
    assert rows == [(date(2026, 1, 10), 0.0), (date(2026, 1, 11), 1.0)]


def test_a_price_has_its_place_in_its_category(warehouse: Connection, put: Put) -> None:
    put(
        "items",
        *(
            {"item_id": name, "category": category, "price_cents": cents}
            for name, category, cents in [
                ("a", "head", 100),
                ("b", "head", 200),
                ("c", "head", 200),
                ("d", "head", 900),
                ("e", "feet", 500),
                ("f", "feet", None),
            ]
        ),
    )
    run(warehouse)

    rows = warehouse.execute("SELECT item_id, price_position FROM dim_items ORDER BY item_id").fetchall()
    assert rows == [("a", 0.0), ("b", 0.5), ("c", 0.5), ("d", 1.0), ("e", 0.5), ("f", None)]
