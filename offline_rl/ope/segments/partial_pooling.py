"""Partial pooling: what a segment is worth, in the light of all others.

A small segment's own estimate is mostly noise, and the mean of all segments is not about it. The best guess
lies between, closer to the mean the noisier the estimate and the more alike the segments are.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtri

from offline_rl.ope.records import Floats
from offline_rl.ope.segments.segment_estimates import SegmentEstimates

FEWEST_SEGMENTS = 4
"""Fewer segments cannot tell how much segments differ: the likelihood of τ² has no maximum."""


@dataclass(frozen=True, eq=False)
class PooledSegments:
    """Estimates drawn towards the mean of all segments.

    | field | shape | meaning |
    |---|---|---|
    | segments | [G] | indices as logged |
    | value | [G] | the pooled estimate, (1 − B) own + B mean; NaN where a segment has no estimate |
    | lower, upper | [G] | its interval |
    | own | [G] | the segment's estimate by itself |
    | shrinkage | [G] | B, from 0 (the segment speaks for itself) to 1 (the mean speaks for it) |
    | mean | | μ̂, the precision-weighted mean of the segments |
    | spread | | τ̂, the standard deviation of true values between segments |
    """

    segments: tuple[int, ...]
    value: Floats
    lower: Floats
    upper: Floats
    own: Floats
    shrinkage: Floats
    mean: float
    spread: float


def partially_pooled(estimates: SegmentEstimates, confidence: float = 0.95) -> PooledSegments:
    """Pool the estimates of G segments, y_g ~ N(θ_g, V_g), θ_g ~ N(μ, τ²).

    V_g is `SegmentEstimates.sampling_variance`. τ² maximizes the restricted likelihood times τ², which keeps
    it above zero: an estimate of exactly zero would claim to know that all segments are the same. Then
    W = 1 / (V + τ²), B = V W, μ̂ = Σ W y / Σ W and

        value    = (1 − B) y + B μ̂
        variance = V (1 − B) + V B W / Σ W + var(B) (y − μ̂)²

    of which the last two terms account for the estimated mean and the estimated τ². The interval is
    value ± z √variance. It covers on average over segments; a segment that truly is an exception is drawn to
    the mean like the others and covered less often.

    Covariances between segments are neglected: they are nil where every user lives in one segment, and where
    users roam the mean is known less well than claimed. With fewer than four segments nothing is pooled. A
    segment that is doubted keeps its own value, is no part of the mean, and has no interval.

    Raises ValueError unless 0 < confidence < 1.
    Source: Efron & Morris 1975 for the estimate; Morris 1983, "Parametric empirical Bayes inference",
    for the variance; Morris & Tang 2011, "Estimating random effects via adjustment for density
    maximization", for τ² and var(B).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
    known = estimates.is_sound
    own = np.where(estimates.is_identified, estimates.value, np.nan)
    value, deviation, shrinkage = own.copy(), np.full(len(own), np.nan), np.zeros(len(own))
    mean, spread = np.nan, np.nan
    if known.any():
        identified = estimates.select(known)
        y, variance = identified.value, identified.sampling_variance()
        if len(y) >= FEWEST_SEGMENTS and variance.min() > 0:
            value[known], deviation[known], shrinkage[known], mean, spread = _pooled(y, variance)
        else:
            deviation[known] = np.sqrt(variance)
    half_width = float(ndtri(0.5 + confidence / 2)) * deviation
    return PooledSegments(
        estimates.segments, value, value - half_width, value + half_width, own, shrinkage, mean, spread
    )


def _pooled(y: Floats, variance: Floats) -> tuple[Floats, Floats, Floats, float, float]:
    """Pooled estimates, their standard deviations, shrinkage, mean and spread."""
    between, curvature = _between_segments(y, variance)
    weight = 1 / (variance + between)
    mean = float(weight @ y) / float(weight.sum())
    shrinkage = variance * weight
    # B = V / (V + τ²) has the derivative −B (1 − B) by log τ².
    shrinkage_variance = (shrinkage * (1 - shrinkage)) ** 2 / curvature
    squared = (
        variance * (1 - shrinkage)
        + variance * shrinkage * weight / weight.sum()
        + shrinkage_variance * (y - mean) ** 2
    )
    return (1 - shrinkage) * y + shrinkage * mean, np.sqrt(squared), shrinkage, mean, between**0.5


def _between_segments(y: Floats, variance: Floats) -> tuple[float, float]:
    """τ² at the maximum of τ² times its restricted likelihood, and the curvature there by log τ²."""

    def loss(log_between: float) -> float:
        weight = 1 / (variance + exp(log_between))
        mean = weight @ y / weight.sum()
        residual = weight @ (y - mean) ** 2
        log_likelihood = 0.5 * (np.log(weight).sum() - np.log(weight.sum()) - residual)
        return -float(log_between + log_likelihood)

    scale = log(float(np.median(variance)))
    top = max(scale, log(float(y.var()) + float(variance.min())))
    best = float(minimize_scalar(loss, bounds=(scale - 12, top + 5), method="bounded").x)
    step = 0.01
    curvature = (loss(best - step) - 2 * loss(best) + loss(best + step)) / step**2
    return exp(best), max(curvature, 1e-6)
