"""The empirical likelihood estimator: the likeliest distribution of rounds whose mean weight is 1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio

EDGES: Floats = np.exp2(np.arange(-3.0, 9.0))
"""Bounds of the bins of weights: octaves from 1/8 to 256, with 1 among them."""

NO_SPREAD = 1e-12
"""Least distance of a bin's mean weight from 1 that is not a rounding."""

MOST_STEPS = 100


@dataclass(frozen=True)
class EmpiricalLikelihood:
    """The empirical likelihood estimator, V = Σ p w r with Σ p = Σ p w = 1 and Σ log p largest.

    A mean weight other than 1 is sampling error, and the rounds are reweighed by the likeliest p > 0 that
    undo it, p = 1 / (n (1 + β (w − 1))). Since p w are positive and add up to 1, V is never outside the
    observed rewards, as with SNIPS; asymptotically it is never worse than SNIPS or IPS. NaN unless there are
    weights on both sides of 1, or none other than 1.

    Its β solves an equation in all the weights, which no few sums can state. So p is held constant within an
    octave of weights: the likelihood is maximized over 13 numbers, both constraints still hold exactly, and
    an octave's count, Σ w and Σ w r are all that is needed. Where each octave holds one weight this is the
    estimator of the paper; elsewhere it differs from it by some hundredths of the standard error. `exact`
    has a p for each round.

    Terms: 1, w, w r in the round's bin of weights and 0 in the 12 others.
    Source: Karampatziakis, Langford & Mineiro 2020, "Empirical likelihood for contextual bandits"; the dual
    is that of Owen 2001, "Empirical likelihood", chapter 3.
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "empirical_likelihood"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Return the counts, weights and weighted rewards by bin of weights, shape [n, 3 × 13]."""
        weight = rounds.weight
        bins = len(EDGES) + 1
        terms = np.zeros((rounds.n, 3 * bins))
        place = np.searchsorted(EDGES, weight, side="right")
        row = np.arange(rounds.n)
        terms[row, place] = 1.0
        terms[row, place + bins] = weight
        terms[row, place + 2 * bins] = weight * rounds.reward
        return terms

    def value(self, sums: Floats) -> Floats:
        """Return the weighted reward under the likeliest p."""
        bins = len(EDGES) + 1
        return tilted_mean(sums[..., :bins], sums[..., bins : 2 * bins], sums[..., 2 * bins :])


def exact(weight: Floats, reward: Floats) -> float:
    """Return the estimator of the paper on one log, with p for each round; see `EmpiricalLikelihood`.

    Weights 1/2 and 2 of one round each need p = 2/3 and 1/3 to have the mean 1.

    >>> round(exact(np.array([0.5, 2.0]), np.array([1.0, 4.0])), 12)
    3.0
    """
    return float(tilted_mean(np.ones_like(weight), weight, weight * reward))


def tilted_mean(count: Floats, weight: Floats, weighted: Floats) -> Floats:
    """Return Σ_b ρ_b Σ_{i∈b} w r / n over groups b of equal ρ = n p: sums [..., groups], result [...].

    NaN where no ρ > 0 gives the mean weight 1.
    """
    excess = ratio(weight, count) - 1
    excess = np.where((count > 0) & (np.abs(excess) > NO_SPREAD), excess, 0.0)
    tilt = dual(count, excess)
    return ratio((weighted / (1 + tilt[..., np.newaxis] * excess)).sum(axis=-1), count.sum(axis=-1))


def dual(count: Floats, excess: Floats) -> Floats:
    """Return root β of Σ_b n_b u_b / (1 + β u_b), where every 1 + β u_b > 0; shapes [..., groups] → [...].

    Between the poles on either side of 0 the sum falls from +∞ to −∞. Newton's steps, replaced by a halving
    where they leave the bracket, find its only root there. 0 where no u differs from 0, NaN where all that do
    have one sign.

    >>> round(float(dual(np.array([1.0, 1.0]), np.array([-0.5, 1.0]))), 12)
    0.5
    """
    highest, lowest = excess.max(axis=-1), excess.min(axis=-1)
    has_root = (highest > 0) & (lowest < 0)
    below = np.where(has_root, -ratio(np.ones_like(highest), highest), 0.0)
    above = np.where(has_root, -ratio(np.ones_like(lowest), lowest), 0.0)
    tilt = np.zeros_like(highest)
    for _ in range(MOST_STEPS):
        leverage = excess / (1 + tilt[..., np.newaxis] * excess)
        slope = (count * leverage * leverage).sum(axis=-1)
        height = (count * leverage).sum(axis=-1)
        below, above = np.where(height > 0, tilt, below), np.where(height > 0, above, tilt)
        newton = tilt + np.where(has_root, ratio(height, slope), 0.0)
        is_inside = (newton > below) & (newton < above)
        step = np.where(is_inside | ~has_root, newton, (below + above) / 2) - tilt
        tilt = tilt + np.where(has_root, step, 0.0)
        if not (np.abs(step) > 1e-12 * (1 + np.abs(tilt))).any():
            break
    is_defined = has_root | ((highest == 0) & (lowest == 0))
    return np.where(is_defined, tilt, np.nan)
