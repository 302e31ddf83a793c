"""Estimators with an optimal control variate: the weight, whose mean is known, removes some of the noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.estimators.forms import CorrectedMean, Mean
from offline_rl.ope.estimators.weights import importance
from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.ope.sums import ratio

N_TERMS = 6
"""Of each half: 1, c, W, W², d, d W (`baseline_terms`)."""


@dataclass(frozen=True)
class OptimalBaseline:
    """A mean with an optimal baseline, V = Σ [c − β W] / n with W = w − E[w] and c the form's contribution.

    `beta_ips` is that of `Mean`, c = w r. For the difference to the logging policy, Δ = Σ (w − 1)(r − β) / n,
    no other β has a smaller variance. A constant added to the reward moves the value by exactly that
    constant, as of SNIPS, without the bias of a ratio.

    `beta_dr` is that of `CorrectedMean`, c = q_policy + w (r − q_logged). β is 0 but for noise where the
    reward model's level is right, and the value then that of `dr`; it mends a model that is off by a
    constant.

    `baseline_terms` and `baseline_value` say how β is found.

    Source: Jeunen & Ustimenko 2024, "Δ-OPE: off-policy estimation with pairs of policies"; Gupta, Jeunen,
    Oosterhuis & de Rijke 2024, "Optimal baseline corrections for off-policy contextual bandits".
    """

    name: str
    form: type[Mean] | type[CorrectedMean]
    rests_on_model: ClassVar[bool] = False

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Return the moments of the contribution and of the weight in each half, shape [n, 12]."""
        return baseline_terms(self.form(self.name, importance).contribution(rounds), rounds)

    def value(self, sums: Floats) -> Floats:
        """Return the contribution per round, less β times the surplus of weight."""
        return baseline_value(sums)


def baseline_terms(contribution: Floats, rounds: EvaluationRounds) -> Floats:
    """Return the terms of each round, shape [n, 12]: those of the first half of clusters, then of the second.

    With contribution c, d = c − r (what it adds to the difference to the logging policy) and W = w − E[w]
    these are 1, c, W, W², d, d W in the columns of the round's half, 0 in the others. E[w] is 1 less what the
    log could not have shown. A cluster's half is a hash of its number: of resamples, shards and segments each
    cluster stays where it is.
    """
    expected = 1.0 if rounds.unsupported_mass is None else 1.0 - rounds.unsupported_mass
    surplus = rounds.weight - expected
    added = contribution - rounds.reward
    moments = np.column_stack(
        [np.ones(rounds.n), contribution, surplus, np.square(surplus), added, added * surplus]
    )
    is_second = _half(rounds.cluster)[:, None] == 1
    return np.hstack([np.where(is_second, 0.0, moments), np.where(is_second, moments, 0.0)])


def baseline_value(sums: Floats) -> Floats:
    """Return mean contribution less β times mean surplus, of sums [..., 12], shape [...]; NaN of no rounds.

        V = (Σ c − β₂ Σ₁ W − β₁ Σ₂ W) / n,    β_h = Cov_h(d, W) / Var_h(W)

    Each half's surplus is weighed by the other half's β, so that the two are independent and E[β W] = 0: the
    value has no bias, however few rounds and however heavy the weights. A half in which weights don't vary
    has a β of 0. Source of the cross-fitting: Chernozhukov et al. 2018, "Double/debiased machine learning".

    Two halves of two rounds, in both of which d = 2 W, so that β = 2. Contributions add up to 6 and the
    surplus to 1: (6 − 2) / 4.

    >>> half = np.array([2.0, 3.0, 0.5, 1.25, 1.0, 2.5])
    >>> float(baseline_value(np.hstack([half, half])))
    1.0
    """
    first, second = sums[..., :N_TERMS], sums[..., N_TERMS:]
    corrected = (
        first[..., 1] + second[..., 1] - _baseline(second) * first[..., 2] - _baseline(first) * second[..., 2]
    )
    return ratio(corrected, first[..., 0] + second[..., 0])


def _baseline(half: Floats) -> Floats:
    """Return β of the sums of one half [..., 6]; 0 where the weights of its rounds don't differ."""
    n, _, surplus, squared, added, product = np.moveaxis(half, -1, 0)
    # n² times covariance and variance; a difference of sums that are equal but for rounding is none.
    spread = n * squared - np.square(surplus)
    differs = spread > ROUNDING * n * squared
    return np.where(differs, (n * product - added * surplus) / np.where(differs, spread, 1.0), 0.0)


ROUNDING = 1e-12
"""Share of a sum of squares below which a variance is a rounding."""


def _half(cluster: Ints) -> Ints:
    """Return 0 or 1 for each cluster number: the top bit of Fibonacci hashing, as ids may alternate.

    Source: Knuth 1973, "The art of computer programming", volume 3, section 6.4.

    >>> _half(np.arange(8)).tolist()
    [0, 1, 0, 1, 0, 0, 1, 0]
    """
    hashed = cluster.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (hashed >> np.uint64(63)).astype(np.int64)
