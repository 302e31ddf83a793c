"""Partial pooling: the value of each segment, drawn towards the mean of all.

A small segment's own estimate is mostly noise, and the mean of all segments is not about it. The best guess
lies between, closer to the mean the noisier the estimate and the more alike the segments are.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from offline_rl.ope.records import Floats
from offline_rl.ope.segments.segment_estimates import SegmentEstimates

_SPREADS = 100
"""Number of values of τ over which a probability is summed."""

FEWEST_SEGMENTS = 4
"""Fewest segments whose differences are estimated: with fewer, the likelihood of τ² has no maximum."""


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
    """Return the pool the estimates of G segments, y_g ~ N(θ_g, V_g), θ_g ~ N(μ, τ²).

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
    segment that is doubted keeps its own value, has no part in the mean, and has no interval.

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


def below_zero(estimates: SegmentEstimates) -> Floats:
    """Return the probability that each segment's true value is below zero, shape [G], in the model above.

        P(θ_g < 0 ∣ y) = ∫ Φ(−m_g(τ) / s_g(τ)) p(τ ∣ y) dτ

    with m_g and s_g the mean and standard deviation of θ_g given τ, and p(τ ∣ y) the restricted likelihood
    under a flat prior on τ ≥ 0. τ̂ of `partially_pooled` is kept away from zero so that intervals cover; taken
    for the truth it would see harm where segments are alike. A segment that is not sound is one of the
    others: its mean is μ. With fewer than four sound segments each speaks for itself, and nothing, 0.5, is
    known of the rest.

    Source: Gelman 2006, "Prior distributions for variance parameters in hierarchical models", on the prior.
    """
    known = estimates.is_sound
    chance = np.full(len(known), 0.5)
    if not known.any():
        return chance
    identified = estimates.select(known)
    y, variance = identified.value, identified.sampling_variance()
    if len(y) < FEWEST_SEGMENTS or not variance.min() > 0:
        chance[known] = _chance_below_zero(y, np.sqrt(variance))
        return chance
    chance[known], chance[~known] = _over_spreads(y, variance)
    return chance


def _over_spreads(y: Floats, variance: Floats) -> tuple[Floats, float]:
    """Return probabilities of the segments, shape [G], and of one that is not among them, summed over τ."""
    # beyond three deviations of the estimates τ has no weight
    spreads = np.linspace(0.0, 3.0 * max(float(y.std()), float(np.median(variance)) ** 0.5), _SPREADS)
    between = spreads[:, None] ** 2
    weight = 1 / (variance + between)
    total = weight.sum(axis=1, keepdims=True)
    mean = (weight * y).sum(axis=1, keepdims=True) / total
    residual = (weight * (y - mean) ** 2).sum(axis=1)
    log_likelihood = 0.5 * (np.log(weight).sum(axis=1) - np.log(total[:, 0]) - residual)
    likelihood = np.exp(log_likelihood - log_likelihood.max())
    likelihood /= likelihood.sum()
    shrinkage = variance * weight
    drawn = (1 - shrinkage) * y + shrinkage * mean
    squared = variance * (1 - shrinkage) + shrinkage**2 / total
    of_segments = likelihood @ _chance_below_zero(drawn, np.sqrt(squared))
    of_another = likelihood @ _chance_below_zero(mean, np.sqrt(1 / total + between))
    return np.asarray(of_segments), float(of_another[0])


def _chance_below_zero(value: Floats, deviation: Floats) -> Floats:
    """Return Φ(−value / deviation); one half where a value of zero is known for certain."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(value == 0, 0.0, value / deviation)
    return np.asarray(ndtr(-z), dtype=np.float64)


def _pooled(y: Floats, variance: Floats) -> tuple[Floats, Floats, Floats, float, float]:
    """Return the pooled estimates, their standard deviations, shrinkage, mean and spread."""
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
    """Return τ² at the maximum of τ² times its restricted likelihood, and the curvature there by log τ²."""

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
