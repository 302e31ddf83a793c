"""Which of many segments are harmed or helped, when sixty looks find three by chance alone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from offline_rl.ope.records import Floats
from offline_rl.ope.segments.segment_estimates import SegmentEstimates

Correction = Literal["holm", "benjamini-yekutieli"]


@dataclass(frozen=True, eq=False)
class Flagged:
    """Segments whose difference is more than chance, at one error rate for all of them.

    helped, harmed: indices of segments as logged. not_tested: segments with too few informative clusters, or
    without a value. adjusted: adjusted p-value of each of `segments` [G], NaN where not tested.
    """

    helped: tuple[int, ...]
    harmed: tuple[int, ...]
    not_tested: tuple[int, ...]
    segments: tuple[int, ...]
    adjusted: Floats
    correction: Correction


def flagged(
    differences: SegmentEstimates,
    *,
    error_rate: float = 0.05,
    correction: Correction = "holm",
    min_informative: int = 20,
) -> Flagged:
    """Flag the segments that a policy harms or helps.

    holm: the chance of even one false flag is at most the error rate. benjamini-yekutieli: the expected share
    of false flags among all flags is. Both hold however segments depend on each other. A segment with fewer
    than min_informative clusters that tell of the reward is not tested and does not count among the tests:
    its number of rewards says nothing about which policy is better. Nor is one whose rewards are doubted.

    Raises ValueError unless 0 < error_rate < 1, or for an unknown correction.
    Source: Holm 1979; Benjamini & Yekutieli 2001.
    """
    if not 0 < error_rate < 1:
        raise ValueError(f"error_rate is {error_rate:g}: give a share between 0 and 1, such as 0.05.")
    adjust = {"holm": holm, "benjamini-yekutieli": benjamini_yekutieli}.get(correction)
    if adjust is None:
        raise ValueError(f"no correction is called {correction!r}: take holm or benjamini-yekutieli.")
    tested = differences.is_sound & (differences.n_informative >= min_informative)
    adjusted = np.full(len(tested), np.nan)
    if tested.any():
        adjusted[tested] = adjust(p_values(differences.select(tested)))
    with np.errstate(invalid="ignore"):
        is_flagged = adjusted <= error_rate
    segments = np.array(differences.segments, dtype=np.int64)
    return Flagged(
        helped=tuple(segments[is_flagged & (differences.value > 0)].tolist()),
        harmed=tuple(segments[is_flagged & (differences.value < 0)].tolist()),
        not_tested=tuple(segments[~tested].tolist()),
        segments=differences.segments,
        adjusted=adjusted,
        correction=correction,
    )


def p_values(differences: SegmentEstimates) -> Floats:
    """Two-sided p-values of no difference, shape [G]; 1 for a segment whose resamples do not vary.

    T = difference / √variance is straightened by Hall's cubic, g(T) = T + λ T² / 3 + λ² T³ / 27 + λ / 6, with
    its skewness λ, and g(T) is compared with Student's t. Variance, skewness and degrees of freedom are those
    of `SegmentEstimates`.

    Counting resamples beyond zero can't do this: Holm's first step among 60 segments asks for p ≤ 0.00083,
    and the least that 1,000 resamples can say is 2/1001. The plain normal tail can't either, as differences
    of weighted clicks are skewed. Share of 1,000 logs of 60 equal segments in which it raised a false flag:

    | click rate, weights up to | plain normal | this |
    |---|---|---|
    | 40 %, 3 | .09 | .03 |
    | 10 %, 3 | .15 | .03 |
    | 5 %, 3 | .22 | .03 |
    | 10 %, 7.5 | .68 | .04 |

    Source: Hall 1992, "On the removal of skewness by transformation".
    """
    variance, skew = differences.sampling_variance(), differences.skewness()
    varies = variance > 0
    t = np.divide(differences.value, np.sqrt(variance), out=np.zeros(len(variance)), where=varies)
    straightened = t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6
    freedom = np.maximum(differences.degrees_of_freedom() - 1, 1.0)
    two_sided: Floats = np.where(varies, 2 * stdtr(freedom, -np.abs(straightened)), 1.0)
    return two_sided


def bootstrap_p_values(differences: SegmentEstimates) -> Floats:
    """Two-sided p-values by counting, 2 min(1 + #{≤ 0}, 1 + #{≥ 0}) / (B + 1) at most 1, shape [G].

    Free of any assumed shape, but never below 2 / (B + 1): for one segment, not for a correction over many.

    Source: Davison & Hinkley 1997, chapter 4.
    """
    defined = np.isfinite(differences.resampled).sum(axis=1)
    below = (differences.resampled <= 0).sum(axis=1)
    above = (differences.resampled >= 0).sum(axis=1)
    counted: Floats = np.minimum(2 * (1 + np.minimum(below, above)) / (defined + 1), 1.0)
    return counted


def holm(p: Floats) -> Floats:
    """Holm's adjusted p-values: max over j ≤ i of (m − j + 1) p_(j), at most 1, in the order given.

    Source: Holm 1979.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _in_given_order(steps, order)


def benjamini_yekutieli(p: Floats) -> Floats:
    """Adjusted p-values for the false discovery rate: min over j ≥ i of c m p_(j) / j, c = Σ 1/i, at most 1.

    Source: Benjamini & Yekutieli 2001, theorem 1.3.

    >>> benjamini_yekutieli(np.array([0.01, 0.04])).round(2).tolist()
    [0.03, 0.06]
    """
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, len(p) + 1)
    scaled = p[order] * len(p) * (1 / rank).sum() / rank
    return _in_given_order(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _in_given_order(ascending: Floats, order: NDArray[np.intp]) -> Floats:
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(ascending, 1.0)
    return adjusted
