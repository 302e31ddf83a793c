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
        {"affinity[brand=birch]": 0.75, "affinity[category=feet]": 0.5, "affinity[category=head]": 0.75}
    )


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

    assert found.columns == ["user_key", "decided_at", "affinity[brand=birch]", "affinity[category=head]"]


def test_acts_of_fifty_years_ago_neither_count_nor_overflow(ask: Callable[..., pl.DataFrame]) -> None:
    old = {**did("view", "01-01T10:00", "hat"), "occurred_at": "1971-01-01T00:00:00Z"}
    found = ask(old, did("view", "01-15T10:00", "hat"), shown("01-29T10:00"))

    assert of_round(found, "01-29T10:00")["affinity[category=head]"] == pytest.approx(0.5)


def test_a_shop_without_logs_has_no_affinities(ask: Callable[..., pl.DataFrame]) -> None:
    assert ask().shape == (0, 2)
