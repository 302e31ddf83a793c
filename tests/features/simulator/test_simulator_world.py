import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.errors import InputDataError, UsageError
from features.simulator.people import SEGMENTS
from features.simulator.settings import WORLD_VERSION, WorldSettings
from features.simulator.shop import SimulatedShop
from features.simulator.world import World

GOLDEN = ["5479.86", "9657.3", "0.173352", "4.82569", "2.16405e+07"]

ReadLog = Callable[[str], pl.DataFrame]


def visitors(impressions: pl.DataFrame) -> list[str]:
    return impressions.filter(slot=1)["user_id"].to_list()


def rewards(impressions: pl.DataFrame, read_log: ReadLog, reward: str) -> np.ndarray:
    """Which impressions ended in the reward, by the ids that the logs carry."""
    if reward == "click":
        hits = read_log("events").filter(event_type="click")["impression_id"]
    else:
        hits = read_log("purchases").filter(~pl.col("is_cancelled"))["order_id"].str.strip_suffix("-order")
    return impressions["impression_id"].is_in(hits.implode()).to_numpy()


@pytest.mark.parametrize("reward", ["click", "purchase"])
@pytest.mark.parametrize("group", ["slot", "segment"])
def test_logs_show_the_true_rewards(world: World, read_log: ReadLog, reward: str, group: str) -> None:
    impressions = read_log("impressions")
    user_ids = impressions["user_id"].to_list()
    item_of_row = world.catalog.ids.positions(impressions["item_id"].to_list())
    truth = world.expected_reward(user_ids, world.item_ids, impressions["slot"].to_numpy(), reward)
    rows = impressions.select("slot").with_columns(
        segment=pl.Series(world.segment_ids(user_ids)),
        truth=truth[np.arange(len(truth)), item_of_row],
        reward=rewards(impressions, read_log, reward),
    )
    z = rows.group_by(group).agg(
        (pl.col("reward").sum() - pl.col("truth").sum())
        / (pl.col("truth") * (1 - pl.col("truth"))).sum().sqrt()
    )["reward"]
    assert len(z) == {"slot": 3, "segment": len(SEGMENTS)}[group]
    assert z.abs().max() < 4


def test_the_logging_value_is_the_mean_of_the_logs(world: World, read_log: ReadLog) -> None:
    impressions = read_log("impressions")
    clicks = rewards(impressions, read_log, "click")
    value = world.logging_value(visitors(impressions))
    assert abs(clicks.mean() - value) < 4 * clicks.std() / np.sqrt(len(clicks))


def test_weighted_logs_show_the_value_of_another_policy(world: World, read_log: ReadLog) -> None:
    # the oracle differs by segment, so this fails if propensities, slots or people are mixed up
    impressions = read_log("impressions")
    user_ids = impressions["user_id"].to_list()
    probability = world.oracle_marginals(user_ids)[
        np.arange(len(user_ids)),
        impressions["slot"].to_numpy() - 1,
        world.catalog.ids.positions(impressions["item_id"].to_list()),
    ]
    weighted = probability / impressions["propensity"].to_numpy() * rewards(impressions, read_log, "click")
    difference = weighted.mean() - world.oracle_value(visitors(impressions))
    assert abs(difference) < 4 * weighted.std() / np.sqrt(len(weighted))


def test_headroom_of_the_demo(world: World, read_log: ReadLog) -> None:
    people = visitors(read_log("impressions"))
    assert 1.3 < world.oracle_value(people) / world.logging_value(people) < 1.6


@pytest.mark.parametrize("seed", range(5))
def test_segments_need_their_own_policy_only_where_they_differ(seed: int) -> None:
    lift = []
    for name in ("homogeneous", "mild", "strong"):
        world = World.create(WorldSettings(seed=seed, world=name))
        one_for_all = np.zeros((1, 3, 30))
        mean_attraction = world.people.visit_rate @ world.click_model.attraction
        one_for_all[0, range(3), np.argsort(-mean_attraction)[:3]] = 1.0
        slates = np.broadcast_to(one_for_all, (len(world.user_ids), 3, 30))
        pooled = world.true_value(slates, world.user_ids, world.item_ids)
        lift.append(world.oracle_value(world.user_ids) / pooled - 1)
        assert 0.05 < world.logging_value(world.user_ids) < 0.1
    assert abs(lift[0]) < 0.02 < lift[1] < lift[2] - 0.02


def test_true_value_of_a_world_solved_on_paper() -> None:
    world = World.create(WorldSettings(users=2, items=3, slots=2))
    click_model = replace(
        world.click_model,
        examination=np.array([1.0, 0.5]),
        attraction=np.array([[0.2, 0.4, 0.6], [0.1, 0.1, 0.8]]),
        order_given_click=np.full((2, 3), 0.5),
    )
    world = replace(world, click_model=click_model)
    slates = np.array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0.5, 0.5, 0]]], dtype=np.float64)
    # user 1: 0.2 + 0.5 * 0.4 = 0.4; user 2: 0.8 + 0.5 * 0.1 = 0.85; over two users and two slots
    assert world.true_value(slates, world.user_ids, world.item_ids) == pytest.approx(1.25 / 4)
    assert world.true_value(slates, world.user_ids, world.item_ids, "purchase") == pytest.approx(
        1.25 / 4 * 0.5 * 0.95
    )


def test_no_slate_beats_the_oracle_in_its_segment() -> None:
    world = World.create(WorldSettings(users=400, items=5, slots=2))
    random = np.random.default_rng(0)
    for segment in SEGMENTS:
        pairs = zip(world.user_ids, world.segment_ids(world.user_ids), strict=True)
        members = [user_id for user_id, own in pairs if own == segment]
        visits = world.people.visit_rate[world.people.ids.positions(members)]
        often = [members[i] for i in random.choice(len(members), 4000, p=visits / visits.sum())]
        for first in range(5):
            for second in set(range(5)) - {first}:
                slate = np.zeros((1, 2, 5))
                slate[0, [0, 1], [first, second]] = 1.0
                value = world.true_value(np.broadcast_to(slate, (4000, 2, 5)), often, world.item_ids)
                assert value <= world.oracle_value(often) * 1.01


def test_expected_reward_follows_the_order_asked_for(world: World) -> None:
    users, items = list(world.user_ids[:3]), list(world.item_ids[:4])
    table = world.expected_reward(users, items, [1, 2, 3])
    assert table.shape == (3, 4)
    turned = world.expected_reward(users[::-1], items[::-1], [3, 2, 1])
    np.testing.assert_array_equal(turned, table[::-1, ::-1])
    np.testing.assert_array_equal(world.expected_reward([users[1]], items, 2)[0], table[1])


def test_a_higher_slot_is_clicked_more_and_bought_less_than_clicked(world: World) -> None:
    by_slot = [world.expected_reward(world.user_ids, world.item_ids, slot) for slot in (1, 2, 3)]
    assert (by_slot[0] > by_slot[1]).all()
    assert (by_slot[1] > by_slot[2]).all()
    assert (world.expected_reward(world.user_ids, world.item_ids, 1, "purchase") < by_slot[0]).all()


def test_logging_marginals_sum_to_one(world: World) -> None:
    marginals = world.logging_marginals(world.user_ids[:2])
    assert marginals.shape == (2, 3, 30)
    np.testing.assert_allclose(marginals.sum(axis=2), 1.0)


@pytest.mark.parametrize("slot", [0, 4])
def test_a_slot_that_is_not_there_is_refused(world: World, slot: int) -> None:
    with pytest.raises(UsageError, match="Slots count from 1 to 3"):
        world.expected_reward(world.user_ids[:1], world.item_ids, slot)


def test_unknown_names_are_refused(world: World) -> None:
    with pytest.raises(InputDataError, match="no user 'nobody'"):
        world.expected_reward(["nobody"], world.item_ids, 1)
    with pytest.raises(InputDataError, match="no item 'nothing'"):
        world.expected_reward(world.user_ids[:1], ["nothing"], 1)
    with pytest.raises(UsageError, match="Reward 'joy'"):
        world.expected_reward(world.user_ids[:1], world.item_ids, 1, "joy")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Ad reward 'joy'"):
        world.expected_ad_reward(world.user_ids[:1], world.creative_ids, "joy")  # type: ignore[arg-type]


def test_probabilities_that_are_none_are_refused(world: World) -> None:
    with pytest.raises(UsageError, match="shape"):
        world.true_value(np.full((1, 30), 1 / 30), world.user_ids[:1], world.item_ids)
    with pytest.raises(UsageError, match="sum to 1"):
        world.true_value(np.full((1, 3, 30), 0.1), world.user_ids[:1], world.item_ids)


def test_days_have_no_influence_on_the_world() -> None:
    short, long = (World.create(WorldSettings(users=50, days=days)) for days in (1, 60))
    np.testing.assert_array_equal(short.click_model.attraction, long.click_model.attraction)
    np.testing.assert_array_equal(short.logging_policy.marginals, long.logging_policy.marginals)


def test_a_changed_world_needs_a_new_version(world: World) -> None:
    # another number here means that old logs would be judged by a new truth: raise WORLD_VERSION with it
    seen = [
        float(world.click_model.attraction.sum()),
        float(world.click_model.order_given_click.sum()),
        float((world.logging_policy.marginals**2).sum()),
        float(world.advertising.expected_reward("conversion").sum()),
        float(world.spend_response.ceiling_cents.sum()),
    ]
    assert (WORLD_VERSION, [f"{value:.6g}" for value in seen]) == (1, GOLDEN)


def test_load_says_what_is_missing(tmp_path: Path, shop: SimulatedShop) -> None:
    with pytest.raises(InputDataError, match="holds no simulated shop"):
        World.load(tmp_path)
    content = json.loads(shop.world_file.read_text()) | {"world": "wild"}
    (tmp_path / "world.json").write_text(json.dumps(content))
    with pytest.raises(InputDataError, match="wild"):
        World.load(tmp_path)
