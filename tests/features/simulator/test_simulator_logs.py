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


def test_propensities_are_one_number_per_item_and_slot_and_sum_to_one(read_log: ReadLog) -> None:
    cells = (
        read_log("impressions")
        .group_by("slot", "item_id")
        .agg(pl.col("propensity").first(), kinds=pl.col("propensity").n_unique())
    )
    assert cells["kinds"].max() == 1
    totals = cells.group_by("slot").agg(pl.len(), pl.col("propensity").sum())
    assert totals["len"].to_list() == [30, 30, 30]
    np.testing.assert_allclose(totals["propensity"].to_numpy(), 1.0)


def test_items_are_shown_as_often_as_their_propensity_says(read_log: ReadLog) -> None:
    impressions = read_log("impressions")
    n = len(impressions.filter(slot=1))
    shown = impressions.group_by("slot", "item_id").agg(n=pl.len(), p=pl.col("propensity").first())
    z = (shown["n"] - n * shown["p"]) / (n * shown["p"] * (1 - shown["p"])).sqrt()
    assert z.abs().to_numpy().max() < 4.5
    assert 0.8 < float(z.to_numpy().std()) < 1.2


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
    attraction = world.click_model.attraction[users]
    liked = attraction[np.arange(len(users)), items] / attraction.mean(axis=1)
    assert liked.mean() > 1.05


def test_users_signed_up_before_the_first_night(world: World, read_log: ReadLog) -> None:
    signup_dates = read_log("users")["signup_at"].dt.date()
    assert (signup_dates < world.settings.first_date).all()
