import numpy as np
import pytest
from scipy.stats import binomtest

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.rare_rewards import clopper_pearson, n_informative_clusters, reward_range, widened
from tests.offline_rl.ope.worlds import coin_log


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (1, 10), (7, 300), (10, 10)])
def test_the_exact_interval_agrees_with_scipy(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(0.9, method="exact")
    interval = clopper_pearson(successes, trials, 0.9)
    assert interval.lower == pytest.approx(expected.low, abs=1e-12)
    assert interval.upper == pytest.approx(expected.high, abs=1e-12)


def test_without_a_success_the_upper_end_follows_the_rule_of_three() -> None:
    assert clopper_pearson(0, 1000, 0.95) == Interval(0.0, pytest.approx(1 - 0.025**0.001))


def test_a_reward_in_cents_is_a_share_of_its_range() -> None:
    as_share = widened(
        Interval(0.02, 0.03), 0.02, effective_rounds=100, reward_range=(0.0, 1.0), confidence=0.95
    )
    in_cents = widened(
        Interval(2.0, 3.0), 2.0, effective_rounds=100, reward_range=(0.0, 100.0), confidence=0.95
    )
    assert (in_cents.lower, in_cents.upper) == pytest.approx((100 * as_share.lower, 100 * as_share.upper))


@pytest.mark.parametrize("value", [-0.3, 0.0, 0.4, 1.2])
def test_widening_never_narrows(value: float) -> None:
    interval = Interval(value - 0.1, value + 0.1, n_undefined=3)
    wide = widened(interval, value, effective_rounds=30, reward_range=(0.0, 1.0), confidence=0.95)
    assert wide.lower <= interval.lower
    assert wide.upper >= interval.upper
    assert wide.n_undefined == 3


def test_without_overlap_the_whole_range_is_possible() -> None:
    interval = widened(Interval(0, 0), 0, effective_rounds=0, reward_range=(-2.0, 5.0), confidence=0.95)
    assert interval == Interval(-2.0, 5.0)


@pytest.mark.parametrize(
    ("reward", "expected"), [([0, 0, 1], (0, 1)), ([3, 5], (0, 5)), ([-2, -1], (-2, 0)), ([0, 0], (0, 1))]
)
def test_range_of_rewards(reward: list[float], expected: tuple[float, float]) -> None:
    assert reward_range(np.array(reward, dtype=float)) == expected


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        ([0, 0, 0, 0, 0, 0], 0),
        ([0, 0, 0, 0, 1, 1], 1),
        ([1, 1, 1, 1, 1, 0], 1),
        ([2, 0, 0, 1, 0, 0], 2),
        # clicks of a cent beside orders are trifles, but orders beside a fortune are none
        ([0.01, 20, 0.01, 0, 30, 0], 2),
        ([0.01, -20, 0.01, 0, 30, 3], 2),
        ([0, 20, 15, 0, 50_000, 0], 3),
    ],
)
def test_informative_clusters_are_those_with_an_unusual_reward(reward: list[float], expected: int) -> None:
    users = np.array([0, 0, 1, 1, 2, 2])
    assert n_informative_clusters(coin_log(6, 0.5, reward=np.array(reward, float), cluster=users)) == expected


def test_a_reward_that_the_policy_could_not_earn_does_not_inform() -> None:
    rare = np.array([0.0, 1, 0, 0, 0, 0])
    assert n_informative_clusters(coin_log(6, 1.0, reward=rare)) == 1
    assert n_informative_clusters(coin_log(6, 0.0, reward=rare)) == 0


def test_no_rounds_inform_of_nothing() -> None:
    assert n_informative_clusters(coin_log(6, 0.5).select(np.zeros(6, dtype=bool))) == 0
