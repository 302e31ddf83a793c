"""Tasks of a tiny shop: thirty hourly rounds, two items, users ann and bob."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.context import HISTORY
from features.errors import InputDataError
from features.tasks.build import build_tasks
from features.tasks.files import save_tasks
from features.tasks.segment_table import segment_table
from features.tasks.settings import TaskSettings
from features.tasks.tables import ShopTables
from features.tasks.windows import Window

N = 30
START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = TaskSettings(
    reward="click",
    attribution_hours=1,
    segments_by=("region",),
    clusters=0,
    min_rounds=3,
    salt="s",
    support_share=0.5,
    query_share=0.25,
    evidence_policies=(),
    incumbent_policy="",
    seed=0,
)


TONIGHT = datetime(2026, 1, 3, tzinfo=UTC)
SNAPSHOTS = pl.DataFrame(
    {
        "user_key": ["ann", "bob"],
        "decided_at": [TONIGHT] * 2,
        **{name: [0, 0] for name in HISTORY if name != "n_rounds_in_session_before"},
        "n_views_before": [99, 0],
        "n_clicks_before": [0, 50],
        "days_since_last_visit": [1.0, None],
    }
)


def affinities() -> pl.DataFrame:
    """Ann warms to category a every hour and is known for 2 by then, and for 8 at the end of the night."""
    moments = [START + timedelta(hours=hour) for hour in range(N) if hour % 3]
    return pl.DataFrame(
        {
            "user_key": ["ann"] * (len(moments) + 1),
            "decided_at": [*moments, TONIGHT],
            "affinity[category=a]": [*(float(place % 2) * 2.0 for place in range(len(moments))), 8.0],
        },
        schema_overrides={"decided_at": pl.Datetime("us", "UTC")},
    )


def shop(**changes) -> ShopTables:
    turn = np.arange(N)
    columns = {
        "round_id": [f"r{number:02}" for number in turn],
        "decided_at": [START + timedelta(hours=int(number)) for number in turn],
        "decided_date": [(START + timedelta(hours=int(number))).date() for number in turn],
        "user_key": ["ann" if number % 3 else "bob" for number in turn],
        "session_id": [f"s{number}" for number in turn],
        "surface": ["home"] * N,
        "slot": 1 + turn % 2,
        "action_id": ["hat" if number % 2 else "shoe" for number in turn],
        "campaign_id": [None] * N,
        "propensity": [0.5] * N,
        "policy_version": ["v1" if number < 20 else "v2" for number in turn],
        "candidate_set_id": [None] * N,
        "is_clicked": turn % 5 == 0,
        "is_converted": [False] * N,
        "context": ['{"weather": "sun"}'] * N,
        **dict.fromkeys(HISTORY, [0] * N),
        "n_views_before": turn,
        "n_clicks_before": turn // 2,
        "days_since_last_visit": [None] * N,
    }
    types = {
        "decided_at": pl.Datetime("us", "UTC"),
        "campaign_id": pl.String,
        "candidate_set_id": pl.String,
        "days_since_last_visit": pl.Float64,
    }
    return ShopTables(
        domain="recommendation",
        rounds=pl.DataFrame(columns | changes, schema_overrides=types),
        users=pl.DataFrame(
            {"user_key": ["ann", "bob"], "region": ["north", "south"], "attributes": [None, None]}
        ),
        items=pl.DataFrame(
            {"item_id": ["hat", "new", "shoe"], "category": ["a", "a", "b"], "attributes": ["{}"] * 3}
        ),
        candidate_sets=pl.DataFrame(schema={"candidate_set_id": pl.String, "item_id": pl.String}),
        context_keys=("weather",),
        affinities=affinities(),
        snapshots=SNAPSHOTS,
    )


def built(tables: ShopTables | None = None, **settings):
    return build_tasks(tables or shop(), SETTINGS.__class__(**(vars(SETTINGS) | settings)), date(2026, 1, 2))


def test_rounds_carry_their_numbers_in_the_order_of_the_log():
    arrays = built().arrays
    assert arrays["slot"].tolist() == [number % 2 for number in range(N)]
    assert arrays["action"].tolist() == [0 if number % 2 else 2 for number in range(N)]
    assert arrays["reward"].tolist() == [float(number % 5 == 0) for number in range(N)]
    assert arrays["cluster"].tolist() == [0 if number % 3 else 1 for number in range(N)]


def test_segments_come_from_the_users_and_slots_count_from_zero():
    tasks = built()
    assert tasks.segment_ids == ("region=north", "region=south")
    assert tasks.arrays["segment"].tolist() == [0 if number % 3 else 1 for number in range(N)]
    assert tasks.n_slots == 2


def test_an_item_never_shown_is_described_by_its_attributes_alone():
    tasks = built()
    features = dict(zip(tasks.item_feature_names, tasks.arrays["item_features"].T, strict=True))
    assert features["category=a"].tolist() == [1.0, 1.0, 0.0]
    assert features["item=hat"].tolist() == [1.0, 0.0, 0.0]
    assert features["item=new"].tolist() == [0.0, 0.0, 0.0]


def test_what_can_be_shown_is_what_was_shown_that_day():
    arrays = built().arrays
    assert arrays["available"][arrays["set_index"]].tolist() == [[True, False, True]] * N


def test_the_incumbent_is_counted_before_the_holdout_only():
    tasks = built(incumbent_policy="v1")
    windows = tasks.evidence.filter(pl.col("policy_version") == "v1")["window"]
    before = windows.is_in([Window.SUPPORT, Window.QUERY]).sum()
    assert tasks.arrays["incumbent_counts"].sum() == before


def test_only_the_evidence_policy_teaches_and_judges():
    tasks = built(evidence_policies=("v2",))
    assert set(tasks.evidence["policy_version"]) == {"v2"}
    assert len(tasks.arrays["action"]) == tasks.evidence.height == 10


def test_a_log_without_propensities_is_refused_with_what_to_do():
    with pytest.raises(InputDataError, match="Log the probability of each shown item"):
        built(shop(propensity=[None] * N))


def test_nothing_fitted_changes_with_the_holdout():
    late = ["snow" if window == Window.HOLDOUT else "sun" for window in built().evidence["window"]]
    changed = built(shop(context=[json.dumps({"weather": value}) for value in late]))
    assert changed.context_names == built().context_names


def of_targets(tasks, name: str) -> list[float]:
    return tasks.arrays["target_context"][:, tasks.context_names.index(name)].tolist()


def test_tomorrow_is_decided_on_what_is_known_at_the_end_of_the_night():
    tasks = built()
    views, rounds = tasks.context_names.index("n_views_before"), tasks.arrays["context"]
    ann, bob = of_targets(tasks, "n_views_before")
    # 99 views are more than ann had at any round, and none is what bob had at his first, at midnight.
    assert ann > rounds[:, views].max()
    assert bob == pytest.approx(rounds[0, views])


def test_affinities_reach_the_rounds_and_the_targets_of_their_user():
    tasks = built()
    column = tasks.arrays["context"][:, tasks.context_names.index("affinity[category=a]")]
    ann, bob = of_targets(tasks, "affinity[category=a]")
    # Bob has none, at any time; ann's at her first round is none, too.
    assert set(column[::3]) == {column[1]} == {np.float32(bob)}
    assert column[2] > column[1]
    assert ann > column.max()


def test_a_user_lands_in_the_segment_of_tonight_and_not_of_the_last_round():
    tasks = built(segments_by=("cluster",), clusters=2)
    segment_of = dict(tasks.targets.rows.select("user_key", "segment_id").iter_rows())
    # History only grows over the rounds, but bob has none left in the snapshot of this night but clicks.
    assert segment_of["ann"] == "cluster=1"


def test_users_are_served_once_in_their_latest_context():
    tasks = built()
    assert tasks.targets.rows.select("user_key", "segment_id").rows() == [
        ("ann", "region=north"),
        ("bob", "region=south"),
    ]
    assert tasks.targets.target_of_context.tolist() == [0, 1]


def test_without_users_segments_are_served_and_every_round_is_its_own_cluster():
    tasks = built(shop(user_key=pl.Series([None] * N, dtype=pl.String)), segments_by=("surface",))
    assert tasks.targets.rows["user_key"].to_list() == ["surface=home"]
    assert sorted(tasks.arrays["cluster"].tolist()) == list(range(N))


def test_clusters_of_history_can_be_segments():
    tasks = built(segments_by=("cluster",), clusters=2)
    assert tasks.segment_ids == ("cluster=0", "cluster=1")
    # History only grows here, so the light cluster comes before the heavy one.
    assert tasks.arrays["segment"].tolist() == sorted(tasks.arrays["segment"].tolist())


def test_the_segment_table_counts_windows_and_tells_of_merges():
    table = segment_table(built(min_rounds=10), "run", 10)
    rows = {row["segment_id"]: row for row in table.to_dicts()}
    assert rows["region=south"]["status"] == "merged"
    assert rows["everyone_else"]["status"] == "pooled_only"
    north = rows["region=north"]
    assert (north["n_users"], north["split"], north["status"]) == (1, "meta_train", "used")
    assert north["n_support"] + north["n_query"] + north["n_holdout"] <= 20


def test_saved_twice_gives_the_same_bytes_and_needs_no_pickle(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_tasks(built(), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    with np.load(tmp_path / "one" / "rounds_recommendation.npz", allow_pickle=False) as arrays:
        assert arrays["context"].dtype == np.float32
        assert arrays["n_slots"].shape == ()
