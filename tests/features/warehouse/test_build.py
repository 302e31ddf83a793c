import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from features.errors import InputDataError, MetacartError
from features.warehouse.build import build
from features.warehouse.models import in_order, read_model, read_models
from features.warehouse.store import SQL

Put = Callable[..., None]
Connection = duckdb.DuckDBPyConnection

NIGHT = date(2026, 1, 5)

IMPRESSION = {
    "impression_id": "i1",
    "shown_at": "2026-01-05T10:00:00Z",
    "user_key": "ann",
    "session_id": "s1",
    "surface": "home",
    "slot": 1,
    "item_id": "shoe",
    "propensity": 0.5,
    "policy_version": "v1",
}
AD = {
    "ad_impression_id": "a1",
    "shown_at": "2026-01-05T11:00:00Z",
    "user_key": "ann",
    "campaign_id": "winter",
    "channel": "search",
    "creative_id": "snow",
    "cost_cents": 7,
    "propensity": 0.25,
    "is_clicked": True,
    "conversions": 2,
    "conversion_value_cents": 900,
}


def run(warehouse: Connection, as_of: date = NIGHT) -> dict[str, int]:
    return build(warehouse, as_of=as_of, attribution_hours=24)


def tables(warehouse: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        model.name: warehouse.execute(f"FROM {model.name} ORDER BY ALL").fetchall() for model in read_models()
    }


@pytest.mark.parametrize("file", sorted(SQL.rglob("*.sql")), ids=lambda file: file.stem)
def test_the_head_of_a_model_says_what_it_is(file: Path) -> None:
    head = [line for line in file.read_text().splitlines() if line.startswith("-- ")]

    assert head[0].startswith(f"-- {file.stem}: ")
    assert [line.split(":")[0] for line in head[1:4]] == ["-- grain", "-- reads", "-- units"]


@pytest.mark.parametrize("model", read_models(), ids=lambda model: model.name)
def test_a_model_reads_what_it_says(model: object) -> None:
    used = set(re.findall(r"\b(?:FROM|JOIN)\s+((?:raw|stg|int|dim|fct)_\w+|load_manifest)", model.query))

    assert used == set(model.reads)


@pytest.mark.parametrize("model", read_models(), ids=lambda model: model.name)
def test_no_key_occurs_twice_and_none_is_null(warehouse: Connection, put: Put, model: object) -> None:
    fill(put)
    run(warehouse)
    grain = re.search(r"^-- grain: (.+)$", model.query, re.MULTILINE)
    assert grain is not None

    repeated = warehouse.execute(
        f"SELECT {grain[1]} FROM {model.name} GROUP BY ALL HAVING count(*) > 1 OR ({grain[1]}) IS NULL"
    ).fetchall()

    assert repeated == []


def fill(put: Put) -> None:
    put(
        "impressions",
        IMPRESSION,
        {**IMPRESSION, "impression_id": "i2", "item_id": "hat", "slot": 2},
        IMPRESSION,
    )
    put(
        "events",
        {
            "event_id": "e1",
            "occurred_at": "2026-01-05T10:01:00Z",
            "user_key": "ann",
            "session_id": "s1",
            "item_id": "shoe",
            "event_type": "click",
            "impression_id": "i1",
        },
    )
    put(
        "purchases",
        {
            "order_id": "o1",
            "line": 1,
            "ordered_at": "2026-01-05T10:05:00Z",
            "user_key": "ann",
            "session_id": "s1",
            "item_id": "shoe",
            "quantity": 2,
            "price_cents": 300,
            "currency_code": "EUR",
            "is_cancelled": False,
        },
    )
    put("ad_impressions", AD, AD)
    put(
        "ad_spend_daily",
        {
            "date": NIGHT,
            "campaign_id": "winter",
            "channel": "search",
            "segment_id": "all",
            "impressions": 9,
            "clicks": 1,
            "spend_cents": 7,
            "conversions": 1,
            "revenue_cents": 300,
        },
    )
    put("items", {"item_id": "shoe", "category": "feet"}, {"item_id": "shoe", "category": "shoes"})
    put("users", {"user_key": "ann", "region": "north"}, {"user_key": "bob"})
    put("candidate_sets", {"candidate_set_id": "c1", "item_id": "sock"})


def test_a_round_carries_its_reward_and_its_decision(warehouse: Connection, put: Put) -> None:
    fill(put)

    assert run(warehouse)["fct_rounds"] == 3
    rows = warehouse.execute(
        "SELECT domain, round_id, surface, slot, action_id, campaign_id, propensity, is_clicked, "
        "is_converted, revenue_cents, cost_cents, decided_date FROM fct_rounds"
    ).fetchall()
    assert rows == [
        ("advertising", "a1", "search", 1, "snow", "winter", 0.25, True, True, 900, 7, NIGHT),
        ("recommendation", "i1", "home", 1, "shoe", None, 0.5, True, True, 600, 0, NIGHT),
        ("recommendation", "i2", "home", 2, "hat", None, 0.5, False, False, 0, 0, NIGHT),
    ]


def test_dimensions_hold_what_the_logs_know_beyond_the_catalog(warehouse: Connection, put: Put) -> None:
    fill(put)
    run(warehouse)

    items = warehouse.execute("SELECT item_id, is_in_catalog, category FROM dim_items").fetchall()
    assert items == [("hat", False, None), ("shoe", True, "shoes"), ("sock", False, None)]
    assert warehouse.execute("SELECT user_key, region FROM dim_users").fetchall() == [
        ("ann", "north"),
        ("bob", None),
    ]


def test_the_last_loaded_line_of_a_key_wins(warehouse: Connection, put: Put) -> None:
    put("items", {"item_id": "shoe", "brand": "first"}, {"item_id": "shoe", "brand": "second"}, load_number=2)
    put("items", {"item_id": "shoe", "brand": "older"}, load_number=1)
    run(warehouse)

    assert warehouse.execute("SELECT brand FROM dim_items").fetchall() == [("second",)]


def test_rows_after_the_night_enter_nothing(warehouse: Connection, put: Put) -> None:
    fill(put)
    run(warehouse)
    before = tables(warehouse)
    put("impressions", {**IMPRESSION, "impression_id": "i9", "shown_at": "2026-01-06T00:00:00Z"})
    put("ad_impressions", {**AD, "ad_impression_id": "a9", "shown_at": "2026-01-06T00:00:00Z"})
    put("ad_spend_daily", {"date": date(2026, 1, 6), "campaign_id": "w", "channel": "c", "segment_id": "all"})
    put(
        "events",
        {
            "event_id": "e9",
            "occurred_at": "2026-01-06T00:00:00Z",
            "user_key": "ann",
            "session_id": "s1",
            "item_id": "hat",
            "event_type": "click",
            "impression_id": "i2",
        },
    )

    run(warehouse)

    assert tables(warehouse) == before


def test_built_twice_the_tables_are_equal_row_by_row(warehouse: Connection, put: Put) -> None:
    fill(put)
    run(warehouse)
    first = warehouse.execute("FROM fct_rounds").fetchall()

    run(warehouse)

    assert warehouse.execute("FROM fct_rounds").fetchall() == first


def test_a_round_is_mature_when_its_window_ended_with_the_night(warehouse: Connection, put: Put) -> None:
    put(
        "impressions",
        {**IMPRESSION, "impression_id": "just", "shown_at": "2026-01-04T23:59:59.999999Z"},
        {**IMPRESSION, "impression_id": "late", "shown_at": "2026-01-05T00:00:00Z"},
    )
    run(warehouse)

    rows = warehouse.execute("SELECT round_id, is_mature FROM fct_rounds").fetchall()
    assert rows == [("just", True), ("late", False)]


def test_a_shop_without_logs_has_empty_tables(warehouse: Connection) -> None:
    assert set(run(warehouse).values()) == {0}


def test_cents_of_different_currencies_are_not_added_up(warehouse: Connection, put: Put) -> None:
    put(
        "purchases",
        *(
            {
                "order_id": code,
                "line": 1,
                "ordered_at": "2026-01-05T10:05:00Z",
                "session_id": "s1",
                "currency_code": code,
            }
            for code in ("USD", "EUR")
        ),
    )

    with pytest.raises(InputDataError, match="The purchases are in EUR, USD"):
        run(warehouse)
    assert warehouse.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'stg%'"
    ).fetchone() == (0,)


@pytest.mark.parametrize(
    ("a_reads", "b_reads", "said"),
    [
        ("stg_b", "stg_a", "in a circle"),
        ("stg_c", "raw_items", "stg_a.sql reads stg_c, which no model makes"),
    ],
)
def test_models_that_can_not_be_ordered_are_refused(
    tmp_path: Path, a_reads: str, b_reads: str, said: str
) -> None:
    a, b = tmp_path / "stg_a.sql", tmp_path / "stg_b.sql"
    a.write_text(f"-- reads: {a_reads}\nSELECT 1")
    b.write_text(f"-- reads: {b_reads}\nSELECT 1")

    with pytest.raises(MetacartError, match=said):
        in_order([read_model(a), read_model(b)])


def test_a_model_without_reads_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "fct_a.sql"
    file.write_text("SELECT 1")

    with pytest.raises(MetacartError, match=r"fct_a\.sql has no line"):
        read_model(file)
