import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest

from features.errors import InputDataError, UsageError
from features.simulator.people import REGION_SHARES, REGIONS, region_shares
from features.simulator.preferences import SHIFT_DAY
from features.simulator.reference_policies import BestSlates, LoggedSlates
from features.simulator.settings import WORLD_VERSION, WorldName, WorldSettings
from features.simulator.shop import SimulatedShop, simulate
from features.simulator.world import LoggedRewards, World

GOLDEN = ["5109.09", "5545.22", "5229.66", "7090.36", "827.267", "8.9976", "4.82569", "2.16405e+07"]

ReadLog = Callable[[str], pl.DataFrame]


def rewards(impressions: pl.DataFrame, read_log: ReadLog, reward: str) -> np.ndarray:
    """Which impressions ended in the reward, by the ids that the logs carry."""
    if reward == "click":
        hits = read_log("events").filter(event_type="click")["impression_id"]
    else:
        hits = read_log("purchases").filter(~pl.col("is_cancelled"))["order_id"].str.strip_suffix("-order")
    return impressions["impression_id"].is_in(hits.implode()).to_numpy()


def truth_of(world: World, impressions: pl.DataFrame, reward: str) -> LoggedRewards:
    return world.logged_rewards(
        "recommendation",
        impressions["user_id"].to_list(),
        world.item_ids,
        shown_ids=impressions["item_id"].to_list(),
        slot=impressions["slot"].to_numpy(),
        day=world.days(impressions["shown_at"]),
        reward="click" if reward == "click" else "conversion",
    )


@pytest.mark.parametrize("reward", ["click", "purchase"])
def test_logs_show_the_true_rewards(world: World, read_log: ReadLog, reward: str) -> None:
    impressions = read_log("impressions")
    item = world.catalog.ids.positions(impressions["item_id"].to_list())
    truth = truth_of(world, impressions, reward).of_action
    rows = impressions.select("slot", week=pl.col("shown_at").dt.week()).with_columns(
        segment=pl.Series(world.segment_ids(impressions["user_id"].to_list())),
        truth=truth[np.arange(len(truth)), item],
        reward=rewards(impressions, read_log, reward),
    )
    for group, size in (("slot", 3), ("segment", len(world.people.segments)), ("week", 4)):
        z = rows.group_by(group).agg(
            (pl.col("reward").sum() - pl.col("truth").sum())
            / (pl.col("truth") * (1 - pl.col("truth"))).sum().sqrt()
        )["reward"]
        assert len(z) == size
        assert z.abs().to_numpy().max() < 4


@pytest.mark.parametrize("reward", ["revenue", "margin"])
def test_orders_bring_the_true_money(
    world: World, read_log: ReadLog, reward: Literal["revenue", "margin"]
) -> None:
    impressions, items = read_log("impressions"), read_log("items")
    truth = world.logged_rewards(
        "recommendation",
        impressions["user_id"].to_list(),
        world.item_ids,
        shown_ids=impressions["item_id"].to_list(),
        slot=impressions["slot"].to_numpy(),
        day=world.days(impressions["shown_at"]),
        reward=reward,
    ).of_action
    per_piece = {"revenue": pl.col("price_cents"), "margin": pl.col("price_cents") - pl.col("cost_cents")}
    earned = (
        read_log("purchases")
        .filter(~pl.col("is_cancelled"))
        .drop("price_cents", "cost_cents")
        .join(items, on="item_id")
        .select(
            impression_id=pl.col("order_id").str.strip_suffix("-order"),
            earned=pl.col("quantity") * per_piece[reward] / 100,
        )
    )
    item = world.catalog.ids.positions(impressions["item_id"].to_list())
    rows = impressions.join(earned, on="impression_id", how="left", maintain_order="left").select(
        "slot",
        truth=truth[np.arange(len(truth)), item],
        earned=pl.col("earned").fill_null(0.0),
        # of 1 + k pieces, k ~ Poisson(0.2), the mean square is 1.64 and the mean 1.2
        piece=world.click_model.order_revenue[item] / 1.2
        if reward == "revenue"
        else world.click_model.order_margin[item] / 1.2,
    )
    for group in (["slot"], []):
        z = rows.group_by(*group or [pl.lit(1)]).agg(
            (pl.col("earned").sum() - pl.col("truth").sum())
            / (pl.col("truth") * pl.col("piece") * 1.64 / 1.2).sum().sqrt()
        )["earned"]
        assert z.abs().to_numpy().max() < 4


def test_an_ad_has_no_true_margin(world: World) -> None:
    with pytest.raises(UsageError, match="has no margin"):
        world.logged_rewards(
            "advertising",
            [world.user_ids[0]],
            world.creative_ids,
            shown_ids=[world.creative_ids[0]],
            slot=1,
            day=np.zeros(1, np.int64),
            reward="margin",
        )


@pytest.mark.parametrize("name", ["nonlinear", "drift", "personal"])
def test_bent_moving_and_personal_worlds_show_the_true_rewards_too(tmp_path: Path, name: WorldName) -> None:
    folder = simulate(WorldSettings(users=1200, days=12, world=name), tmp_path / name).folder
    world = World.load(folder)
    impressions = pl.read_csv(folder / "impressions" / "*.csv", infer_schema=False).with_columns(
        pl.col("shown_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"), pl.col("slot").cast(pl.Int64)
    )
    events = pl.read_csv(folder / "events" / "*.csv", infer_schema=False).filter(event_type="click")
    truth = truth_of(world, impressions, "click").of_action
    item = world.catalog.ids.positions(impressions["item_id"].to_list())
    expected = truth[np.arange(len(truth)), item]
    clicked = impressions["impression_id"].is_in(events["impression_id"].implode()).to_numpy()
    # where the truth says more, more was clicked: a tenth of the rows at a time
    for rows in np.array_split(np.argsort(expected), 10):
        z = (clicked[rows].sum() - expected[rows].sum()) / np.sqrt((expected * (1 - expected))[rows].sum())
        assert abs(z) < 4


def test_the_logging_value_is_the_mean_of_the_logs(world: World, read_log: ReadLog) -> None:
    impressions = read_log("impressions")
    clicks = rewards(impressions, read_log, "click")
    error = clicks.std() / np.sqrt(len(clicks))
    assert abs(clicks.mean() - truth_of(world, impressions, "click").of_log.mean()) < 4 * error
    assert abs(clicks.mean() - world.true_value(LoggedSlates(world)).value) < 5 * error


def test_weighted_logs_show_the_value_of_another_policy(world: World, read_log: ReadLog) -> None:
    # the best slates differ by segment and day, so this fails if propensities, slots or sets are mixed up
    impressions = read_log("impressions")
    best = BestSlates(world)
    slates = [
        best.slot_probabilities(world.visits(day, world.user_ids)) for day in range(world.settings.days)
    ]
    day = world.days(impressions["shown_at"])
    user = world.people.ids.positions(impressions["user_id"].to_list())
    slot = impressions["slot"].to_numpy() - 1
    item = world.catalog.ids.positions(impressions["item_id"].to_list())
    probability = np.stack(slates)[day, user, slot]
    weight = probability[np.arange(len(item)), item] / impressions["propensity"].to_numpy()
    weighted = weight * rewards(impressions, read_log, "click")
    truth = (probability * truth_of(world, impressions, "click").of_action).sum(axis=1)
    assert abs(weight.mean() - 1) < 4 * weight.std() / np.sqrt(len(weight))
    assert abs(weighted.mean() - truth.mean()) < 4 * weighted.std() / np.sqrt(len(weighted))


def test_headroom_of_the_demo(world: World) -> None:
    logging, best = (world.true_value(policy).value for policy in (LoggedSlates(world), BestSlates(world)))
    assert 1.3 < best / logging < 1.7


@pytest.mark.parametrize("seed", range(3))
def test_segments_need_their_own_policy_only_where_they_differ(seed: int) -> None:
    lift = []
    for name in ("homogeneous", "mild", "strong"):
        world = World.create(WorldSettings(seed=seed, world=name))
        one_for_all = world.true_value(BestSlates(world, "nothing"), days=[0, 20]).value
        lift.append(world.true_value(BestSlates(world), days=[0, 20]).value / one_for_all - 1)
        assert 0.05 < world.true_value(LoggedSlates(world), days=[0]).value < 0.1
    assert abs(lift[0]) < 0.02 < lift[1] < lift[2] - 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_bent_world_needs_the_users_attributes(seed: int) -> None:
    bent = World.create(WorldSettings(seed=seed, world="nonlinear"))
    plain = World.create(WorldSettings(seed=seed, world="strong"))
    for world, low, high in ((bent, 1.15, 1.4), (plain, 0.98, 1.02)):
        by_segment, by_context = (
            world.true_value(BestSlates(world, knows), days=[5]).value for knows in ("segment", "context")
        )
        assert low < by_context / by_segment < high


def test_a_slate_learned_on_the_first_night_grows_stale_where_preferences_move() -> None:
    world = World.create(WorldSettings(world="drift", new_item_share=0.0, stock_out_share=0.0))
    everybody = world.user_ids
    slates = BestSlates(world).slot_probabilities(world.visits(0, everybody))
    lead = []
    for day in (0, 28):
        reward = world.expected_reward(everybody, world.item_ids, 1, day=day)
        best = BestSlates(world).slot_probabilities(world.visits(day, everybody))
        lead.append((slates[:, 0] * reward).sum() / (best[:, 0] * reward).sum())
    assert lead[0] == pytest.approx(1)
    assert lead[1] < 0.85


def test_the_best_slates_follow_a_shift() -> None:
    world = World.create(
        WorldSettings(world="shift", new_item_share=0.0, stock_out_share=0.0, seasonality=0.0)
    )
    old, new = (
        BestSlates(world).slot_probabilities(world.visits(day, world.user_ids))
        for day in (SHIFT_DAY - 1, SHIFT_DAY)
    )
    for day, (best, other) in {SHIFT_DAY - 1: (old, new), SHIFT_DAY: (new, old)}.items():
        reward = world.expected_reward(world.user_ids, world.item_ids, 1, day=day)
        assert (other[:, 0] * reward).sum() < 0.85 * (best[:, 0] * reward).sum()


@pytest.mark.parametrize("seed", [700, 701])
def test_in_a_null_world_no_policy_is_better_than_another(seed: int) -> None:
    world = World.create(WorldSettings(world="null", seed=seed, users=300))
    policies = (
        LoggedSlates(world),
        BestSlates(world, "nothing"),
        BestSlates(world),
        BestSlates(world, "taste"),
    )
    for reward in ("click", "purchase"):
        earned = [world.true_value(policy, reward, days=[0, 20, 40]).value for policy in policies]
        np.testing.assert_allclose(earned, earned[0], rtol=1e-12)
    # On paper: sigmoid(-2.45) of those who look; the season moves all items alike.
    calm = World.create(WorldSettings(world="null", seed=seed, users=300, seasonality=0.0))
    attraction = 1 / (1 + np.exp(2.45))
    assert calm.true_value(LoggedSlates(calm), days=[20]).value == pytest.approx(
        attraction * (0.95 + 0.72 + 0.54) / 3, rel=1e-12
    )
    # Nor is a creative better than another of its campaign and channel, and the logs still prefer some items.
    chance = calm.advertising.click
    for cell in range(len(calm.advertising.cell_share)):
        assert np.ptp(chance[:, calm.advertising.cell == cell]) == 0.0
    assert calm.logging_policy.weights.max() > 2 * calm.logging_policy.weights.min()


def test_expected_reward_follows_the_order_asked_for(world: World) -> None:
    users, items = list(world.user_ids[:3]), list(world.item_ids[:4])
    table = world.expected_reward(users, items, [1, 2, 3], day=[0, 5, 9])
    assert table.shape == (3, 4)
    turned = world.expected_reward(users[::-1], items[::-1], [3, 2, 1], day=[9, 5, 0])
    np.testing.assert_array_equal(turned, table[::-1, ::-1])
    np.testing.assert_array_equal(world.expected_reward([users[1]], items, 2, day=5)[0], table[1])


def test_a_higher_slot_is_clicked_more_and_bought_less_than_clicked(world: World) -> None:
    by_slot = [world.expected_reward(world.user_ids, world.item_ids, slot) for slot in (1, 2, 3)]
    assert (by_slot[0] > by_slot[1]).all()
    assert (by_slot[1] > by_slot[2]).all()
    assert (world.expected_reward(world.user_ids, world.item_ids, 1, "purchase") < by_slot[0]).all()


@pytest.mark.parametrize("slots", [1, 3, 5])
def test_chances_of_a_day_sum_to_one_over_what_is_available(slots: int) -> None:
    world = World.create(WorldSettings(users=10, slots=slots, items=8, stock_out_share=0.4))
    for day in (0, 9):
        opened = world.open(day)
        assert opened.marginals.shape == (2, slots, 8)
        np.testing.assert_allclose(opened.marginals.sum(axis=2), 1.0)
        np.testing.assert_array_equal(opened.marginals[0, 0] > 0, opened.available)


def test_exploring_users_see_a_flatter_choice(world: World) -> None:
    popular, exploring = world.open(0).marginals[:, 0]
    assert exploring.max() < popular.max()
    assert exploring[exploring > 0].min() > popular[popular > 0].min()


def test_of_log_stays_the_policys_own_whatever_actions_are_asked_for(world: World) -> None:
    users = list(world.user_ids[:4])
    day, slot = np.array([0, 0, 7, 20]), np.array([1, 2, 3, 1])
    shown = [world.item_ids[0]] * 4
    some = world.logged_rewards(
        "recommendation", users, world.item_ids[:2], shown_ids=shown, slot=slot, day=day
    )
    everything = world.expected_reward(users, world.item_ids, slot, day=day)
    for row, user in enumerate(users):
        policy = world.logging.policy_of_user[world.people.ids.positions([user])[0]]
        chance = world.open(int(day[row])).marginals[policy, slot[row] - 1]
        assert some.of_log[row] == pytest.approx(chance @ everything[row])
    np.testing.assert_array_equal(some.of_action, everything[:, :2])


def test_ads_compete_inside_their_cell(world: World) -> None:
    ads = world.advertising
    first = world.creative_ids[0]
    logged = world.logged_rewards(
        "advertising",
        world.user_ids[:1],
        world.creative_ids,
        shown_ids=[first],
        slot=1,
        day=np.zeros(1, dtype=np.int64),
        reward="conversion",
    )
    cell = ads.cell == 0
    assert logged.of_log[0] == pytest.approx(ads.propensity[cell] @ logged.of_action[0, cell])


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


def test_nights_have_no_influence_on_the_world() -> None:
    short, long = (World.create(WorldSettings(users=50, days=days)) for days in (1, 60))
    for day in (0, 40):
        np.testing.assert_array_equal(
            short.expected_reward(short.user_ids, short.item_ids, 1, day=day),
            long.expected_reward(long.user_ids, long.item_ids, 1, day=day),
        )
        np.testing.assert_array_equal(short.open(day).marginals, long.open(day).marginals)


def test_a_changed_world_needs_a_new_version(world: World) -> None:
    # another number here means that old logs would be judged by a new truth: raise WORLD_VERSION with it
    seen = []
    names: tuple[WorldName, ...] = ("strong", "nonlinear", "drift", "personal")
    for name in names:
        made = World.create(WorldSettings(world=name))
        everybody = made.expected_reward(made.user_ids, made.item_ids, 1, day=20)
        seen.append(float(everybody.sum()))
    seen += [
        float(world.expected_reward(world.user_ids, world.item_ids, 1, "purchase").sum()),
        float(sum((world.open(day).marginals ** 2).sum() for day in range(28))),
        float(world.advertising.expected_reward("conversion").sum()),
        float(world.spend_response.ceiling_cents.sum()),
    ]
    assert (WORLD_VERSION, [f"{value:.6g}" for value in seen]) == (3, GOLDEN)


def test_load_says_what_is_missing(tmp_path: Path, shop: SimulatedShop) -> None:
    with pytest.raises(InputDataError, match="holds no simulated shop"):
        World.load(tmp_path)
    content = json.loads(shop.world_file.read_text()) | {"world": "wild"}
    (tmp_path / "world.json").write_text(json.dumps(content))
    with pytest.raises(InputDataError, match="wild"):
        World.load(tmp_path)


def test_more_regions_are_more_segments_of_unequal_size() -> None:
    world = World.create(WorldSettings(regions=60, users=20_000))
    assert len(set(world.people.segments)) == 180
    sizes = np.bincount(world.people.region, minlength=60)
    assert sizes.min() > 0
    assert 3 < sizes[0] / sizes[-1] < 6
    assert len(world.spend_response.cells) == 9 * 60
    assert world.people.context.shape == (20_000, 60 + 3 + 4)
    assert set(world.segment_ids(world.user_ids[:500])) <= set(world.people.segments)


def test_the_usual_regions_are_those_of_old() -> None:
    people = World.create(WorldSettings(users=10)).people
    assert people.regions == REGIONS
    assert people.segments[:2] == ("north-mobile", "north-desktop")
    np.testing.assert_array_equal(region_shares(8), REGION_SHARES)
