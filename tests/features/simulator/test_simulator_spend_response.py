from collections.abc import Callable
from typing import cast

import numpy as np
import polars as pl
import pytest

from features.errors import InputDataError
from features.simulator.people import REGIONS
from features.simulator.world import World


def test_revenue_saturates(world: World) -> None:
    spend = np.array([0.0, 1e4, 2e4, 1e12])
    revenue = world.expected_revenue_cents("always-on", "search", "north", spend)
    cell = world.spend_response.cells.positions(["always-on/search/north"])[0]
    assert revenue[0] == 0
    assert revenue[1] < revenue[2] < 2 * revenue[1]
    assert revenue[3] == pytest.approx(world.spend_response.ceiling_cents[cell], rel=1e-4)


def test_half_of_the_ceiling_at_the_half_spend(world: World) -> None:
    response = world.spend_response
    for position, cell in enumerate(response.cells.ids):
        campaign_id, channel, segment_id = cell.split("/")
        revenue = response.expected_revenue_cents(
            campaign_id, channel, segment_id, response.half_spend_cents[position]
        )
        assert revenue == pytest.approx(response.ceiling_cents[position] / 2)


def test_the_feed_follows_the_curve(world: World, read_log: Callable[[str], pl.DataFrame]) -> None:
    feed = read_log("ad_spend_daily")
    ratio = feed["revenue_cents"].to_numpy() / np.array(
        [
            world.expected_revenue_cents(*row)
            for row in feed.select("campaign_id", "channel", "segment_id", "spend_cents").iter_rows()
        ]
    )
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio))


def test_every_cell_spends_differently_from_day_to_day(read_log: Callable[[str], pl.DataFrame]) -> None:
    by_cell = read_log("ad_spend_daily").group_by("campaign_id", "channel", "segment_id")
    cells = by_cell.agg(days=pl.len(), spread=pl.col("spend_cents").max() / pl.col("spend_cents").min())
    assert len(cells) == 9 * len(REGIONS)
    assert cells["days"].unique().to_list() == [28]
    assert cast(float, cells["spread"].min()) > 2
    assert cast(float, cells["spread"].max()) < 4.01


def test_the_same_money_elsewhere_brings_more(world: World) -> None:
    # at the optimum of a concave problem all marginal returns are equal; here they are far from it
    response = world.spend_response
    marginal = (
        response.ceiling_cents
        * response.half_spend_cents
        / (response.half_spend_cents + response.usual_spend_cents) ** 2
    )
    assert marginal.max() > 4 * marginal.min()


def test_an_unknown_cell_is_refused(world: World) -> None:
    with pytest.raises(InputDataError, match="always-on/radio/north"):
        world.expected_revenue_cents("always-on", "radio", "north", 100)
