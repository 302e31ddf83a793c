"""Reading a domain from the marts: what shapes the features was known at the end of the support window."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.errors import InputDataError
from features.rewards import Reward
from features.tasks.build import build_tasks
from features.tasks.settings import TaskSettings
from features.tasks.tables import ShopTables, read_tables
from features.warehouse.build import build
from features.warehouse.store import open_store

START = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = date(2026, 1, 10)
DAYS = 10
SETTINGS = TaskSettings(
    reward=Reward.of("click"),
    attribution_hours=24,
    segments_by=(),
    clusters=0,
    min_rounds=1,
    salt="s",
    support_share=0.5,
    query_share=0.25,
    evidence_policies=(),
    incumbent_policy="",
    seed=0,
)
CATALOG = pl.DataFrame(
    {
        "item_id": ["hat", "shoe"],
        "category": ["head", "feet"],
        "price_cents": [900, 500],
        "attributes": ['{"embedding": [1, 0]}', '{"embedding": [0, 3]}'],
    }
)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[..., ShopTables]]:
    """Ann sees both items every noon and clicks the hat at one; more clicks and views can be added."""
    with open_store(tmp_path / "shop.duckdb") as store:

        def put(log: str, frame: pl.DataFrame) -> None:
            lined = frame.with_columns(load_number=pl.lit(1), file_line=pl.int_range(pl.len()))
            store.register("fresh", lined.to_arrow())
            store.execute(f"DELETE FROM raw_{log}")
            store.execute(f"INSERT INTO raw_{log} BY NAME FROM fresh")

        def tables(
            *events: tuple[str, datetime, str], propensity: float | None = 0.5, last_slot: int = 1
        ) -> ShopTables:
            put("items", CATALOG)
            shown = impressions().with_columns(propensity=pl.lit(propensity, pl.Float64))
            is_last = pl.int_range(pl.len()) == pl.len() - 1
            put("impressions", shown.with_columns(slot=pl.when(is_last).then(last_slot).otherwise("slot")))
            put("events", event_rows(*events))
            build(store, as_of=NIGHT, attribution_hours=24)
            return read_tables(store, "recommendation", SETTINGS, NIGHT)

        yield tables


def impressions() -> pl.DataFrame:
    rows = [
        {
            "impression_id": f"{item} {day}",
            "shown_at": START + timedelta(days=day, hours=12),
            "user_key": "ann",
            "session_id": f"visit {day}",
            "surface": "home",
            "slot": 1,
            "item_id": item,
            "policy_version": "v1",
        }
        for day in range(DAYS)
        for item in ("hat", "shoe")
    ]
    return pl.DataFrame(rows)


def event_rows(*events: tuple[str, datetime, str]) -> pl.DataFrame:
    usual = [("click", START + timedelta(days=day, hours=13), "hat") for day in range(DAYS)]
    rows = [
        {
            "event_id": f"event {number}",
            "occurred_at": moment,
            "user_key": "ann",
            "session_id": f"visit {(moment - START).days}",
            "item_id": item,
            "event_type": event_type,
            "impression_id": f"{item} {(moment - START).days}",
        }
        for number, (event_type, moment, item) in enumerate([*usual, *events])
    ]
    return pl.DataFrame(rows)


def test_popularity_and_history_reach_the_features(read: Callable[..., ShopTables]) -> None:
    tasks = build_tasks(read(), SETTINGS, NIGHT)
    features = dict(zip(tasks.item_feature_names, tasks.arrays["item_features"].T.tolist(), strict=True))

    hat, shoe = features["lately_clicked_share"]
    assert hat > 0 > shoe
    assert features["embedding_1"][0] < features["embedding_1"][1]
    assert "n_clicks_before" in tasks.context_names


def test_each_round_knows_what_its_user_had_done_with_each_item(read: Callable[..., ShopTables]) -> None:
    noon = START + timedelta(days=3, hours=12)
    arrays = build_tasks(read(("view", noon, "shoe"), ("view", noon, "unlisted")), SETTINGS, NIGHT).arrays

    # Two rounds a noon; a click on the hat follows each of them, so that the first two know of none.
    assert arrays["history_state"].tolist() == [-1, -1, *(day // 2 for day in range(18))]
    assert arrays["target_history_state"].tolist() == [9]
    # The shoe was viewed at the fourth noon, which is known from the fifth on: to states 3 to 9.
    assert np.diff(arrays["touch_first"]).tolist() == [1] * 3 + [2] * 7
    assert arrays["touch_item"].tolist() == [0] * 3 + [0, 1] * 7
    views, clicks, *_, days_since = arrays["touch_amount"][4]
    assert (views, clicks) == (pytest.approx(2 ** (-1 / 24 / 14), abs=1e-6), 0)
    assert days_since == pytest.approx(1 / 24)


def test_what_follows_the_support_window_shapes_no_feature(read: Callable[..., ShopTables]) -> None:
    before = read()
    after_support = START + timedelta(days=7)
    late = [("click", after_support + timedelta(minutes=minute), "shoe") for minute in range(30)]

    after = read(*late)

    assert after.items.equals(before.items)
    assert after.snapshots["n_clicks_before"].item() == before.snapshots["n_clicks_before"].item() + 30


def test_tomorrow_has_a_row_of_its_own_for_each_user(read: Callable[..., ShopTables]) -> None:
    tables = read()
    tonight = datetime(2026, 1, 11, tzinfo=UTC)

    assert tables.touched is not None
    assert tables.touched.moments["decided_at"].max() == tonight
    assert tables.snapshots.select("user_key", "decided_at").rows() == [("ann", tonight)]
    # Ten clicks by tonight, nine at the last round: the click at one o'clock came after it.
    assert tables.snapshots["n_clicks_before"].item() == 10
    assert tables.rounds["n_clicks_before"].max() == 9


def test_a_log_without_propensities_is_refused(read: Callable[..., ShopTables]) -> None:
    with pytest.raises(InputDataError, match="recommendation: none of 20 rounds has a logged propensity"):
        read(propensity=None)


@pytest.mark.parametrize(("last_slot", "n_later"), [(1, 0), (3, 0), (4, 1), (1000, 1)])
def test_rounds_of_slots_after_the_third_are_left_out(
    read: Callable[..., ShopTables], last_slot: int, n_later: int
) -> None:
    tables = read(last_slot=last_slot)

    assert (tables.rounds.height, tables.n_later_slots) == (2 * DAYS - n_later, n_later)
    assert build_tasks(tables, SETTINGS, NIGHT).n_slots == (last_slot if last_slot <= 3 else 1)
