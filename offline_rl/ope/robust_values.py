"""Robust estimates of a mean of money, each under an assumption that it states.

No interval holds for every unbounded mean (Bahadur & Savage 1956, "The nonexistence of certain statistical
procedures in nonparametric problems"): one order in a million may carry it all. Three answers remain. A mean
of capped contributions has an interval, and a bias that is bounded if a second moment is. A lower bound needs
no assumption where nothing is negative, since unseen orders can only add. And a law of the baskets
gives both ends, if they follow it.

All three are made of the contributions c_g = Σ_{i∈g} w_i r_i of C independent clusters, in the reward's unit
per round of n.
"""

from dataclasses import dataclass
from math import ceil, exp, log, sqrt
from typing import Literal

import numpy as np
from scipy.special import ndtri

from offline_rl.ope.intervals.student_t import student_t_interval
from offline_rl.ope.records import EvaluationRounds, Floats

FEWEST_BASKETS = 20
"""Fewest positive contributions that a distribution is fitted to."""


@dataclass(frozen=True)
class RobustValue:
    """One answer; a value or an upper end that the method does not give is None.

    | kind | value, ends | assumption |
    |---|---|---|
    | winsorized | of capped contributions | the bias is at most `bias_bound` if E c² is what the log shows |
    | log_smoothing | the lower end only | rewards are never negative |
    | delta_log_normal | of zeros and log-normal contributions | parametric: they follow that law |

    cap: the largest contribution that counts in full. n_capped: contributions beyond it.
    """

    kind: Literal["winsorized", "log_smoothing", "delta_log_normal"]
    value: float | None
    lower: float
    upper: float | None
    cap: float | None = None
    n_capped: int | None = None
    bias_bound: float | None = None


def robust_values(rounds: EvaluationRounds, confidence: float) -> tuple[RobustValue, ...]:
    """Return robust values that these rounds allow: a lower bound and a law only if no reward is negative."""
    _, cluster = np.unique(rounds.cluster, return_inverse=True)  # without gaps: clusters are counted
    contribution = np.bincount(cluster, rounds.weight * rounds.reward).astype(np.float64, copy=False)
    if len(contribution) < 2:
        return ()
    found = [winsorized(contribution, rounds.n, confidence)]
    if not (rounds.reward < 0).any():
        found.append(log_smoothing_bound(contribution, rounds.n, confidence))
        if np.count_nonzero(contribution) >= FEWEST_BASKETS:
            found.append(delta_log_normal(contribution, rounds.n, confidence))
    return tuple(found)


def winsorized(contribution: Floats, n_rounds: int, confidence: float) -> RobustValue:
    """Average contributions capped at b, the (k + 1)-th largest |c| with k = ⌈log(2 / (1 − confidence))⌉.

    A mean is sub-Gaussian under a second moment once a number of that order is capped (Lugosi & Mendelson
    2021, "Robust multivariate mean estimation: the optimality of trimmed mean"). Its interval is Student's on
    the capped contributions (Tukey & McLaughlin 1963). What it leaves out is at most

        E (|c| − b)₊ ≤ E c² / (4 b),   as (x − b) ≤ x² / (4 b) ⟺ (x − 2 b)² ≥ 0,

    with equality where contributions are 0 or 2 b. No log can know E c² of a heavy tail: `bias_bound` takes
    the log's own, and is as wrong as that is.

    At a confidence of 0.5 the third largest of these is the cap, and only the 100 is beyond it:

    >>> found = winsorized(np.array([0.0, 0, 0, 1, 1, 1, 1, 1, 100]), 9, 0.5)
    >>> found.cap, found.n_capped, round(found.value or 0.0, 3)
    (1.0, 1, 0.667)
    """
    size = np.abs(contribution)
    k = min(ceil(log(2 / (1 - confidence))), len(size) - 1)
    cap = float(np.partition(size, len(size) - k - 1)[len(size) - k - 1])
    capped = np.clip(contribution, -cap, cap)
    value = float(capped.sum()) / n_rounds
    error = float(capped.std(ddof=1)) * sqrt(len(capped)) / n_rounds
    ends = student_t_interval(value, error, len(capped), confidence)
    bias = float(np.square(contribution).sum()) / (4 * cap * n_rounds) if cap > 0 else None
    return RobustValue(
        kind="winsorized",
        value=value,
        lower=ends.lower,
        upper=ends.upper,
        cap=cap,
        n_capped=int(np.count_nonzero(size > cap)),
        bias_bound=bias,
    )


def log_smoothing_bound(contribution: Floats, n_rounds: int, confidence: float) -> RobustValue:
    """Return a lower bound of the mean of contributions c ≥ 0, whatever their tail, by logarithmic smoothing.

    For every λ > 0 the product Π (1 + λ c_g) has mean (1 + λ μ)^C ≤ exp(λ μ C), so by Markov's inequality

        μ ≥ ( Σ log(1 + λ c_g) − log(1 / α) ) / (λ C)   with probability 1 − α.

    The best of 101 powers of two for λ is taken, each at α / 101 with α = (1 − confidence) / 2, so that the
    bound holds as often as the lower end of an interval. Large contributions count by their logarithm only:
    so no moment is needed, and there is no upper end.

    Source: Sakhi, Aouali, Alquier & Chopin 2024, "Logarithmic smoothing for pessimistic off-policy
    evaluation, selection and learning".

    >>> bound = log_smoothing_bound(np.ones(1000), 1000, 0.95)
    >>> 0.85 < bound.lower < 1.0, bound.upper
    (True, None)
    """
    price = log(2 * len(_LAMBDAS) / (1 - confidence))
    smoothed = np.array([float(np.log1p(each * contribution).sum()) for each in _LAMBDAS])
    lower = float(((smoothed - price) / _LAMBDAS).max()) / n_rounds
    return RobustValue("log_smoothing", None, max(lower, 0.0), None)


def delta_log_normal(contribution: Floats, n_rounds: int, confidence: float) -> RobustValue:
    """Estimate the mean of contributions that are 0 or log-normal, p exp(ȳ + s²/2), with a log interval.

    y are the logarithms of the m positive contributions of C, p = m / C, and the variance of log V is

        (1 − p) / (C p) + s² / m + s⁴ / (2 (m − 1)).

    Parametric: it is right about unseen orders only if baskets follow the law.

    Sources: Zhou & Gao 1997, "Confidence intervals for the log-normal mean", who compare it and name Cox as
    its author; with zeros Zhou & Tu 2000, "Confidence intervals for the mean of diagnostic test charge data
    containing zeros".

    >>> law = delta_log_normal(np.exp(np.repeat([-1.0, 1.0, -np.inf], 50)), 150, 0.95)
    >>> round(law.value or 0.0, 3)  # 2/3 exp(0 + 1.01 / 2)
    1.105
    """
    logs = np.log(contribution[contribution > 0])
    m, n = len(logs), len(contribution)
    variance = float(logs.var(ddof=1))
    value = m / n_rounds * exp(float(logs.mean()) + variance / 2)
    error = sqrt((1 - m / n) / m + variance / m + variance**2 / (2 * (m - 1)))
    z = float(ndtri((1 + confidence) / 2))
    return RobustValue("delta_log_normal", value, value * exp(-z * error), value * exp(z * error))


_LAMBDAS: Floats = np.exp2(np.arange(-60.0, 41.0))
