"""Expected reward of each item in each segment, by Beta-Binomial empirical Bayes on the logged rounds.

The rates are those of the log as it is, unweighted: a high score says that the item did well where the
logging policy chose to show it (its slots, its users), not that showing it caused the reward.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ItemScores:
    """Posterior mean and interval of the reward per round, each float64 [segments, items]."""

    mean: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class RewardCounts:
    """Rewarded rounds and all rounds, each float64 [segments, items]; the counts of two logs add."""

    successes: Array
    trials: Array

    def __add__(self, other: "RewardCounts") -> "RewardCounts":
        return RewardCounts(self.successes + other.successes, self.trials + other.trials)


def count_rewards(
    segment: NDArray[np.int64], action: NDArray[np.int64], reward: Array, *, n_segments: int, n_items: int
) -> RewardCounts:
    """Count rounds and rewards per segment and item; `segment`, `action` and `reward` are columns [n].

    Raises ValueError where a reward is neither 0 nor 1: a Beta-Binomial can't hold it.

    >>> rounds = (np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([1.0, 0.0, 1.0]))
    >>> counts = count_rewards(*rounds, n_segments=2, n_items=2)
    >>> counts.successes.tolist(), counts.trials.tolist()
    ([[0.0, 1.0], [1.0, 0.0]], [[0.0, 2.0], [1.0, 0.0]])
    """
    if not bool(np.isin(reward, (0.0, 1.0)).all()):
        raise ValueError(
            "Item scores are rates of 0/1 rewards, and a reward is neither: use clicks or conversions."
        )
    cell = segment * n_items + action
    shape, size = (n_segments, n_items), n_segments * n_items
    successes = np.bincount(cell, weights=reward, minlength=size).astype(np.float64)
    trials = np.bincount(cell, minlength=size).astype(np.float64)
    return RewardCounts(successes.reshape(shape), trials.reshape(shape))


def item_scores(counts: RewardCounts, *, confidence: float = 0.95) -> ItemScores:
    """Shrink each segment's rate of an item towards the item's rate in the other segments.

    mean = (s + M m) / (n + M), interval = quantiles of Beta(M m + s, M (1 - m) + n - s)

    s, n: rewards and rounds of the item in the segment. m: the item's rate in the other segments, itself
    shrunk towards the rate of all items, so that an item without rounds has a score. M: how many rounds this
    prior is worth, by the method of moments over segments (`prior_strength`), at most the rounds that it
    comes from. The segment's own rounds are left out of m: counted twice, they would narrow the interval.
    Source: Kleinman 1973, "Proportions with extraneous variance", for the moments.

    Two items, two segments. Item 0 did the same everywhere and is pooled; item 1, at 90 % against 10 %, is
    told apart by segment.

    >>> counts = RewardCounts(np.array([[30.0, 90.0], [30.0, 10.0]]), np.full((2, 2), 100.0))
    >>> item_scores(counts).mean.round(2).tolist()
    [[0.31, 0.85], [0.31, 0.15]]
    """
    of_items = RewardCounts(counts.successes.sum(0), counts.trials.sum(0))
    # Half a reward and half a failure keep the rate of a log without any reward above zero.
    overall = (of_items.successes.sum() + 0.5) / (of_items.trials.sum() + 1.0)
    overall_strength = _unimodal(np.minimum(prior_strength(of_items), of_items.trials.sum()), overall)

    other_rounds = of_items.trials - counts.trials + overall_strength
    prior = (of_items.successes - counts.successes + overall_strength * overall) / other_rounds
    strength = _unimodal(np.minimum(prior_strength(counts), other_rounds), prior)

    alpha = strength * prior + counts.successes
    beta = strength * (1.0 - prior) + counts.trials - counts.successes
    tail = (1.0 - confidence) / 2
    return ItemScores(
        mean=alpha / (alpha + beta),
        lower=betaincinv(alpha, beta, tail),
        upper=betaincinv(alpha, beta, 1.0 - tail),
    )


def prior_strength(counts: RewardCounts) -> Array:
    """Return how many rounds knowledge of the group mean is worth to a member; infinite if all agree.

    M = m (1 - m) / v - 1, with m = sum s / sum n over the S members (first axis) and
    v = max(0, (sum n (s/n - m)^2 - (S - 1) m (1 - m)) / (sum n - sum n^2 / sum n)).

    Rates 0.9 and 0.1 of 100 rounds each: m = 0.5, v = (32 - 0.25) / 100 = 0.3175, M < 0, so 0.

    >>> prior_strength(RewardCounts(np.array([90.0, 10.0]), np.array([100.0, 100.0]))).tolist()
    0.0
    """
    n, total = counts.trials, counts.trials.sum(0)
    mean = np.divide(counts.successes.sum(0), total, out=np.zeros_like(total), where=total > 0)
    rate = np.divide(counts.successes, n, out=np.zeros_like(n), where=n > 0)
    within = mean * (1.0 - mean)
    between = (n * (rate - mean) ** 2).sum(0) - ((n > 0).sum(0) - 1) * within
    spread = total - np.divide((n**2).sum(0), total, out=np.zeros_like(total), where=total > 0)
    variance = np.divide(between, spread, out=np.zeros_like(total), where=(spread > 0) & (between > 0))
    ratio = np.divide(within, variance, out=np.full_like(total, np.inf), where=variance > 0)
    return np.asarray(np.maximum(ratio - 1.0, 0.0))


def _unimodal(strength: Array, mean: Array) -> Array:
    # Below one expected reward and one expected failure a Beta is U-shaped, its mean outside its interval.
    return np.asarray(np.maximum(strength, 1.0 / np.minimum(mean, 1.0 - mean)))
