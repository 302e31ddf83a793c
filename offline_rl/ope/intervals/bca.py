"""The bias-corrected and accelerated bootstrap interval."""

import numpy as np
from scipy.special import ndtr, ndtri

from offline_rl.ope.bootstrap import Interval, percentile_interval
from offline_rl.ope.records import Floats


def bca_interval(value: float, resampled: Floats, left_out: Floats, confidence: float) -> Interval:
    """Return the BCa interval: percentiles of the resampled values [B] at levels moved by bias and skewness,

        α ↦ Φ( z₀ + (z₀ + z_α) / (1 − a (z₀ + z_α)) ),   z₀ = Φ⁻¹(share of resampled values below the value).

    left_out: the value without each cluster in turn, shape [C]. With d_g = mean − left_out[g] the
    acceleration is a = Σ d³ / (6 (Σ d²)^{3/2}). Few clusters with much weight make d skewed, and the interval
    reaches further to their side than the percentile interval, which leans away from it.

    As `percentile_interval` it is stretched to hold the value, leaves out resamples without one, and is NaN
    where none has one. Raises ValueError unless 0 < confidence < 1.
    Source: Efron 1987, "Better bootstrap confidence intervals"; a by equation 6.6 of DiCiccio & Efron 1996.

    Without bias and skewness it is the percentile interval:

    >>> bca_interval(2.0, np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0]), 0.5)
    Interval(lower=1.0, upper=3.0, n_undefined=0)
    """
    plain = percentile_interval(value, resampled, confidence)
    if np.isnan(plain.lower):
        return plain
    defined = resampled[~np.isnan(resampled)]
    tail = (1 - confidence) / 2
    levels = _moved(np.array([tail, 1 - tail]), _bias(value, defined), acceleration(left_out))
    lower, upper = np.quantile(defined, levels)
    return Interval(float(min(lower, value)), float(max(upper, value)), plain.n_undefined)


def acceleration(left_out: Floats) -> float:
    """Return skewness of a jackknife's values [C], over 6 √C: a of `bca_interval`; 0 where they don't vary.

    Clusters without which there is no value are left out.

    >>> acceleration(np.array([1.0, 1.0, 1.0, -3.0])) > 0
    True
    """
    values = left_out[np.isfinite(left_out)]
    if len(values) == 0:
        return 0.0
    d = values.mean() - values
    squares = float(d @ d)
    # Values that differ by rounding alone would have a skewness made of nothing.
    if squares <= (_ROUNDING * float(np.abs(values).max())) ** 2 * len(values):
        return 0.0
    return float((d**3).sum()) / (6 * float(np.sqrt(squares)) ** 3)


def _bias(value: float, resampled: Floats) -> float:
    # Ties count half, so that values which hardly vary don't look biased.
    below = (np.mean(resampled < value) + np.mean(resampled <= value)) / 2
    least = 0.5 / len(resampled)
    return float(ndtri(np.clip(below, least, 1 - least)))


def _moved(levels: Floats, bias: float, a: float) -> Floats:
    z = bias + ndtri(levels)
    # Past the pole the formula turns back; the limit before it is the end of the resamples.
    room = 1 - a * z
    moved = np.divide(z, room, out=np.copysign(np.inf, z), where=room > 0)
    return np.asarray(ndtr(bias + moved))


_ROUNDING = 1e-13
