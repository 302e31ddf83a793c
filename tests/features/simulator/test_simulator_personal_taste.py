import numpy as np
import pytest
from numpy.typing import NDArray

from features.simulator.catalog import CATEGORIES
from features.simulator.personal_taste import PersonalTaste
from features.simulator.reference_policies import BestSlates, LoggedSlates
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.world import World


@pytest.fixture(scope="module")
def personal() -> World:
    return World.create(WorldSettings(world="personal", items=300))


def taste_of(world: World) -> PersonalTaste:
    assert world.click_model.personal is not None
    return world.click_model.personal


def log_odds(world: World) -> NDArray[np.float64]:
    """float64[U, A], what taste adds."""
    users, items = np.arange(len(world.user_ids)), np.arange(len(world.item_ids))
    return taste_of(world).log_odds(users[:, None], items)


def share_between(groups: NDArray[np.int64], rows: NDArray[np.float64]) -> float:
    """Share of the rows' variance that lies between groups; (groups - 1) / (rows - 1) by chance."""
    centered = rows - rows.mean(axis=0)
    means = np.stack([centered[groups == one].mean(axis=0) for one in range(groups.max() + 1)])
    return float((means[groups] ** 2).sum() / (centered**2).sum())


def test_only_a_personal_world_has_personal_taste() -> None:
    assert World.create(WorldSettings(users=10, world="homogeneous")).click_model.personal is None


@pytest.mark.parametrize("items", [30, 300])
def test_a_users_taste_spreads_over_items(items: int) -> None:
    spread = log_odds(World.create(WorldSettings(world="personal", items=items))).std(axis=1)
    assert 0.8 < spread.mean() < 1.0
    assert np.quantile(spread, 0.05) > 0.3  # few care for nothing in particular


def test_taste_makes_no_item_better_on_the_whole(personal: World) -> None:
    added = log_odds(personal)
    # 2000 users of spread 0.95 leave a mean of 0.021 by chance, and their variances differ by 3 %
    assert np.abs(added.mean(axis=0)).max() < 5 * 0.021
    np.testing.assert_allclose(added.std(axis=0), 0.95, rtol=0.08)


def test_neither_segment_nor_attributes_tell_taste(personal: World) -> None:
    added, people = log_odds(personal), personal.people
    users = len(personal.user_ids)
    assert share_between(people.segment, added) == pytest.approx(23 / (users - 1), rel=0.5)
    known = np.hstack([people.context, people.attributes.levels])
    known = known - known.mean(axis=0)
    centered = added - added.mean(axis=0)
    told = known @ np.linalg.lstsq(known, centered, rcond=None)[0]
    assert (told**2).sum() / (centered**2).sum() < 0.02


def test_without_taste_everybody_is_alike(personal: World) -> None:
    users, items = np.arange(100)[:, None], np.arange(300)
    usual = personal.click_model.attraction(users, items, 3, with_taste=False)
    np.testing.assert_array_equal(usual, np.broadcast_to(usual[0], usual.shape))
    own = personal.click_model.attraction(users, items, 3)
    assert np.log(own / usual).std(axis=1).mean() > 0.6


def test_taste_for_one_item_says_something_of_its_neighbours_and_less_of_its_category(
    personal: World,
) -> None:
    position, category = taste_of(personal).of_item, personal.catalog.category
    alike = position @ position.T
    np.fill_diagonal(alike, -1)
    assert np.median(alike.max(axis=1)) > 0.9  # nearly everything has a close relative
    assert len(CATEGORIES) == category.max() + 1
    # 5 / 299 = 1.7 % by chance
    assert 0.05 < share_between(category, position) < 0.4


def test_a_row_is_the_tables_row_to_the_last_bit(personal: World) -> None:
    users, items = np.array([3, 900, 3]), np.array([4, 1, 299])
    np.testing.assert_array_equal(taste_of(personal).log_odds(users, items), log_odds(personal)[users, items])


def test_popularity_has_a_long_tail_and_leaves_nothing_out(personal: World) -> None:
    opened = np.sort(np.exp(taste_of(personal).popularity))[::-1]
    shown = personal.open(5).marginals[0, 0]
    for chances in (opened / opened.sum(), np.sort(shown)[::-1]):
        assert 0.3 < chances[:30].sum() < 0.65
    assert (shown[personal.open(5).available] > 0.3 / 300).all()
    assert np.corrcoef(taste_of(personal).popularity, personal.click_model.quality)[0, 1] > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_best_list_for_all_leaves_more_than_half_to_taste(seed: int) -> None:
    world = World.create(WorldSettings(world="personal", items=300, seed=seed))
    logging = world.true_value(LoggedSlates(world), days=[5]).value
    one_for_all, by_segment, by_context, by_taste = (
        world.true_value(BestSlates(world, knows), days=[5]).value
        for knows in ("nothing", "segment", "context", "taste")
    )
    assert 0.3 < (one_for_all - logging) / (by_taste - logging) < 0.5
    # the segment of ten users has a mean taste by chance
    assert by_segment / one_for_all < 1.06
    assert by_context / one_for_all == pytest.approx(1, abs=0.01)


def test_taste_knows_the_best_slate_of_every_user() -> None:
    world = World.create(WorldSettings(users=50, world="personal", items=12))
    for reward in ("click", "purchase"):
        visits = world.visits(4, world.user_ids[:20])
        slates = BestSlates(world, "taste", reward).slot_probabilities(visits)
        first = world.expected_reward(visits.user_ids, world.item_ids, 1, reward, day=4)
        first[:, ~visits.available] = 0.0
        np.testing.assert_array_equal(slates.argmax(axis=2), np.argsort(-first, axis=1)[:, :3])
        np.testing.assert_array_equal(slates.sum(axis=2), 1.0)


@pytest.mark.parametrize("name", ["strong", "personal"])
def test_nobody_knows_more_than_taste(name: WorldName) -> None:
    world = World.create(WorldSettings(users=300, world=name))
    values = [
        world.true_value(BestSlates(world, knows), days=[7]).value
        for knows in ("nothing", "context", "segment", "taste")
    ]
    assert max(values[:3]) < values[3]


def test_two_items_are_enough() -> None:
    world = World.create(WorldSettings(users=5, items=2, slots=1, world="personal"))
    assert np.isfinite(log_odds(world)).all()
