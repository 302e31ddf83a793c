from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from features.contracts.logs import KEYS, LOGS
from features.simulator.shop import NIGHTLY_LOGS, WHOLE_LOGS, SimulatedShop
from features.simulator.world import World

ReadLog = Callable[[str], pl.DataFrame]


@pytest.mark.parametrize("log", [*NIGHTLY_LOGS, *WHOLE_LOGS])
def test_logs_keep_their_contract(shop: SimulatedShop, read_log: ReadLog, log: str) -> None:
    rows = read_log(log)
    LOGS[log].validate(rows)
    assert len(rows) == shop.n_rows[log] > 0
    assert rows.select(KEYS[log]).is_duplicated().sum() == 0


def test_propensities_are_one_number_per_policy_set_item_and_slot_and_sum_to_one(
    world: World, read_log: ReadLog
) -> None:
    impressions, sets = read_log("impressions"), read_log("candidate_sets")
    cell = ["policy_version", "candidate_set_id", "slot"]
    shown = impressions.group_by(*cell, "item_id").agg(
        pl.col("propensity").first(), kinds=pl.col("propensity").n_unique()
    )
    assert shown["kinds"].max() == 1
    # an item that chance never showed in a cell has no logged propensity: the world knows what is missing
    totals = shown.group_by(cell).agg(pl.len(), pl.col("propensity").sum())
    sizes = sets.group_by("candidate_set_id").agg(size=pl.len())
    whole = totals.join(sizes, on="candidate_set_id").filter(pl.col("len") == pl.col("size"))
    assert len(whole) > 50
    np.testing.assert_allclose(whole["propensity"].to_numpy(), 1.0)
    assert (totals["propensity"] < 1 + 1e-9).all()


def test_items_are_shown_as_often_as_their_propensity_says(world: World, read_log: ReadLog) -> None:
    impressions = read_log("impressions")
    visits = impressions.filter(slot=1).group_by("policy_version", "shown_at", "session_id").len()
    expected = dict.fromkeys(((v, s) for v in world.logging.versions for s in range(3)), np.zeros(30))
    variance = dict(expected)
    for day in range(world.settings.days):
        opened = world.open(day)
        that_day = visits.filter(pl.col("shown_at").dt.date() == opened.date)
        for policy, version in enumerate(world.logging.versions):
            n = len(that_day.filter(policy_version=version))
            for slot, chance in enumerate(opened.marginals[policy]):
                expected[version, slot] = expected[version, slot] + n * chance
                variance[version, slot] = variance[version, slot] + n * chance * (1 - chance)
    items = world.catalog.ids.positions(impressions["item_id"].to_list())
    rows = impressions.select("policy_version", "slot").with_columns(item=items)
    z = [
        (np.bincount(group["item"].to_numpy(), minlength=30) - expected[str(version), int(slot) - 1])
        / np.sqrt(variance[str(version), int(slot) - 1])
        for (version, slot), group in rows.group_by("policy_version", "slot")
    ]
    assert np.abs(z).max() < 4.5
    assert 0.8 < float(np.std(z)) < 1.2


def test_only_what_the_candidate_set_holds_is_shown(world: World, read_log: ReadLog) -> None:
    impressions, sets = read_log("impressions"), read_log("candidate_sets")
    assert impressions.join(sets, on=["candidate_set_id", "item_id"], how="anti").is_empty()
    by_day = impressions.group_by(pl.col("shown_at").dt.date()).agg(pl.col("candidate_set_id").n_unique())
    assert by_day["candidate_set_id"].unique().to_list() == [1]
    assert sets["candidate_set_id"].n_unique() == world.settings.days
    sizes = sets.group_by("candidate_set_id").len()["len"]
    assert sizes.max() <= 30
    assert sizes.n_unique() > 3


def test_each_user_is_served_by_one_policy_for_good(world: World, read_log: ReadLog) -> None:
    impressions = read_log("impressions")
    assert (
        impressions.group_by("user_id").agg(pl.col("policy_version").n_unique())["policy_version"].max() == 1
    )
    share = (impressions["policy_version"] == "explore-1").mean()
    assert isinstance(share, float)
    assert 0.15 < share < 0.25


def test_new_items_and_users_come_in_over_the_nights(world: World, read_log: ReadLog) -> None:
    impressions = read_log("impressions")
    first_shown = impressions.group_by("item_id").agg(pl.col("shown_at").min().dt.date())["shown_at"]
    assert first_shown.n_unique() > 4
    users = read_log("users").select("user_id", "signup_at")
    visited = impressions.join(users, on="user_id")
    assert len(visited) == len(impressions)
    assert (visited["signup_at"] < visited["shown_at"]).all()
    newcomers = users.filter(pl.col("signup_at").dt.date() >= world.settings.first_date)
    assert 0.1 < len(newcomers) / len(users) < 0.2
    assert impressions.join(newcomers, on="user_id", how="semi").height > 1000


def test_weekends_are_busier(read_log: ReadLog) -> None:
    shown = read_log("impressions").group_by(pl.col("shown_at").dt.weekday()).len().sort("shown_at")["len"]
    assert shown[5] > 1.05 * shown[1]


def test_attributes_are_one_json_object_per_user(world: World, read_log: ReadLog) -> None:
    told = read_log("users")["attributes"].str.json_decode(
        pl.Struct(
            {
                "age_band": pl.String,
                "tenure_years": pl.Float64,
                "price_sense": pl.Float64,
                "household_size": pl.Int64,
            }
        )
    )
    known = told.struct.unnest()
    n = len(known)
    assert known.null_count().sum_horizontal().item() == 0
    np.testing.assert_allclose(known["price_sense"], world.people.attributes.price_sense[:n])
    levels = world.people.attributes.levels
    assert np.abs(levels).max() < 3
    assert np.abs(levels.mean(axis=0)).max() < 0.4
    assert np.abs(levels.std(axis=0) - 1).max() < 0.2


def test_a_visit_fills_each_slot_with_another_item(read_log: ReadLog) -> None:
    visits = (
        read_log("impressions")
        .group_by("session_id")
        .agg(pl.len(), pl.col("slot").sort(), pl.col("item_id", "user_id", "shown_at").n_unique())
    )
    assert visits["len"].unique().to_list() == [3]
    assert visits["slot"].unique().to_list() == [[1, 2, 3]]
    assert visits["item_id"].unique().to_list() == [3]
    assert visits["user_id"].unique().to_list() == [1]
    assert visits["shown_at"].unique().to_list() == [1]


def test_clicks_belong_to_their_impression_and_come_within_a_day(read_log: ReadLog) -> None:
    clicks = read_log("events").filter(event_type="click")
    shown = read_log("impressions").select("impression_id", "user_id", "item_id", "session_id", "shown_at")
    matched = clicks.join(shown, on=["impression_id", "user_id", "item_id", "session_id"])
    delay = (matched["occurred_at"] - matched["shown_at"]).dt.total_seconds().to_numpy()
    assert len(matched) == len(clicks)
    assert delay.min() > 0
    assert 12 * 3600 < delay.max() < 24 * 3600
    assert np.median(delay) < 600
    next_day = matched.filter(pl.col("occurred_at").dt.date() > pl.col("shown_at").dt.date())
    assert 0 < len(next_day) < 0.1 * len(clicks)


def test_orders_follow_their_click_within_a_day_of_the_impression(read_log: ReadLog) -> None:
    orders = read_log("purchases").with_columns(impression_id=pl.col("order_id").str.strip_suffix("-order"))
    clicks = read_log("events").filter(event_type="click").select("impression_id", "occurred_at")
    shown = read_log("impressions").select("impression_id", "user_id", "item_id", "shown_at")
    matched = orders.join(clicks, on="impression_id").join(shown, on=["impression_id", "user_id", "item_id"])
    assert len(matched) == len(orders)
    assert (matched["ordered_at"] > matched["occurred_at"]).all()
    assert (matched["ordered_at"] - matched["shown_at"]).dt.total_seconds().to_numpy().max() < 24 * 3600


def test_orders_went_through_the_cart_at_the_price_of_the_catalog(read_log: ReadLog) -> None:
    orders = read_log("purchases")
    carts = read_log("events").filter(event_type="add_to_cart")["impression_id"]
    assert orders["order_id"].str.strip_suffix("-order").is_in(carts.implode()).all()
    priced = orders.join(read_log("items").select("item_id", catalog="price_cents"), on="item_id")
    assert (priced["price_cents"] == priced["catalog"]).all()
    assert 0.02 < float(orders["is_cancelled"].to_numpy().mean()) < 0.08


def test_searched_pages_show_taste_and_no_impression(world: World, read_log: ReadLog) -> None:
    views = read_log("events").filter(pl.col("impression_id").is_null())
    assert views["event_type"].unique().to_list() == ["view"]
    users = world.people.ids.positions(views["user_id"].to_list())
    items = world.catalog.ids.positions(views["item_id"].to_list())
    attraction = world.click_model.attraction(users[:, None], np.arange(30), 0)
    liked = attraction[np.arange(len(users)), items] / attraction.mean(axis=1)
    assert liked.mean() > 1.05
