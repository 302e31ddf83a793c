"""The Clopper-Pearson interval on weighted rewards."""

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.known_range import KnownRange, finite_max_weight
from offline_rl.ope.rare_rewards import clopper_pearson
from offline_rl.ope.records import EvaluationRounds


def weighted_clopper_pearson_interval(
    rounds: EvaluationRounds, bounds: KnownRange, confidence: float = 0.95
) -> Interval:
    """Return max w times the Clopper-Pearson interval of Σ w r / max w successes in n trials.

    r is taken as a share of its range. Exact where w r / max w is 0 or 1. Values in between vary less than a
    coin of the same mean (Hoeffding 1963, theorem 1), so the interval is wider than it had to be, the more so
    the larger the bound on the weights; its strength are rare rewards, where it never collapses. Rounds must
    be independent, and the log must be able to show whatever the policy does.

    Raises ValueError where `KnownRange.shares` does, and without a finite bound on the weights. With the
    sample's largest weight in the place of the bound, as elsewhere, the interval could collapse with it.
    Source: Clopper & Pearson 1934; on weighted rewards as in Vowpal Wabbit's estimators.

    >>> import numpy as np
    >>> n = 100
    >>> log_of_nothing = EvaluationRounds.of_logging_policy(
    ...     reward=np.zeros(n), propensity=np.ones(n), cluster=np.arange(n), segment=np.zeros(n, dtype=int)
    ... )
    >>> round(weighted_clopper_pearson_interval(log_of_nothing, KnownRange(0, 1, max_weight=4)).upper, 4)
    0.1449
    """
    max_weight = finite_max_weight(bounds, "a Clopper-Pearson interval")
    weight, share = bounds.shares(rounds, confidence)
    # A sum of rounded shares may pass n in the last places, where no count of failures exists.
    successes = min(float(weight @ share) / max_weight, rounds.n)
    exact = clopper_pearson(successes, rounds.n, confidence)
    return bounds.scaled(Interval(max_weight * exact.lower, max_weight * exact.upper))
