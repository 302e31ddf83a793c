"""Scores of money in worlds solved on paper, and their coverage in simulated ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from offline_rl.decisions.item_scores import RewardCounts, item_scores
from offline_rl.decisions.money_scores import Amounts, amount_of_a_reward, count_amounts, money_scores


def of_one_price(successes: np.ndarray, trials: np.ndarray, price: np.ndarray) -> Amounts:
    counts = RewardCounts(successes, trials)
    return Amounts(counts, successes * price, successes * price**2, may_be_negative=bool((price < 0).any()))


def test_one_price_for_all_is_the_rate_times_the_price() -> None:
    successes, trials = np.array([[30.0, 90.0], [30.0, 10.0]]), np.full((2, 2), 1000.0)
    money = money_scores(of_one_price(successes, trials, np.full((2, 2), 25.0)))
    rates = item_scores(RewardCounts(successes, trials))

    np.testing.assert_allclose(money.mean, 25 * rates.mean)
    # the amount is certain, so a gamma stands in for the beta of the rate
    np.testing.assert_allclose(money.lower, 25 * rates.lower, rtol=0.05)
    np.testing.assert_allclose(money.upper, 25 * rates.upper, rtol=0.05)


def test_an_amount_is_shrunk_towards_the_item_in_other_segments() -> None:
    """Two segments: 100 orders of 10 or 12 in the first, one of 30 in the second."""
    n, total = np.array([[100.0], [1.0]]), np.array([[1100.0], [30.0]])
    squares = np.array([[50 * 100.0 + 50 * 144.0], [900.0]])
    found = amount_of_a_reward(Amounts(RewardCounts(n, 10 * n), total, squares, may_be_negative=False))

    assert found.mean[0, 0] == pytest.approx(11.0, abs=0.05)
    assert 11.0 < found.mean[1, 0] < 30.0
    assert found.variance[1, 0] > 10 * found.variance[0, 0]


def test_a_dear_item_earns_more_at_the_same_rate_and_is_less_certain() -> None:
    successes, trials = np.full((4, 2), 20.0), np.full((4, 2), 1000.0)
    money = money_scores(of_one_price(successes, trials, np.tile([5.0, 200.0], (4, 1))))

    # rates of 20 in 1000, of which half a reward more and half a failure make 160.5 / 8001
    assert money.mean[0].tolist() == pytest.approx([5 * 160.5 / 8001, 200 * 160.5 / 8001], rel=0.02)
    width = money.upper - money.lower
    assert width[0, 1] == pytest.approx(40 * width[0, 0], rel=0.05)


def test_an_item_that_never_sold_takes_the_usual_amount_with_a_wide_interval() -> None:
    money = money_scores(
        of_one_price(np.array([[50.0, 0.0]]), np.array([[500.0, 0.0]]), np.array([[20.0, 0.0]]))
    )
    assert money.mean[0, 1] == pytest.approx(2.0, rel=0.05)
    assert (money.upper - money.lower)[0, 1] > (money.upper - money.lower)[0, 0]


def test_a_sale_below_cost_scores_below_zero() -> None:
    rng = np.random.default_rng(0)
    reward = rng.choice([0.0, -2.0, -3.0], 1000, p=[0.8, 0.1, 0.1])
    amounts = count_amounts(np.zeros(1000, int), np.zeros(1000, int), reward, n_segments=1, n_items=1)
    scores = money_scores(amounts)

    assert scores.mean.item() == pytest.approx(reward.mean(), rel=0.02)
    assert scores.lower.item() < scores.mean.item() < scores.upper.item() < 0


def test_a_log_without_any_reward_scores_zero() -> None:
    nothing = np.zeros((2, 3))
    scores = money_scores(
        Amounts(RewardCounts(nothing, nothing + 9), nothing, nothing, may_be_negative=False)
    )
    assert (scores.mean == 0).all()
    assert (scores.upper == 0).all()


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.int64, (3, 4), elements=st.integers(0, 300)),
    arrays(np.float64, (3, 4), elements=st.floats(0, 1)),
    arrays(np.float64, (3, 4), elements=st.floats(0.01, 50_000)),
    st.booleans(),
)
def test_the_mean_lies_in_its_interval(
    trials: np.ndarray, share: np.ndarray, price: np.ndarray, has_losses: bool
) -> None:
    price = price * np.where((np.arange(12).reshape(3, 4) == 5) & has_losses, -1.0, 1.0)
    scores = money_scores(of_one_price(np.floor(trials * share), trials.astype(float), price))
    for values in (scores.mean, scores.lower, scores.upper):
        assert np.isfinite(values).all()
    assert (scores.lower <= scores.mean).all()
    assert (scores.mean <= scores.upper).all()
    assert has_losses or (scores.lower >= 0).all()


@pytest.mark.parametrize(("rounds", "spread"), [(60, 0.0), (60, 0.5), (600, 0.0), (600, 0.5)])
def test_intervals_cover_the_truth_and_pooling_helps(rounds: int, spread: float) -> None:
    """Orders of 1 % of rounds at prices of 5 to 100: 95 % intervals cover 92 % or more."""
    rng = np.random.default_rng(1)
    covered, pooled, raw = [], [], []
    for _ in range(10):
        log_rate = np.log(0.01) + rng.normal(0, 0.4, 30) + spread * rng.normal(0, 1, (12, 30))
        rate, price = np.exp(log_rate), np.exp(rng.normal(np.log(25), 0.6, 30))
        trials = rng.poisson(rounds, rate.shape)
        n = rng.binomial(trials, rate)
        more = rng.poisson(0.2 * n)  # pieces beyond the first of each order
        total = price * (n + more)
        # of an order of 1 + k pieces, k ~ Poisson(0.2): E[k^2] = 0.24
        squares = price**2 * (n + 2 * more + np.rint(1.2 * more))
        truth = rate * price * 1.2
        counts = RewardCounts(n.astype(float), trials.astype(float))
        scores = money_scores(Amounts(counts, total, squares, may_be_negative=False))
        covered.append(((scores.lower <= truth) & (truth <= scores.upper)).mean())
        pooled.append(np.square(scores.mean - truth).mean())
        raw.append(np.square(total / np.maximum(trials, 1) - truth).mean())
    assert np.mean(covered) >= 0.92
    assert np.mean(pooled) < 0.8 * np.mean(raw)


@pytest.mark.parametrize("confidence", [0.0, 95.0])
def test_a_confidence_that_is_not_a_share_is_refused(confidence: float) -> None:
    one = np.ones((1, 1))
    with pytest.raises(ValueError, match="between 0 and 1"):
        money_scores(Amounts(RewardCounts(one, one), one, one, may_be_negative=False), confidence=confidence)
