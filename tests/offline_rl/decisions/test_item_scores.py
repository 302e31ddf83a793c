"""Empirical-Bayes item scores in worlds solved on paper, and their coverage in simulated ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from offline_rl.decisions.item_scores import RewardCounts, count_rewards, item_scores


def counts(successes: list[list[float]], trials: list[list[float]]) -> RewardCounts:
    return RewardCounts(np.array(successes), np.array(trials))


def test_equal_segments_are_pooled() -> None:
    """2 items, 10 of 100 in all of 50 segments: each has the rate of all, 1000.5 / 10001."""
    scores = item_scores(counts([[10.0, 10.0]] * 50, [[100.0, 100.0]] * 50))
    assert scores.mean.ravel().tolist() == pytest.approx([1000.5 / 10001] * 100, rel=1e-3)
    assert (scores.upper - scores.lower).max() < 0.03  # of 100 rounds alone it would be .12


def test_different_segments_keep_their_own_rates() -> None:
    scores = item_scores(counts([[600.0], [400.0]], [[1000.0], [1000.0]]))
    assert scores.mean.ravel().tolist() == pytest.approx([0.6, 0.4], abs=0.01)
    assert (scores.upper - scores.lower).ravel().tolist() == pytest.approx([0.06, 0.06], abs=0.005)


def test_an_item_never_shown_takes_the_rate_of_all_items_with_a_wide_interval() -> None:
    scores = item_scores(counts([[50.0, 0.0], [50.0, 0.0]], [[500.0, 0.0], [500.0, 0.0]]))
    assert scores.mean[0, 1] == pytest.approx(0.1, abs=0.01)
    widths = scores.upper - scores.lower
    assert widths[0, 1] > widths[0, 0]


def test_more_rounds_narrow_the_interval() -> None:
    few, many = (item_scores(counts([[n * 0.1]], [[n]])) for n in (100.0, 10_000.0))
    assert (few.upper - few.lower).item() > 5 * (many.upper - many.lower).item()


def test_a_log_without_any_reward_has_scores_above_zero() -> None:
    scores = item_scores(counts([[0.0, 0.0]], [[100.0, 0.0]]))
    assert (scores.mean > 0).all()
    assert (scores.mean < 0.02).all()


def test_counts_add() -> None:
    rng = np.random.default_rng(0)
    segment, action = rng.integers(0, 3, 100), rng.integers(0, 4, 100)
    reward = rng.integers(0, 2, 100).astype(float)

    def counted(part: slice) -> RewardCounts:
        return count_rewards(segment[part], action[part], reward[part], n_segments=3, n_items=4)

    whole, parts = counted(slice(None)), counted(slice(0, 40)) + counted(slice(40, None))
    assert (whole.successes == parts.successes).all()
    assert (whole.trials == parts.trials).all()


def test_money_is_refused() -> None:
    with pytest.raises(ValueError, match="0/1 rewards"):
        count_rewards(np.array([0]), np.array([0]), np.array([12.5]), n_segments=1, n_items=1)


@settings(deadline=None)
@given(
    arrays(np.int64, (3, 4), elements=st.integers(0, 2000)),
    arrays(np.float64, (3, 4), elements=st.floats(0, 1)),
)
def test_the_mean_lies_in_its_interval(trials: np.ndarray, share: np.ndarray) -> None:
    scores = item_scores(RewardCounts(np.floor(trials * share), trials.astype(float)))
    for values in (scores.mean, scores.lower, scores.upper):
        assert np.isfinite(values).all()
    assert ((scores.lower >= 0) & (scores.lower <= scores.mean)).all()
    assert ((scores.mean <= scores.upper) & (scores.upper <= 1)).all()


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_intervals_cover_the_truth_and_pooling_helps(spread: float) -> None:
    """True rates vary over items and, by `spread`, over segments; 95 % intervals cover 93 % or more."""
    rng = np.random.default_rng(4)
    log_rate = np.log(0.03) + rng.normal(0, 0.6, (1, 60)) + spread * rng.normal(0, 1, (20, 60))
    truth = np.exp(log_rate).clip(max=0.9)
    trials = rng.integers(30, 600, truth.shape)
    successes = rng.binomial(trials, truth).astype(float)
    scores = item_scores(RewardCounts(successes, trials.astype(float)))
    covered = ((scores.lower <= truth) & (truth <= scores.upper)).mean()
    assert covered >= 0.93
    assert np.square(scores.mean - truth).mean() < 0.8 * np.square(successes / trials - truth).mean()


def test_failures_are_to_rewards_as_rewards_to_failures() -> None:
    log = counts([[30.0, 90.0], [60.0, 95.0]], [[100.0, 100.0], [80.0, 100.0]])
    scores = item_scores(log)
    other = item_scores(RewardCounts(log.trials - log.successes, log.trials))
    np.testing.assert_allclose(scores.mean, 1 - other.mean)
    np.testing.assert_allclose(scores.lower, 1 - other.upper)


@pytest.mark.parametrize("rounds", [1e5, 1e8])
def test_a_large_log_of_nothing_but_rewards_has_rates_near_1(rounds: float) -> None:
    many = np.full((20, 30), rounds)
    scores = item_scores(RewardCounts(many, many))
    assert (scores.mean > 0.9999).all()
    assert ((scores.lower <= scores.mean) & (scores.mean <= scores.upper)).all()


@pytest.mark.parametrize("confidence", [0.0, 1.5, 95.0])
def test_a_confidence_that_is_not_a_share_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        item_scores(counts([[1.0]], [[10.0]]), confidence=confidence)


@pytest.mark.parametrize("rounds", [5, 20, 200])
@pytest.mark.parametrize("spread", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("segments", [5, 24, 201])
def test_a_quarter_of_a_reward_in_a_cell_is_enough_for_an_honest_interval(
    segments: int, spread: float, rounds: int
) -> None:
    """Means over shops of 30 items at 5 %, segments that differ by `spread`: 90 % covered or more.

    With the variances plugged in it was 74 %.
    """
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(20):
        odds = np.log(0.05 / 0.95) + 0.4 * rng.normal(size=30) + spread * rng.normal(size=(segments, 30))
        truth = 1 / (1 + np.exp(-odds))
        trials = rng.poisson(rounds, truth.shape)
        successes = rng.binomial(trials, truth).astype(float)
        scores = item_scores(RewardCounts(successes, trials.astype(float)))
        covered.append(((scores.lower <= truth) & (truth <= scores.upper)).mean())
    assert np.mean(covered) >= 0.90
