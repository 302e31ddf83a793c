"""Decayed affinities, rows in and numbers out; the half-life is two weeks."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import duckdb
import polars as pl
import pytest

from features.warehouse.affinities import read_affinities
from features.warehouse.build import build

Put = Callable[..., None]

NIGHT_END = datetime(2026, 2, 1, tzinfo=UTC)


def did(kind: str, at: str, item: str, user: str | None = "ann") -> dict[str, object]:
    return {
        "event_id": f"{kind} {at} {item} {user}",
        "event_type": kind,
        "occurred_at": f"2026-{at}Z",
        "user_key": user,
        "session_id": "s1",
        "item_id": item,
    }


def bought(at: str, item: str) -> dict[str, object]:
    return {
        "order_id": at,
        "line": 1,
        "ordered_at": f"2026-{at}Z",
        "user_key": "ann",
        "item_id": item,
        "quantity": 3,
        "price_cents": 100,
        "currency_code": "EUR",
        "is_cancelled": False,
    }


def shown(at: str, user: str | None = "ann") -> dict[str, object]:
    return {
        "impression_id": f"{at} {user}",
        "shown_at": f"2026-{at}Z",
        "user_key": user,
        "session_id": "s2",
        "surface": "home",
        "item_id": "hat",
    }


@pytest.fixture
def ask(warehouse: duckdb.DuckDBPyConnection, put: Put) -> Callable[..., pl.DataFrame]:
    put(
        "items",
        {"item_id": "hat", "category": "head", "brand": "birch"},
        {"item_id": "cap", "category": "head"},
        {"item_id": "shoe", "category": "feet", "brand": "birch"},
    )

    def affinities(
        *rows: dict[str, object], n_leading: int = 8, known_until: str = "2026-02-01"
    ) -> pl.DataFrame:
        put("events", *(row for row in rows if "event_id" in row))
        put("purchases", *(row for row in rows if "order_id" in row))
        put("impressions", *(row for row in rows if "impression_id" in row))
        build(warehouse, as_of=date(2026, 1, 31), attribution_hours=24)
        return read_affinities(
            warehouse,
            "recommendation",
            known_until=datetime.fromisoformat(known_until).replace(tzinfo=UTC),
            night_end=NIGHT_END,
            n_leading=n_leading,
        )

    return affinities


def of_round(found: pl.DataFrame, at: str, user: str = "ann") -> dict[str, float]:
    row = found.filter(user_key=user, decided_at=datetime.fromisoformat(f"2026-{at}+00:00")).to_dicts()[0]
    return {name: value for name, value in row.items() if name.startswith("affinity")}


def test_an_act_counts_half_after_two_weeks(ask: Callable[..., pl.DataFrame]) -> None:
    found = ask(
        did("click", "01-01T10:00", "hat"),
        did("add_to_cart", "01-15T10:00", "cap"),
        did("remove_from_cart", "01-15T10:01", "cap"),
        did("view", "01-15T10:00", "shoe"),
        shown("01-29T10:00"),
    )

    # head: 1/4 from the hat and 1/2 from the cap; birch: 1/4 from the hat and 1/2 from the shoe
    assert of_round(found, "01-29T10:00") == pytest.approx(
        {
            "affinity[brand=birch]": 0.75,
            "affinity[category=feet]": 0.5,
            "affinity[category=head]": 0.75,
            "affinity[item=cap]": 0.5,
            "affinity[item=hat]": 0.25,
            "affinity[item=shoe]": 0.5,
        }
    )


def test_an_item_needs_no_row_in_the_catalog(ask: Callable[..., pl.DataFrame]) -> None:
    found = ask(did("view", "01-15T10:00", "ghost"), bought("01-15T11:00", "ghost"), shown("01-29T10:00"))

    # a view two weeks before and an order an hour later; three pieces are one order
    assert of_round(found, "01-29T10:00") == {
        "affinity[item=ghost]": pytest.approx(0.5 + 0.5 * 2 ** (1 / 24 / 14), abs=1e-6)
    }


def test_of_values_with_as_many_acts_the_first_by_name_leads(ask: Callable[..., pl.DataFrame]) -> None:
    found = ask(
        did("view", "01-02T10:00", "shoe"),
        did("view", "01-02T11:00", "cap"),
        did("view", "01-02T12:00", "hat"),
        bought("01-02T13:00", "shoe"),
        n_leading=2,
    )

    assert [name for name in found.columns if "item" in name] == ["affinity[item=cap]", "affinity[item=shoe]"]


def test_what_happens_at_the_moment_of_the_round_is_not_known_to_it(ask: Callable[..., pl.DataFrame]) -> None:
    found = ask(
        did("click", "01-29T10:00", "hat"), did("view", "01-29T10:00:00.000001", "hat"), shown("01-29T10:00")
    )

    assert set(of_round(found, "01-29T10:00").values()) == {0.0}
    assert of_round(found, "02-01T00:00")["affinity[category=head]"] == pytest.approx(
        2 * 2 ** -(62 / 24 / 14)
    )


def test_others_and_nobody_have_affinities_of_their_own(ask: Callable[..., pl.DataFrame]) -> None:
    found = ask(
        did("click", "01-15T10:00", "hat", user="bob"),
        did("click", "01-15T10:00", "hat", user=None),
        shown("01-29T10:00"),
        shown("01-29T10:00", user="bob"),
        shown("01-29T10:00", user=None),
    )

    assert of_round(found, "01-29T10:00")["affinity[category=head]"] == 0.0
    assert of_round(found, "01-29T10:00", "bob")["affinity[category=head]"] == pytest.approx(0.5)
    assert found["user_key"].null_count() == 0


def test_values_lead_by_what_was_done_before_they_had_to_be_known(ask: Callable[..., pl.DataFrame]) -> None:
    found = ask(
        did("view", "01-02T10:00", "cap"),
        did("view", "01-02T11:00", "hat"),
        did("view", "01-02T11:00", "shoe"),
        *(did("view", f"01-20T10:0{minute}", "shoe") for minute in range(9)),
        n_leading=1,
        known_until="2026-01-10",
    )

    # the three items were viewed once each by then: the first by name leads
    assert found.columns[2:] == ["affinity[brand=birch]", "affinity[category=head]", "affinity[item=cap]"]


def test_acts_of_fifty_years_ago_neither_count_nor_overflow(ask: Callable[..., pl.DataFrame]) -> None:
    old = {**did("view", "01-01T10:00", "hat"), "occurred_at": "1971-01-01T00:00:00Z"}
    found = ask(old, did("view", "01-15T10:00", "hat"), shown("01-29T10:00"))

    assert of_round(found, "01-29T10:00")["affinity[category=head]"] == pytest.approx(0.5)


def test_a_shop_without_logs_has_no_affinities(ask: Callable[..., pl.DataFrame]) -> None:
    assert ask().shape == (0, 2)
