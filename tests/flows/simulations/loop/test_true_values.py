from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.simulator.policy_value import Visits
from features.simulator.served_slates import ServedSlates
from features.simulator.settings import WorldSettings
from features.simulator.shop import simulate
from features.simulator.world import World
from flows.simulations.loop.logged_clicks import LoggedClicks
from flows.simulations.loop.pooled import item_log_odds, pooled_slates
from flows.simulations.loop.thompson import thompson_slates
from flows.simulations.loop.true_values import day_values, served_value, table_value

SETTINGS = WorldSettings(users=150, days=3, seed=6, stock_out_share=0.2)
DAY = 3


@pytest.fixture(scope="module")
def world() -> World:
    return World.create(SETTINGS)


def slates(world: World, items: list[int]) -> ServedSlates:
    item = np.tile(np.array(items), (len(world.user_ids), 1))
    return ServedSlates(item, np.ones(item.shape), np.zeros(len(item), np.int64), ("v",), "home-1")


@dataclass(frozen=True)
class OneSlate:
    """The same slate for everybody, as probabilities."""

    items: list[int]

    def slot_probabilities(self, visits: Visits) -> np.ndarray:
        chances = np.zeros((len(visits.user_ids), len(self.items), len(visits.available)))
        chances[:, np.arange(len(self.items)), self.items] = 1.0
        return chances


def test_the_value_of_slates_is_that_of_the_policy_that_shows_them(world):
    items = np.flatnonzero(world.open(DAY).available)[:3].tolist()
    expected = world.true_value(OneSlate(items), days=[DAY]).value
    assert served_value(world, slates(world, items), DAY) == pytest.approx(expected, rel=1e-12)


def test_users_without_a_list_are_served_by_the_first_policies(world):
    nobody = replace(slates(world, [0, 1, 2]), item=np.full((len(world.user_ids), 3), -1))
    values = day_values(world, nobody, DAY, exploration=0.1)
    assert values.served == pytest.approx(values.first, rel=1e-12)


def test_the_table_of_a_policy_is_its_slates_of_the_evening_before(world):
    """Of a policy that shows everybody the same, on a day whose sold-out items its table still shows."""
    items = np.flatnonzero(world.open(DAY - 1).available)[:3].tolist()
    of_table = table_value(world, OneSlate(items), DAY, 0.0, tastes_of=DAY)
    known = len(world.open(DAY - 1).visit_rate)
    shown = slates(world, items)
    shown.item[known:] = -1
    assert of_table == pytest.approx(served_value(world, shown, DAY), rel=1e-12)


def test_a_table_explores_among_what_was_on_offer(world):
    eve = np.flatnonzero(world.open(DAY - 1).available)
    known = len(world.open(DAY - 1).visit_rate)
    # On paper: one slate of ten is drawn uniformly, each item of the evening as often as any other.
    alone = []
    for first in eve:
        shown = slates(world, [int(first)] * 3)
        shown.item[known:] = -1
        alone.append(served_value(world, shown, DAY))
    policy = OneSlate(eve[:3].tolist())
    plain, explored = (table_value(world, policy, DAY, share, tastes_of=DAY) for share in (0.0, 0.1))
    assert explored == pytest.approx(0.9 * plain + 0.1 * float(np.mean(alone)), rel=1e-12)


def test_the_oracle_is_the_best_of_tables(world):
    values = day_values(world, slates(world, [0, 1, 2]), DAY, exploration=0.1)
    assert max(values.served, values.first_explored) < values.oracle


def test_what_is_sold_out_earns_nothing(world):
    gone = int(np.flatnonzero(~world.open(DAY).available)[0])
    there = np.flatnonzero(world.open(DAY).available)[:2].tolist()
    some, more = (served_value(world, slates(world, [gone, *rest]), DAY) for rest in (there, there[::-1]))
    assert min(some, more) > 0.0
    assert served_value(world, slates(world, [gone, gone, gone]), DAY) == 0.0


def clicked_favorite(tmp_path: Path) -> tuple[World, Path, int]:
    """A shop in which one item alone is ever clicked, on every impression of it; that item's position."""
    logs, settings = tmp_path / "logs", replace(SETTINGS, users=400, regions=2)
    simulate(settings, logs)
    world = World.create(settings)
    favorite = int(np.flatnonzero(world.open(2).available)[0])
    for path in (logs / "impressions").glob("*.csv"):
        shown = pl.read_csv(path).filter(item_id=world.item_ids[favorite])
        clicks = shown.select("impression_id", event_type=pl.lit("click"))
        clicks.write_csv(logs / "events" / path.name)
    return world, logs, favorite


def test_thompson_shows_what_is_clicked(tmp_path: Path):
    world, logs, favorite = clicked_favorite(tmp_path)
    found = thompson_slates(world, logs, 2)
    assert (found.item[:, 0] == favorite).mean() > 0.7
    assert set(found.item[world.people.active(2) :].ravel()) <= {-1}
    assert found.candidate_set_id == "home-20260107"


def test_the_pooled_model_shows_what_is_clicked_and_as_often_as_it_says(tmp_path: Path):
    world, logs, favorite = clicked_favorite(tmp_path)
    known, available = world.people.active(2), world.open(2).available
    found = pooled_slates(world, logs, 2, exploration=0.2)
    item, propensity = found.item[:known], found.propensity[:known]
    assert set(found.item[known:].ravel()) <= {-1}
    assert available[item].all()
    assert (np.diff(np.sort(item, axis=1), axis=1) > 0).all()
    # On paper: the best item has 0.8 and its share of the uniform slates, each other item that share alone.
    uniform = 0.2 / available.sum()
    is_first = item[:, 0] == favorite
    np.testing.assert_allclose(propensity[:, 0], np.where(is_first, 0.8 + uniform, uniform))
    assert is_first.mean() == pytest.approx(0.8 + uniform, abs=0.06)
    assert len({tuple(slate) for slate in pooled_slates(world, logs, 2, exploration=0.0).item[:known]}) == 1


def test_the_pooled_model_tells_items_from_slots(world):
    """Item 0 is clicked as item 1 is, slot for slot, but stands below it more often."""
    n = np.array([[90, 10], [10, 90]])  # rounds of items 0 and 1 in slots 0 and 1
    clicks = np.array([[45, 1], [5, 9]])
    rows = [
        (item, slot, number < clicks[item, slot])
        for item in (0, 1)
        for slot in (0, 1)
        for number in range(n[item, slot])
    ]
    item, slot, clicked = (np.array(column) for column in zip(*rows, strict=True))
    logged = LoggedClicks(np.zeros(len(item), np.int64), item, slot, clicked)
    appeal = item_log_odds(world, logged)
    assert appeal[0] == pytest.approx(appeal[1], abs=0.25)
    assert appeal[2:] == pytest.approx(0.0)
    nothing = replace(logged, clicked=np.zeros(len(item), bool))
    assert not item_log_odds(world, nothing).any()
