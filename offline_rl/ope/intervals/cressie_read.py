"""The Cressie-Read interval: reweight the log as little as makes its weights average to 1."""

from dataclasses import dataclass
from math import isinf, sqrt

import numpy as np
from scipy.special import fdtri

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.known_range import KnownRange
from offline_rl.ope.rare_rewards import FEW, n_informative_clusters, widened
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.trust.diagnostics import effective_size


def cressie_read_interval(rounds: EvaluationRounds, bounds: KnownRange, confidence: float = 0.95) -> Interval:
    """Return the profile interval over distributions of rounds close to the log whose mean weight is 1.

    `profile_interval` has the formula. Valid for large n only. Where fewer than 20 rounds have informative
    rewards it is widened to Clopper-Pearson at the effective sample size, as without a single reward it may
    be a point. Rounds must be independent; max_weight may be ∞.

    Raises ValueError where `KnownRange.shares` does.
    Source: Karampatziakis, Langford & Mineiro 2020, "Empirical likelihood for contextual bandits".

    >>> import numpy as np
    >>> each = np.arange(1000)
    >>> paid_every_other_time = EvaluationRounds.of_logging_policy(
    ...     reward=each % 2, propensity=np.ones(1000), cluster=each, segment=np.zeros_like(each)
    ... )
    >>> interval = cressie_read_interval(paid_every_other_time, KnownRange(0, 1, max_weight=2))
    >>> round(interval.lower, 3), round(interval.upper, 3)
    (0.469, 0.531)
    """
    weight, share = bounds.shares(rounds, confidence)
    interval = profile_interval(weight, share, bounds.max_weight, confidence)
    if n_informative_clusters(rounds) < FEW:
        interval = widened(
            interval,
            float(weight @ share) / max(float(weight.sum()), 1.0),
            effective_rounds=effective_size(weight),
            reward_range=(0.0, 1.0),
            confidence=confidence,
        )
    return bounds.scaled(interval)


def profile_interval(weight: Floats, reward: Floats, max_weight: float, confidence: float) -> Interval:
    """Return smallest and largest Σ q w r over the distributions q with Σ q w = 1 that are close to the log.

    q lives on the n rounds and on one more that nobody saw, whose weight is 0 or max_weight and whose reward
    is 0 for the lower end, 1 for the upper end; the worst of the two counts. Closeness is the Cressie-Read
    divergence of power −2, Σ (N q − 1)² with N = n + 1, of which the interval may spend the F(1, n) quantile
    beyond the least. The optimum has a closed form: with means and covariances over the N rounds,

        v̂ = mean(w r) + β (1 − mean w),   β = cov(w, w r) / var(w),
        v̂ ± √( var(w r − β w) · (F + c₀ − c) / N ),   c = N (1 − mean w)² / var(w),

    c₀ the smaller c of the two unseen rounds. So it is the interval of a regression on the control variate w:
    short where rewards are far from 0, like `snips`. Rewards [n] in 0..1; all that is needed of the log are n
    and the sums of w, w², w r, w² r and w² r².

    A reward that never varies is known once weights average to 1, but for what nobody saw:

    >>> import numpy as np
    >>> interval = profile_interval(2.0 * (np.arange(1000) % 2), np.full(1000, 0.9), 2.0, 0.95)
    >>> round(interval.lower, 3), round(interval.upper, 3)
    (0.895, 0.901)
    """
    spendable = float(fdtri(1, len(weight), confidence))
    sums = _sums(weight, reward)
    ends = []
    for unseen, sign in ((0.0, -1.0), (1.0, 1.0)):
        profiles = [p for w in (0.0, max_weight) if (p := _profile(sums, w, unseen)) is not None]
        least = min(profile.cost for profile in profiles)
        left = ((profile, spendable + least - profile.cost) for profile in profiles)
        candidates = [p.center + sign * sqrt(p.variance * budget) for p, budget in left if budget >= 0]
        ends.append(max(candidates) if sign > 0 else min(candidates))
    return Interval(float(ends[0]), float(ends[1]))


@dataclass(frozen=True)
class _Profile:
    """Value of the closest q, its divergence, and the variance that a further unit of divergence buys."""

    center: float
    cost: float
    variance: float


def _sums(w: Floats, r: Floats) -> Floats:
    wr = w * r
    return np.array([len(w), w.sum(), w @ w, wr.sum(), w @ wr, wr @ wr])


def _profile(sums: Floats, unseen_weight: float, unseen_reward: float) -> _Profile | None:
    """Return the profile with one unseen round; None where no q makes weights average to 1."""
    if isinf(unseen_weight):
        return _limit(sums, unseen_reward)
    w, wr = unseen_weight, unseen_weight * unseen_reward
    n, *totals = sums + np.array([1, w, w * w, wr, w * wr, wr * wr])
    mean_w, mean_ww, mean_wr, mean_wwr, mean_wrwr = (total / n for total in totals)
    var_w, short = mean_ww - mean_w**2, 1 - mean_w
    if var_w <= _ROUNDING * mean_ww:
        return _Profile(mean_wr, 0.0, max(mean_wrwr - mean_wr**2, 0.0) / n) if short == 0 else None
    covariance = mean_wwr - mean_w * mean_wr
    variance = mean_wrwr - mean_wr**2 - covariance**2 / var_w
    return _Profile(
        center=mean_wr + covariance / var_w * short,
        cost=n * short**2 / var_w,
        variance=max(variance, 0.0) / n,
    )


def _limit(sums: Floats, reward: float) -> _Profile:
    """Return profile as the unseen weight grows to ∞: it takes the place of whatever weight is missing."""
    n, w, ww, wr, wwr, wrwr = sums
    beyond, squares = wr - reward * w, wrwr - 2 * reward * wwr + reward**2 * ww
    return _Profile(
        center=reward + beyond / n,
        cost=1 + 1 / n,
        variance=max(squares - beyond**2 / n, 0.0) / (n + 1) ** 2,
    )


_ROUNDING = 1e-12
