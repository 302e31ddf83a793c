"""Tasks of a tiny shop: thirty hourly rounds, two items, users ann and bob."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.codes import Window
from features.context import HISTORY
from features.contracts.findings import codes_of, from_json
from features.errors import InputDataError
from features.rewards import Reward
from features.tasks.build import build_tasks
from features.tasks.evidence import mark_evidence
from features.tasks.files import read_names, save_tasks
from features.tasks.segment_table import segment_table
from features.tasks.settings import TaskSettings
from features.tasks.tables import ShopTables
from features.warehouse.touches import Touched
from offline_rl.logged_data import load_tasks

N = 30
START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = TaskSettings(
    reward=Reward.of("click"),
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


AS_OF = date(2026, 1, 2)
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


def touched() -> Touched:
    """Ann views the hat in the first hour and clicks the shoe in the last; the night knows both."""
    decided = [START + timedelta(hours=hour) for hour in range(N) if hour % 3]
    moments = [("ann", at, 0 if at > START + timedelta(hours=1) else -1) for at in decided]
    moments += [("ann", TONIGHT, 1), ("bob", TONIGHT, -1)]
    schema = {"user_key": pl.String, "decided_at": pl.Datetime("us", "UTC"), "state": pl.Int64}
    return Touched(
        moments=pl.DataFrame(moments, schema=schema, orient="row"),
        first=np.array([0, 1, 3]),
        item=np.array([0, 0, 2]),
        amount=np.array([[1, 0, 0, 0, 0], [0.9, 0, 0, 0, 1.2], [0, 1, 0, 0, 0]], np.float32),
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
    rounds = pl.DataFrame(columns | changes, schema_overrides=types)
    marked, split = mark_evidence(rounds, SETTINGS, AS_OF, "recommendation")
    return ShopTables(
        domain="recommendation",
        rounds=marked,
        split=split,
        users=pl.DataFrame(
            {"user_key": ["ann", "bob"], "region": ["north", "south"], "attributes": [None, None]}
        ),
        items=pl.DataFrame(
            {"item_id": ["hat", "new", "shoe"], "category": ["a", "a", "b"], "attributes": ["{}"] * 3}
        ),
        candidate_sets=pl.DataFrame(schema={"candidate_set_id": pl.String, "item_id": pl.String}),
        context_keys=("weather",),
        snapshots=SNAPSHOTS,
        touched=touched(),
    )


def built(tables: ShopTables | None = None, **settings):
    asked, tables = replace(SETTINGS, **settings), tables or shop()
    rounds, split = mark_evidence(tables.rounds, asked, AS_OF, tables.domain)
    return build_tasks(replace(tables, rounds=rounds, split=split), asked, AS_OF)


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


def test_what_metacart_published_is_not_the_shops_own_until_nothing_else_is_left():
    """Two of three rounds are of published tables: of the shop's own shares, and of a learned policy."""
    own, learned = (f"{name}-2026-01-01-0a1b2c3d" for name in ("logging", "maml"))
    everything = shop(policy_version=[("v1", own, learned)[number % 3] for number in range(N)])
    published = shop(policy_version=[(own, own, learned)[number % 3] for number in range(N)])
    all_learned = shop(policy_version=[learned] * N)

    def counted(tables: ShopTables, **settings: str) -> float:
        return float(built(tables, **settings).arrays["incumbent_counts"].sum())

    before = built().evidence["window"].is_in([Window.SUPPORT, Window.QUERY]).sum()
    assert counted(everything) == pytest.approx(before / 3, abs=1)
    assert counted(published) == pytest.approx(2 * before / 3, abs=1)
    assert counted(all_learned) == before
    assert counted(everything, incumbent_policy="v1") == counted(everything)
    # A named policy that has served nothing has no shares; others are not taken for it.
    assert counted(everything, incumbent_policy="v2") == 0.0


def test_only_the_evidence_policy_teaches_and_judges():
    tasks = built(evidence_policies=("v2",))
    assert set(tasks.evidence["policy_version"]) == {"v2"}
    assert len(tasks.arrays["action"]) == tasks.evidence.height == 10


def test_what_metacart_published_is_evidence_beside_the_evidence_policy():
    """A version of the form that metacart gives, with a propensity; no other version of the shop's own."""
    published, invented = "maml-2026-01-05-0a1b2c3d", "maml-2026-13-05-0a1b2c3d"
    versions = [("v1", published, invented, "coin")[number % 4] for number in range(N)]
    unlogged = [None if number < 4 else 0.5 for number in range(N)]
    tables = shop(policy_version=versions, propensity=unlogged)

    tasks = built(tables, evidence_policies=("coin",))

    assert set(tasks.evidence["policy_version"]) == {published, "coin"}
    assert tasks.evidence.height == sum(version in (published, "coin") for version in versions[4:])
    assert set(built(tables).evidence["policy_version"]) == {"v1", published, invented, "coin"}


def test_a_log_of_other_policies_is_refused_with_those_that_are_evidence():
    with pytest.raises(InputDataError, match=r"under the evidence policies \(v7, what metacart publishes\)"):
        built(evidence_policies=("v7",))


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


def test_rounds_and_targets_know_the_state_of_their_user():
    arrays = built().arrays
    assert arrays["history_state"].tolist() == [-1, -1, *(0 if hour % 3 else -1 for hour in range(2, N))]
    # tomorrow's contexts are ann's and bob's; ann's click came after her last round
    assert arrays["target_history_state"].tolist() == [1, -1]
    assert {arrays[name].dtype for name in ("history_state", "target_history_state")} == {np.dtype(np.int64)}
    assert arrays["touch_item"].tolist() == [0, 0, 2]


def test_without_users_nothing_is_known_of_anybody():
    tasks = built(shop(user_key=pl.Series([None] * N, dtype=pl.String)), segments_by=("surface",))
    assert set(tasks.arrays["history_state"]) == set(tasks.arrays["target_history_state"]) == {-1}


@pytest.mark.parametrize("nothing", [None, replace(touched(), item=np.zeros(0, np.int64))])
def test_where_nothing_was_touched_there_are_no_arrays_of_it(nothing: Touched | None):
    arrays = built(replace(shop(), touched=nothing)).arrays
    assert not [name for name in arrays if "touch" in name or "history" in name]


def test_columns_of_one_thing_share_a_block_and_the_action_itself_is_in_none():
    tasks = built(shop(context=['{"weather": "sun"}', '{"weather": "snow"}'] * (N // 2)), min_rounds=1)
    blocks = [tasks.context_blocks[number] for number in tasks.arrays["context_block"]]
    of_history = ["history" for name in tasks.context_names if name in HISTORY]
    assert blocks[:4] == ["weather", "weather", "region", "region"]
    assert blocks[4 : 4 + len(of_history)] == of_history
    assert list(dict.fromkeys(tasks.arrays["context_block"].tolist())) == list(
        range(len(tasks.context_blocks))
    )
    assert tasks.item_blocks == ("category",)
    assert tasks.arrays["item_block"].tolist() == [0, -1, -1, -1]


def test_learners_read_what_was_saved(tmp_path):
    tasks = built()
    save_tasks(tasks, tmp_path)
    read = load_tasks(tmp_path / "rounds_recommendation.npz")
    assert (read.segment_ids, read.action_ids) == (tasks.segment_ids, tasks.action_ids)
    rounds = read.rounds
    assert rounds.history is not None
    assert rounds.history.touches.n_states == 2
    row, entry = rounds.history.touches.entries_of(rounds.history.state[:3])
    assert (row.tolist(), rounds.history.touches.item[entry].tolist()) == ([2], [0])
    names = read_names(tmp_path, "recommendation")
    assert names.context_blocks == tasks.context_blocks
    assert names.item_blocks == ("category",)
    assert (names.as_of, names.query_until) == (AS_OF, tasks.boundaries.query_until)


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


def test_the_segment_table_counts_windows_and_shows_merges():
    table = segment_table(built(min_rounds=10), "run", 10, codes_of)
    rows = {row["segment_id"]: row for row in table.to_dicts()}
    assert rows["region=south"]["status"] == "merged"
    assert rows["everyone_else"]["status"] == "pooled_only"
    [why] = from_json(rows["region=south"]["findings"])
    assert (why.code, why.subject, why.text("merged_into")) == (
        "merged_segment",
        "region=south",
        "everyone_else",
    )
    assert 0 < why.number("n_rounds") < why.number("least") == 10
    assert rows["everyone_else"]["reason"] == rows["everyone_else"]["reason_code"] == "too_few_rounds"
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


@pytest.mark.parametrize(
    "name", ["window", "origin", "is_evidence", "segment", "segment_id", "is_clicked", "slot"]
)
def test_an_attribute_may_have_any_name_and_is_the_shop_s(name):
    """Whatever tasks call their own columns: ann's attribute is "a", bob's is "b", and nothing else."""
    users = pl.DataFrame(
        {
            "user_key": ["ann", "bob"],
            "region": ["north", "south"],
            "attributes": [f'{{"{name}": "a"}}', f'{{"{name}": "b"}}'],
        }
    )
    tasks = built(replace(shop(), users=users, user_keys=(name,)))
    plain = built()
    called = "segment_id_attribute" if name == "segment_id" else name
    assert [column for column in tasks.context_names if column not in plain.context_names] == [
        f"{called}=a",
        f"{called}=b",
    ]
    place = tasks.context_names.index(f"{called}=a")
    assert (tasks.arrays["context"][:, place] > 0).tolist() == [bool(number % 3) for number in range(N)]
    for array in ("reward", "slot", "segment", "window", "origin"):
        assert tasks.arrays[array].tolist() == plain.arrays[array].tolist()


def test_a_trait_of_that_name_groups_by_the_shop_s_values():
    users = pl.DataFrame(
        {
            "user_key": ["ann", "bob"],
            "region": ["north", "south"],
            "attributes": ['{"segment": "gold"}', '{"segment": "blue"}'],
        }
    )
    tasks = built(replace(shop(), users=users, user_keys=("segment",)), segments_by=("segment",))
    assert tasks.segment_ids == ("segment=blue", "segment=gold")
