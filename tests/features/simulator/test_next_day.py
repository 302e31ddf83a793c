"""The next days of a simulated shop: like any other where no table acts, else as the table says."""

from dataclasses import replace
from datetime import date
from math import log
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.errors import UsageError
from features.simulator.next_day import simulate_next_days
from features.simulator.served_slates import ServedSlates
from features.simulator.served_tables import ServedTables
from features.simulator.settings import WorldSettings
from features.simulator.shop import LATE, simulate
from features.simulator.world import World

MEAN_FACTOR = 1.5 / (2 * log(2))
"""Of a factor between a half and two whose logarithm is uniform."""

SETTINGS = WorldSettings(users=120, days=3, seed=5, stock_out_share=0.3)


def nobody(world: World) -> ServedSlates:
    shape = len(world.user_ids), world.settings.slots
    return ServedSlates(
        np.full(shape, -1), np.ones(shape), np.zeros(shape[0], np.int64), ("",), "home-20260107"
    )


def everybody(world: World, *slate: int) -> ServedSlates:
    none = nobody(world)
    item = np.tile(np.array(slate), (len(none.item), 1))
    return replace(none, item=item, propensity=np.full(item.shape, 0.25), versions=("mixed-1",))


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != LATE]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_days_on_which_no_table_acts_are_those_of_a_longer_simulation(tmp_path: Path) -> None:
    simulate(SETTINGS, tmp_path / "short")
    simulate(replace(SETTINGS, days=5), tmp_path / "long")
    for day in (3, 4):
        simulate_next_days(tmp_path / "short", ServedTables(nobody(World.create(SETTINGS))), day)
    assert content(tmp_path / "short") == content(tmp_path / "long")


def test_the_table_acts_on_the_same_visitors(tmp_path: Path) -> None:
    world = World.create(SETTINGS)
    simulate(SETTINGS, tmp_path / "shop")
    simulate(replace(SETTINGS, days=4), tmp_path / "own")
    sold_out = int(np.flatnonzero(~world.open(3).available & (world.catalog.launch_day <= 3))[0])
    slate = [sold_out, *np.flatnonzero(world.open(3).available)[:2].tolist()]
    simulate_next_days(tmp_path / "shop", ServedTables(everybody(world, *slate)), 3)

    shown, own = (pl.read_csv(tmp_path / name / "impressions" / "2026-01-08.csv") for name in ("shop", "own"))
    same = ["impression_id", "shown_at", "user_id", "session_id", "slot", "surface"]
    assert shown.select(same).equals(own.select(same))
    assert shown.filter(slot=1)["item_id"].unique().to_list() == [world.item_ids[sold_out]]
    assert set(shown["propensity"]) == {0.25}
    assert set(shown["policy_version"]) == {"mixed-1"}
    assert set(shown["candidate_set_id"]) == {"home-20260107"}
    events = pl.read_csv(tmp_path / "shop" / "events" / "2026-01-08.csv").filter(event_type="click")
    assert events.filter(pl.col("impression_id").str.ends_with("-1")).height == 0
    assert events.filter(pl.col("impression_id").str.ends_with("-2")).height > 0


def test_creatives_act_within_their_campaign_and_channel(tmp_path: Path) -> None:
    world = World.create(SETTINGS)
    ads, segments = world.advertising, len(world.people.segments)
    # The first creative of each cell in even segments, the last in odd ones.
    first, last = (
        np.array([choose(np.flatnonzero(ads.cell == cell)) for cell in ads.cell]) for choose in (min, max)
    )
    chances = np.where(
        np.arange(segments)[:, None] % 2, np.arange(len(ads.cell)) == last, np.arange(len(ads.cell)) == first
    )
    simulate(SETTINGS, tmp_path / "shop")
    simulate(replace(SETTINGS, days=4), tmp_path / "own")
    simulate_next_days(tmp_path / "shop", ServedTables(creatives=chances.astype(float)), 3)
    shown, own = (
        pl.read_csv(tmp_path / name / "ad_impressions" / "2026-01-08.csv") for name in ("shop", "own")
    )
    assert shown["user_id"].equals(own["user_id"])
    assert set(shown["propensity"]) == {1.0}
    segment = world.people.segment[world.people.ids.positions(shown["user_id"].to_list())]
    creative = ads.ids.positions(shown["creative_id"].to_list())
    assert (creative == np.where(segment % 2, last[creative], first[creative])).all()
    # Which campaign and channel an ad is for is not the table's choice.
    share = np.bincount(ads.cell[creative], minlength=9) / len(creative)
    np.testing.assert_allclose(share, ads.cell_share, atol=4 * (0.25 / len(creative)) ** 0.5)


def test_a_planned_budget_is_spent_but_for_the_daily_factor(tmp_path: Path) -> None:
    world = World.create(SETTINGS)
    simulate(SETTINGS, tmp_path / "shop")
    simulate(replace(SETTINGS, days=4), tmp_path / "own")
    planned = 3.0 * world.spend_response.usual_spend_cents
    planned[0] = 0.0
    simulate_next_days(tmp_path / "shop", ServedTables(spend_cents=planned), 3)
    spent, own = (
        pl.read_csv(tmp_path / name / "ad_spend_daily" / "2026-01-08.csv")["spend_cents"].to_numpy()
        for name in ("shop", "own")
    )
    assert spent[0] == 0
    np.testing.assert_allclose(spent[1:], 3 * own[1:] / MEAN_FACTOR, atol=2)


def test_many_days_of_a_plan_spend_it_on_average() -> None:
    response = World.create(SETTINGS).spend_response
    planned = np.full(len(response.cells), 10_000.0)
    days = [response.feed(5, day, date(2026, 1, 5), planned)["spend_cents"].mean() for day in range(200)]
    assert np.mean(days) == pytest.approx(10_000, rel=0.01)


def test_the_last_day_is_drawn_again_to_the_same_bytes(tmp_path: Path) -> None:
    world = World.create(SETTINGS)
    served = ServedTables(everybody(world, 0, 1, 2))
    simulate(SETTINGS, tmp_path / "shop")
    first = simulate_next_days(tmp_path / "shop", served, 3)
    before = content(tmp_path / "shop")
    assert simulate_next_days(tmp_path / "shop", served, 3) == first
    assert content(tmp_path / "shop") == before


def test_days_in_turn_are_those_of_one_day_each_and_are_drawn_again_to_the_same_bytes(tmp_path: Path) -> None:
    world = World.create(SETTINGS)
    served = ServedTables(everybody(world, 0, 1, 2))
    for name in ("together", "in turn"):
        simulate(SETTINGS, tmp_path / name)
    drawn = simulate_next_days(tmp_path / "together", served, 3, 3)
    for day in (3, 4, 5):
        simulate_next_days(tmp_path / "in turn", served, day)
    before = content(tmp_path / "together")
    assert before == content(tmp_path / "in turn")
    assert (drawn.first, drawn.last) == (date(2026, 1, 8), date(2026, 1, 10))
    shown = [tmp_path / "together" / "impressions" / f"2026-01-{day:02}.csv" for day in (8, 9, 10)]
    assert drawn.n_rows["impressions"] == sum(pl.read_csv(path).height for path in shown)
    assert drawn.n_users == pl.read_csv(tmp_path / "together" / "users.csv").height
    assert "users" not in drawn.n_rows

    assert simulate_next_days(tmp_path / "together", served, 3, 3) == drawn
    assert content(tmp_path / "together") == before


def test_days_that_would_stay_after_those_that_are_drawn_are_refused(tmp_path: Path) -> None:
    simulate(SETTINGS, tmp_path / "shop")
    simulate_next_days(tmp_path / "shop", ServedTables(), 3, 3)
    before = content(tmp_path / "shop")
    with pytest.raises(UsageError, match="set days to 3 or more"):
        simulate_next_days(tmp_path / "shop", ServedTables(), 3, 2)
    assert content(tmp_path / "shop") == before


@pytest.mark.parametrize("n_days", [0, -2])
def test_fewer_than_one_day_is_refused(n_days: int, tmp_path: Path) -> None:
    simulate(SETTINGS, tmp_path / "shop")
    before = content(tmp_path / "shop")
    with pytest.raises(UsageError, match=f"1 day or more, not {n_days}"):
        simulate_next_days(tmp_path / "shop", ServedTables(), 3, n_days)
    assert content(tmp_path / "shop") == before


@pytest.mark.parametrize("day", [1, 4])
def test_a_table_of_another_night_is_refused(day: int, tmp_path: Path) -> None:
    simulate(SETTINGS, tmp_path / "shop")
    with pytest.raises(UsageError, match="day 3 is next"):
        simulate_next_days(tmp_path / "shop", ServedTables(), day)


def test_a_shop_with_dirty_lines_is_refused(tmp_path: Path) -> None:
    dirty = replace(SETTINGS, dirt=0.02)
    simulate(dirty, tmp_path / "shop")
    with pytest.raises(UsageError, match="simulate it without dirt"):
        simulate_next_days(tmp_path / "shop", ServedTables(), 3)
