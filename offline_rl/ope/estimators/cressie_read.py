"""The Cressie-Read estimator: the rounds reweighed so that their mean weight is 1 in the sample too."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio

NO_SPREAD = 1e-12
"""Least variance of the weights, in units of their mean square, that is not a rounding."""


@dataclass(frozen=True)
class CressieRead:
    """The Cressie-Read estimator of power −2, V = Σ p w r with Σ p = Σ p w = 1 and Σ (n p − 1)² least.

    A mean weight other than 1 is sampling error, and the rounds are reweighed as little as possible to undo
    it. In closed form, with means over rounds,

        V = mean(w r) − (mean(w) − 1) cov(w, w r) / var(w),

    the regression of w r on w, read at w = 1. Asymptotically it is never worse than IPS or SNIPS (whose
    slopes are 0 and V). It is biased by O(1/n), and a constant added to the reward moves it by exactly that
    constant. Some p may be negative; `empirical_likelihood` keeps them positive. NaN where all weights are
    equal and not 1.

    The authors' own code adds one round that was never seen, which moves the value by O(1/n) and needs the
    range of weights.

    Terms: 1, w, w², w r, w² r.
    Source: Karampatziakis, Langford & Mineiro 2020, "Empirical likelihood for contextual bandits"; the form
    without the unseen round is the Euclidean likelihood of Owen 2001, "Empirical likelihood", chapter 3.

    >>> float(CressieRead().value(np.array([4.0, 5.0, 8.25, 2.0, 3.5])))
    0.375
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "cressie_read"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count, weight, its square, and both times the reward, shape [n, 5]."""
        weight = rounds.weight
        weighted = weight * rounds.reward
        return np.column_stack([np.ones(rounds.n), weight, weight * weight, weighted, weight * weighted])

    def value(self, sums: Floats) -> Floats:
        """Return the regression of weighted reward on weight, read at weight 1."""
        w, ww, wr, wwr = (ratio(sums[..., i], sums[..., 0]) for i in (1, 2, 3, 4))
        variance = ww - w * w
        varies = variance > NO_SPREAD * ww
        slope = ratio(np.where(varies, wwr - w * wr, 0.0), np.where(varies, variance, 1.0))
        is_identified = varies | (np.abs(w - 1) <= NO_SPREAD)
        return np.where(is_identified, wr - (w - 1) * slope, np.nan)
