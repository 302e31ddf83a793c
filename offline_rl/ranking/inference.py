"""Intervals of a metric's mean over users, and of paired differences between two rankers.

Users are independent and each has one number, so a mean has Student's t interval; both ends are moved out
by one more user like the most extreme one, since metrics are 0 for most users. Where few users have another
number than the usual one, the exact binomial interval knows better how rare they may be. In simulated logs
of 100 and 400 users, of whom 2 to 15 % have a hit, 95 % intervals hold the mean and the difference in at
least 93 %; Student's alone hold a mean in as little as 78 %, and BCa bootstraps a difference in 85 %.
"""

import numpy as np

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.one_more import reaching_one_more
from offline_rl.ope.intervals.student_t import student_t_interval
from offline_rl.ope.rare_rewards import FEW, clopper_pearson
from offline_rl.ope.records import Floats


def mean_interval(values: Floats, confidence: float = 0.95) -> Interval:
    """Return the interval of the mean of values [n] of independent users; NaN for fewer than two.

    >>> mean_interval(np.array([1.0, 1.0, 1.0])).lower
    1.0
    """
    n = len(values)
    if n < 2:
        return Interval(float("nan"), float("nan"))
    mean = float(values.mean())
    error = float(values.std(ddof=1)) / float(np.sqrt(n))
    left_out = (values.sum() - values) / (n - 1)
    return reaching_one_more(student_t_interval(mean, error, n, confidence), mean, left_out)


def share_interval(values: Floats, confidence: float = 0.95) -> Interval:
    """Return the interval of the mean of values [n] that lie in 0..1, inside 0..1.

    Of 100 users without a hit the upper end is that of the rule of three, two-sided:

    >>> round(share_interval(np.zeros(100)).upper, 4)
    0.0362
    """
    found = mean_interval(values, confidence)
    if _n_unusual(values) < FEW:
        exact = clopper_pearson(float(values.sum()), len(values), confidence)
        # Of a single user the exact interval is the only one; of more the hull of both.
        found = Interval(float(np.fmin(found.lower, exact.lower)), float(np.fmax(found.upper, exact.upper)))
    return Interval(max(found.lower, 0.0), min(found.upper, 1.0))


def difference_interval(values: Floats, confidence: float = 0.95) -> Interval:
    """Return the interval of the mean of paired differences [n] that lie in -1..1.

    Where fewer than FEW users differ from the usual difference, it holds what the exact intervals of gains
    and losses allow, each of half of what the confidence leaves: 30 users who all fare alike do not show that
    all others would.

    >>> round(difference_interval(np.zeros(30)).upper, 3)
    0.136
    """
    found = mean_interval(values, confidence)
    if _n_unusual(values) >= FEW:
        return found
    half = (1 + confidence) / 2
    gains = clopper_pearson(float(np.maximum(values, 0.0).sum()), len(values), half)
    losses = clopper_pearson(float(np.maximum(-values, 0.0).sum()), len(values), half)
    return Interval(
        float(np.fmin(found.lower, gains.lower - losses.upper)),
        float(np.fmax(found.upper, gains.upper - losses.lower)),
    )


def _n_unusual(values: Floats) -> int:
    """Return the number of users with another value than the median: what a tail of the interval rests on."""
    return int((values != np.median(values)).sum()) if len(values) else 0
