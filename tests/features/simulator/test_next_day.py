"""The next day of a simulated shop: like any other where no table acts, else as the table says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.errors import UsageError
from features.simulator.next_day import simulate_next_day
from features.simulator.served_slates import ServedSlates
from features.simulator.settings import WorldSettings
from features.simulator.shop import LATE, simulate
from features.simulator.world import World

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
        simulate_next_day(tmp_path / "short", nobody(World.create(SETTINGS)), day)
    assert content(tmp_path / "short") == content(tmp_path / "long")


def test_the_table_acts_on_the_same_visitors(tmp_path: Path) -> None:
    world = World.create(SETTINGS)
    simulate(SETTINGS, tmp_path / "shop")
    simulate(replace(SETTINGS, days=4), tmp_path / "own")
    sold_out = int(np.flatnonzero(~world.open(3).available & (world.catalog.launch_day <= 3))[0])
    slate = [sold_out, *np.flatnonzero(world.open(3).available)[:2].tolist()]
    simulate_next_day(tmp_path / "shop", everybody(world, *slate), 3)

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


def test_the_last_day_is_drawn_again_to_the_same_bytes(tmp_path: Path) -> None:
    world = World.create(SETTINGS)
    simulate(SETTINGS, tmp_path / "shop")
    first = simulate_next_day(tmp_path / "shop", everybody(world, 0, 1, 2), 3)
    before = content(tmp_path / "shop")
    assert simulate_next_day(tmp_path / "shop", everybody(world, 0, 1, 2), 3) == first
    assert content(tmp_path / "shop") == before


@pytest.mark.parametrize("day", [1, 4])
def test_a_table_of_another_night_is_refused(day: int, tmp_path: Path) -> None:
    simulate(SETTINGS, tmp_path / "shop")
    with pytest.raises(UsageError, match="day 3 is next"):
        simulate_next_day(tmp_path / "shop", nobody(World.create(SETTINGS)), day)


def test_a_shop_with_dirty_lines_is_refused(tmp_path: Path) -> None:
    dirty = replace(SETTINGS, dirt=0.02)
    simulate(dirty, tmp_path / "shop")
    with pytest.raises(UsageError, match="simulate it without dirt"):
        simulate_next_day(tmp_path / "shop", nobody(World.create(dirty)), 3)
