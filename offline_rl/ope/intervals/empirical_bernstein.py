"""The empirical Bernstein interval: true for every sample size, given true bounds."""

from math import log, sqrt

import numpy as np

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.known_range import KnownRange, finite_max_weight
from offline_rl.ope.records import EvaluationRounds


def empirical_bernstein_interval(
    rounds: EvaluationRounds, bounds: KnownRange, confidence: float = 0.95
) -> Interval:
    """Return the empirical Bernstein interval by IPS, with z = w r / max w and r as a share of its range:

        mean(z) ± [ √(2 var(z) ln(4/δ) / n) + 7 ln(4/δ) / (3 (n − 1)) ],  δ = 1 − confidence.

    Covers at least `confidence` for every n. Both ends hold at once, so δ is halved and the paper's ln(2/δ)
    is ln(4/δ) here. Rounds must be independent, and the log must be able to show whatever the policy does.

    Raises ValueError where `KnownRange.shares` does, and without a finite bound on the weights.
    Source: Maurer & Pontil 2009, "Empirical Bernstein bounds and sample-variance penalization", theorem 4.

    Of 1,001 rounds of which none earned a thing, only the second term is left: 7 ln 80 / 3,000.

    >>> n = 1001
    >>> log_of_nothing = EvaluationRounds.of_logging_policy(
    ...     reward=np.zeros(n), propensity=np.ones(n), cluster=np.arange(n), segment=np.zeros(n, dtype=int)
    ... )
    >>> round(empirical_bernstein_interval(log_of_nothing, KnownRange(0, 1, max_weight=1)).upper, 6)
    0.010225
    """
    max_weight = finite_max_weight(bounds, "an empirical Bernstein interval")
    weight, share = bounds.shares(rounds, confidence)
    scaled = weight * share / max_weight
    n, term = rounds.n, log(4 / (1 - confidence))
    half = sqrt(2 * float(np.var(scaled, ddof=1)) * term / n) + 7 * term / (3 * (n - 1))
    center = float(scaled.mean())
    return bounds.scaled(Interval(max_weight * (center - half), max_weight * (center + half)))
