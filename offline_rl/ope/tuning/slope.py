"""SLOPE: choose a hyperparameter whose interval overlaps those of all less biased ones."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.tuning.mean_moments import MeanMoments

SLACK = sqrt(6) - 1
"""Factor on an earlier interval's half-width in the rule of SLOPE++."""


def choices(values: Floats, half_widths: Floats) -> Ints:
    """Return the candidate chosen in every place, shape [...] for values and half-widths [..., L].

    Candidates are walked from the widest interval (most variance, least bias) to the narrowest. The walk
    stops before the first candidate i that contradicts one walked before it,

        |θ_j − θ_i| > h_i + (√6 − 1) h_j    for some earlier j,

    and the last candidate before the stop is chosen. Where two half-widths are equal the later one is
    walked first.

    Source: Su, Srinath & Krishnamurthy 2020, "Adaptive estimator selection for off-policy evaluation", with
    the constants of Tucker & Lee 2021, "Improved estimator selection for off-policy evaluation" (SLOPE++).
    """
    n_candidates = values.shape[-1]
    order = np.argsort(half_widths, axis=-1, kind="stable")[..., ::-1]
    theta, h = np.take_along_axis(values, order, -1), np.take_along_axis(half_widths, order, -1)
    last = np.zeros(values.shape[:-1], dtype=np.int64)
    is_walking = np.ones(values.shape[:-1], dtype=bool)
    for i in range(1, n_candidates):
        far = np.abs(theta[..., :i] - theta[..., [i]]) > h[..., [i]] + SLACK * h[..., :i]
        is_walking &= ~far.any(axis=-1)
        last[is_walking] = i
    chosen: Ints = np.take_along_axis(order, last[..., np.newaxis], -1)[..., 0]
    return chosen


def choose(values: Floats, half_widths: Floats) -> int:
    """Return the candidate that SLOPE chooses of L candidates, by its position; see `choices`.

    The second candidate agrees with the first and is narrower; the third contradicts both.

    >>> choose(np.array([1.0, 1.1, 3.0]), np.array([0.5, 0.2, 0.1]))
    1
    """
    return int(choices(np.asarray(values, dtype=np.float64), np.asarray(half_widths, dtype=np.float64)))


@dataclass(frozen=True)
class Slope:
    """Choose by SLOPE, with intervals of half-width t_{C−1}(1 − delta) √(n Var θ / (n − 1)) for C clusters.

    delta: probability beyond each end of the intervals.
    Raises ValueError unless 0 < delta < 1/2.
    """

    delta: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.delta < 0.5:
            raise ValueError(f"delta is {self.delta:g}: give a share between 0 and 1/2, such as 0.1.")

    def half_widths(self, moments: MeanMoments) -> Floats:
        """Return half-width of each candidate's interval, shape [..., L]; infinite for a single cluster."""
        free = moments.n_clusters - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = stdtrit(free, 1 - self.delta) * np.sqrt(moments.n_clusters / free)
            half_widths = scale[..., np.newaxis] * np.sqrt(moments.variance)
        return np.where(free[..., np.newaxis] > 0, half_widths, np.inf)
