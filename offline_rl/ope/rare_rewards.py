"""Intervals where so few users were rewarded that a bootstrap can't know how rare the reward is.

A percentile bootstrap over a log without a single click returns [0, 0]. With few clicks its interval is too
short and too low, since no resample can hold a click that the sample didn't. The exact binomial interval
knows better.
"""

import numpy as np
from scipy.special import betaincinv

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.records import EvaluationRounds, Floats

FEW = 20
"""Rewarded clusters under which the bootstrap is widened; see README, "What the intervals mean"."""

TRIFLE = 0.1
"""Share of a usual amount below which a reward tells nothing of the sum: a click of a cent beside orders."""


def n_informative_clusters(rounds: EvaluationRounds) -> int:
    """Count clusters with a round that the policy could have made and whose reward is not the usual one.

    The usual reward is the median: with rare clicks the clicked clusters count, with a reward that rarely
    fails the failed ones. This is the number of observations that a tail of the interval rests on. So where
    rewards differ in size, trifles don't count: those of less than a tenth of the size for which half of all
    that differs from the median is in rewards at least as large.

    >>> log = EvaluationRounds.of_logging_policy(
    ...     reward=np.array([0.0, 1.0, 1.0, 0.0, 0.0]),
    ...     propensity=np.full(5, 0.5),
    ...     cluster=np.array([0, 1, 1, 2, 3]),
    ...     segment=np.zeros(5, dtype=int),
    ... )
    >>> n_informative_clusters(log)
    1
    """
    if rounds.n == 0:
        return 0
    size = np.abs(rounds.reward - np.median(rounds.reward))
    counts = size[size > 0]
    if not len(counts):
        return 0
    unusual = (size > 0) & (size >= TRIFLE * _usual_amount(counts)) & (rounds.weight > 0)
    return len(np.unique(rounds.cluster[unusual]))


def _usual_amount(size: Floats) -> float:
    """Return the size for which half of the sum is in sizes at least as large; sizes [n] above 0.

    The largest counts as the one after it: beside one fortune, usual orders are no trifles. That one order
    decides is for `trust.contribution_tail` to say.
    """
    largest_first = np.sort(size)[::-1]
    largest_first[0] = largest_first[min(1, len(size) - 1)]
    reached = np.cumsum(largest_first)
    return float(largest_first[np.searchsorted(reached, reached[-1] / 2)])


def reward_range(reward: Floats) -> tuple[float, float]:
    """Return least and largest reward, from 0 where none is negative; (0, 1) for a log without any reward."""
    low, high = min(0.0, float(reward.min())), max(0.0, float(reward.max()))
    return (low, high) if high > low else (0.0, 1.0)


def clopper_pearson(successes: float, trials: float, confidence: float) -> Interval:
    """Return exact binomial interval for a probability, extended to fractional counts by the beta quantiles.

    Without a success the upper end is 1 − ((1 − confidence)/2)^(1/trials), about 3.7 / trials at 95 %: the
    rule of three, two-sided. Without a trial nothing is known.

    Source: Clopper & Pearson 1934.

    >>> round(clopper_pearson(0, 100, 0.95).upper, 4), clopper_pearson(0, 0, 0.95)
    (0.0362, Interval(lower=0.0, upper=1.0, n_undefined=0))
    """
    tail = (1 - confidence) / 2
    failures = trials - successes
    lower = betaincinv(successes, failures + 1, tail) if successes > 0 else 0.0
    upper = betaincinv(successes + 1, failures, 1 - tail) if failures > 0 else 1.0
    return Interval(float(lower), float(upper))


def widened(
    interval: Interval,
    value: float,
    *,
    effective_rounds: float,
    reward_range: tuple[float, float],
    confidence: float,
) -> Interval:
    """Return the hull of a bootstrap interval and the exact interval of the value in the reward's range.

    effective_rounds stands for the number of trials: the effective sample size of the weights over the design
    effect of the clusters, as for rare proportions in weighted, clustered surveys.

    Source: Korn & Graubard 1998.

    >>> no_click = Interval(0.0, 0.0)
    >>> wide = widened(no_click, 0.0, effective_rounds=100, reward_range=(0, 500), confidence=0.95)
    >>> round(wide.upper, 1)
    18.1
    """
    low, high = reward_range
    share = float(np.clip((value - low) / (high - low), 0.0, 1.0))
    exact = clopper_pearson(share * effective_rounds, effective_rounds, confidence)
    return Interval(
        lower=min(interval.lower, low + (high - low) * exact.lower),
        upper=max(interval.upper, low + (high - low) * exact.upper),
        n_undefined=interval.n_undefined,
    )
