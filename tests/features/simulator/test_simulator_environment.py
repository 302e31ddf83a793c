import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from features.errors import UsageError
from features.simulator.environment import ShopEnvironment
from features.simulator.settings import WorldSettings
from features.simulator.world import World


@pytest.fixture(scope="module")
def small_world() -> World:
    return World.create(WorldSettings(users=200, items=12, days=5, stock_out_share=0.3))


@pytest.mark.parametrize("whole_slate", [True, False])
def test_gymnasium_finds_nothing_wrong(small_world: World, whole_slate: bool) -> None:
    check_env(ShopEnvironment(small_world, whole_slate=whole_slate), skip_render_check=True)


def test_an_episode_is_truncated_after_its_visits(small_world: World) -> None:
    shop = ShopEnvironment(small_world, visits=3)
    shop.reset(seed=0)
    ends = [shop.step(np.int64(0))[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]
    with pytest.raises(UsageError, match="call reset"):
        shop.step(np.int64(0))


def test_rewards_come_as_often_as_the_truth_says(small_world: World) -> None:
    shop = ShopEnvironment(small_world, whole_slate=True, visits=4000)
    observation, info = shop.reset(seed=1, options={"day": 2})
    reward, expected = [], []
    random = np.random.default_rng(0)
    for _ in range(4000):
        slate = random.choice(np.flatnonzero(observation["available"]), 3, replace=False)
        ids = [small_world.item_ids[item] for item in slate]
        truth = small_world.expected_reward([info["user_id"]] * 3, ids, [1, 2, 3], day=2)
        observation, clicks, _, _, info = shop.step(slate)
        assert info["expected_reward"] == pytest.approx(np.trace(truth))
        reward.append(clicks)
        expected.append(info["expected_reward"])
    assert abs(np.sum(reward) - np.sum(expected)) < 4 * np.sqrt(np.sum(expected))
    assert set(reward) <= {0.0, 1.0, 2.0, 3.0}


def test_what_is_out_of_stock_or_shown_above_leaves_its_place_empty(small_world: World) -> None:
    shop = ShopEnvironment(small_world, whole_slate=True)
    observation, _ = shop.reset(seed=2, options={"day": 3})
    there = int(np.flatnonzero(observation["available"])[0])
    gone = int(np.flatnonzero(observation["available"] == 0)[0])
    alone = shop.step(np.array([there, there, gone]))[-1]["expected_reward"]
    shop.reset(seed=2, options={"day": 3})
    assert 0 < alone == shop.step(np.array([there, gone, gone]))[-1]["expected_reward"]


def test_visitors_come_as_often_as_they_visit(small_world: World) -> None:
    shop = ShopEnvironment(small_world, visits=20_000)
    shop.reset(seed=3, options={"day": 0})
    rate = small_world.open(0).visit_rate
    n = np.bincount(shop._visitors, minlength=len(rate))
    z = (n - 20_000 * rate / rate.sum()) / np.sqrt(20_000 * rate / rate.sum())
    assert np.abs(z).max() < 4.5


@pytest.mark.parametrize("options", [{"day": -1}, {"night": 1}])
def test_options_that_are_none_are_refused(small_world: World, options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="only option of an episode"):
        ShopEnvironment(small_world).reset(options=options)


def test_an_episode_needs_a_visit(small_world: World) -> None:
    with pytest.raises(UsageError, match="one visit"):
        ShopEnvironment(small_world, visits=0)
