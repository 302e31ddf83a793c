from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from features.simulator.preferences import HETEROGENEITY, SHIFT_DAY, ShiftingPreferences
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.world import World


def deviations(world: World, day: int = 0) -> NDArray[np.float64]:
    users = np.arange(len(world.user_ids))
    return world.click_model.preferences.deviation(users[:, None], np.arange(len(world.item_ids)), day)


@pytest.mark.parametrize("name", get_args(WorldName))
def test_segments_differ_as_much_as_the_world_says(name: WorldName) -> None:
    spread = [deviations(World.create(WorldSettings(seed=seed, world=name))).std() for seed in range(5)]
    assert np.mean(spread) == pytest.approx(HETEROGENEITY[name], rel=0.1, abs=1e-12)


def test_drift_begins_as_strong_and_turns_away() -> None:
    strong, drift = (World.create(WorldSettings(world=name)) for name in ("strong", "drift"))
    first = deviations(drift)
    np.testing.assert_allclose(first, deviations(strong))
    correlation = [np.corrcoef(first.ravel(), deviations(drift, day).ravel())[0, 1] for day in (1, 14, 28)]
    # cosines of 3.2, 45 and 90 degrees; users are not spread evenly over segments
    np.testing.assert_allclose(correlation, [0.998, 0.707, 0.0], atol=0.1)


def test_tastes_jump_once_and_have_nothing_in_common() -> None:
    strong, shift = (World.create(WorldSettings(world=name, users=6000)) for name in ("strong", "shift"))
    before, after = (deviations(shift, day) for day in (SHIFT_DAY - 1, SHIFT_DAY))
    np.testing.assert_array_equal(deviations(shift), before)
    np.testing.assert_array_equal(before, deviations(strong))
    np.testing.assert_array_equal(after, deviations(shift, SHIFT_DAY + 30))
    preferences = shift.click_model.preferences
    assert isinstance(preferences, ShiftingPreferences)
    one, other = preferences.before, preferences.after
    assert (one * other).sum() == pytest.approx(0.0, abs=1e-9)
    assert other.std() == pytest.approx(one.std())
    days = np.array([SHIFT_DAY - 1, SHIFT_DAY])
    rows = preferences.deviation(np.array([3, 3]), np.array([4, 4]), days)
    np.testing.assert_array_equal(rows, [before[3, 4], after[3, 4]])


@pytest.mark.parametrize("name", ["strong", "nonlinear"])
def test_other_worlds_stay(name: WorldName) -> None:
    world = World.create(WorldSettings(world=name, users=300))
    np.testing.assert_array_equal(deviations(world), deviations(world, 50))


def test_no_table_and_no_line_describes_a_nonlinear_segment() -> None:
    world = World.create(WorldSettings(world="nonlinear", users=6000))
    deviation, segment = deviations(world), world.people.segment
    levels = world.people.attributes.levels
    members = segment == np.bincount(segment).argmax()
    facts = np.hstack([levels[members], np.ones((members.sum(), 1))])
    whole = deviation[members]
    by_table = whole - whole.mean(axis=0)
    by_line = whole - facts @ np.linalg.lstsq(facts, whole, rcond=None)[0]
    assert by_table.var() / (whole**2).mean() > 0.5
    assert by_line.var() / (whole**2).mean() > 0.1


def test_no_item_is_better_for_everybody_by_its_segments() -> None:
    for name in ("mild", "strong", "drift", "shift"):
        world = World.create(WorldSettings(world=name, users=6000))
        deviation, segment = deviations(world), world.people.segment
        by_segment = [deviation[segment == one].mean(axis=0) for one in range(len(world.people.segments))]
        np.testing.assert_allclose(np.mean(by_segment, axis=0), 0.0, atol=1e-12)


def test_one_row_is_the_tables_row() -> None:
    for name in ("strong", "nonlinear", "drift", "personal", "shift"):
        world = World.create(WorldSettings(world=name, users=50))
        users, items, days = np.array([3, 9]), np.array([4, 1]), np.array([2, 20])
        rows = world.click_model.preferences.deviation(users, items, days)
        np.testing.assert_allclose(
            rows,
            [deviations(world, day)[user, item] for user, item, day in zip(users, items, days, strict=True)],
        )
