from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from features.simulator.world import World

ReadLog = Callable[[str], pl.DataFrame]


def test_propensities_sum_to_one_over_the_creatives_of_a_cell(read_log: ReadLog) -> None:
    creatives = read_log("ad_impressions").unique(["campaign_id", "channel", "creative_id"])
    cells = creatives.group_by("campaign_id", "channel").agg(pl.len(), pl.col("propensity").sum())
    assert len(cells) == 9
    assert set(cells["len"]) == {2, 3}
    np.testing.assert_allclose(cells["propensity"].to_numpy(), 1.0)


def test_creatives_are_shown_as_often_as_their_propensity_says(read_log: ReadLog) -> None:
    shown = (
        read_log("ad_impressions")
        .group_by("campaign_id", "channel", "creative_id")
        .agg(n=pl.len(), p=pl.col("propensity").first(), kinds=pl.col("propensity").n_unique())
        .with_columns(cell=pl.col("n").sum().over("campaign_id", "channel"))
    )
    z = (shown["n"] - shown["cell"] * shown["p"]) / (shown["cell"] * shown["p"] * (1 - shown["p"])).sqrt()
    assert shown["kinds"].max() == 1
    assert z.abs().to_numpy().max() < 4


@pytest.mark.parametrize(("reward", "column"), [("click", "is_clicked"), ("conversion", "conversions")])
def test_ads_bring_what_the_truth_says(world: World, read_log: ReadLog, reward: str, column: str) -> None:
    ads = read_log("ad_impressions")
    user_ids = ads["user_id"].to_list()
    creative = world.advertising.ids.positions(ads["creative_id"].to_list())
    truth = world.expected_ad_reward(user_ids, world.creative_ids, reward)  # type: ignore[arg-type]
    rows = pl.DataFrame(
        {
            "segment": world.segment_ids(user_ids),
            "truth": truth[np.arange(len(ads)), creative],
            "reward": ads[column].cast(pl.Int64),
        }
    )
    z = rows.group_by("segment").agg(
        (pl.col("reward") - pl.col("truth")).sum() / (pl.col("truth") * (1 - pl.col("truth"))).sum().sqrt()
    )["reward"]
    assert len(z) == len(world.people.segments)
    assert z.abs().to_numpy().max() < 4


def test_ads_bring_the_true_revenue(world: World, read_log: ReadLog) -> None:
    ads = read_log("ad_impressions")
    creative = world.advertising.ids.positions(ads["creative_id"].to_list())
    truth = world.expected_ad_reward(ads["user_id"].to_list(), world.creative_ids, "revenue")
    expected = truth[np.arange(len(ads)), creative]
    earned = ads["conversion_value_cents"].to_numpy() / 100

    # orders of 45 EUR, gamma with shape 4: E[v²] = 45² · 5 / 4
    assert abs(earned.sum() - expected.sum()) < 4 * np.sqrt((expected * 45 * 1.25).sum())


def test_value_comes_with_conversions_and_conversions_with_clicks(read_log: ReadLog) -> None:
    ads = read_log("ad_impressions")
    assert ads.filter((pl.col("conversions") > 0) & ~pl.col("is_clicked")).is_empty()
    assert ads.filter((pl.col("conversions") > 0) != (pl.col("conversion_value_cents") > 0)).is_empty()
    assert ads.filter(pl.col("cost_cents") < 1).is_empty()


def test_expected_ad_reward_follows_the_order_asked_for(world: World) -> None:
    users, creatives = list(world.user_ids[:5]), list(world.creative_ids)
    table = world.expected_ad_reward(users, creatives)
    assert table.shape == (5, 22)
    turned = world.expected_ad_reward(users[::-1], creatives[::-1])
    np.testing.assert_array_equal(turned, table[::-1, ::-1])
    assert (world.expected_ad_reward(users, creatives, "conversion") < table).all()
