"""Forms of estimators: how weights, rewards and a reward model give a value, for any weights.

    Mean              V = Σ w r / n
    CorrectedMean     V = Σ [q_policy + w (r − q_logged)] / n
    Ratio             V = Σ w r / Σ w
    CorrectedRatio    V = Σ q_policy / n + Σ w (r − q_logged) / Σ w

A form with a name and a weight is a whole estimator. `table` says which of them are known, and by what name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.estimators.weights import Weight, none
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio

Model = Callable[[EvaluationRounds, str], tuple[Floats, Floats]]
"""Rounds, and the name of the estimator that uses them → q_logged and q_policy, shape [n] each."""


def q_hat(rounds: EvaluationRounds, asker: str) -> tuple[Floats, Floats]:
    """Return the reward model q̂ of the rounds."""
    return rounds.modeled(asker)


def q_hat_mrdr(rounds: EvaluationRounds, asker: str) -> tuple[Floats, Floats]:
    """Return the reward model fitted under the sample weights π_e(a∣x) (1 − π_b(a∣x)) / π_b(a∣x)²."""
    meaning = "a reward model fitted with MRDR's weights"
    return rounds.column("q_logged_mrdr", asker, meaning), rounds.column("q_policy_mrdr", asker, meaning)


@dataclass(frozen=True)
class Mean:
    """A mean of weighted rewards, V = Σ w r / n.

    Unbiased with exact weights, where the log could show whatever the policy shows; its variance grows with
    the squared weights.

    Terms: 1, w r.

    >>> from offline_rl.ope.estimators.weights import importance
    >>> float(Mean("ips", importance).value(np.array([4.0, 2.0])))
    0.5
    """

    name: str
    weight: Weight
    rests_on_model: ClassVar[bool] = False

    def contribution(self, rounds: EvaluationRounds) -> Floats:
        """Return what each round adds, w r, shape [n]."""
        return self.weight(rounds, self.name) * rounds.reward

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and weighted reward, shape [n, 2]."""
        return mean_terms(self.contribution(rounds))

    def value(self, sums: Floats) -> Floats:
        """Return the weighted reward per round."""
        return mean_value(sums)


@dataclass(frozen=True)
class CorrectedMean:
    """A reward model, corrected by weighted residuals, V = Σ [q_policy + w (r − q_logged)] / n.

    The doubly robust form: unbiased when either weights or model are right, and less variable than `Mean` the
    more of the reward the model explains.

    Terms: 1, q_policy + w (r − q_logged).

    >>> from offline_rl.ope.estimators.weights import importance
    >>> float(CorrectedMean("dr", importance).value(np.array([4.0, 2.0])))
    0.5
    """

    name: str
    weight: Weight
    model: Model = q_hat

    @property
    def rests_on_model(self) -> bool:
        """True without a weight, where rewards enter through q̂ alone."""
        return self.weight is none

    def contribution(self, rounds: EvaluationRounds) -> Floats:
        """Return what each round adds, q_policy + w (r − q_logged), shape [n]."""
        weight = self.weight(rounds, self.name)
        q_logged, q_policy = self.model(rounds, self.name)
        return q_policy + weight * (rounds.reward - q_logged)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        return mean_terms(self.contribution(rounds))

    def value(self, sums: Floats) -> Floats:
        """Return the corrected model reward per round."""
        return mean_value(sums)


@dataclass(frozen=True)
class Ratio:
    """Weighted rewards per unit of weight, V = Σ w r / Σ w.

    Biased by O(1/n), but never outside the observed rewards, and a constant added to the reward moves it by
    exactly that constant. A factor common to all weights cancels. NaN where all weights are 0.

    Terms: w, w r.

    >>> from offline_rl.ope.estimators.weights import importance
    >>> float(Ratio("snips", importance).value(np.array([5.0, 2.0])))
    0.4
    """

    name: str
    weight: Weight
    rests_on_model: ClassVar[bool] = False

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Return the weight and weighted reward, shape [n, 2]."""
        weight = self.weight(rounds, self.name)
        return np.column_stack([weight, weight * rounds.reward])

    def value(self, sums: Floats) -> Floats:
        """Return the weighted reward per unit of weight."""
        return ratio(sums[..., 1], sums[..., 0])


@dataclass(frozen=True)
class CorrectedRatio:
    """A reward model with a self-normalized correction, V = Σ q_policy / n + Σ w (r − q_logged) / Σ w.

    NaN where all weights are 0.

    Terms: 1, q_policy, w, w (r − q_logged).

    >>> from offline_rl.ope.estimators.weights import importance
    >>> float(CorrectedRatio("sndr", importance).value(np.array([4.0, 2.0, 5.0, 1.0])))
    0.7
    """

    name: str
    weight: Weight
    rests_on_model: ClassVar[bool] = False

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count, modeled reward, weight and weighted residual, shape [n, 4]."""
        q_logged, q_policy = q_hat(rounds, self.name)
        weight = self.weight(rounds, self.name)
        return np.column_stack([np.ones(rounds.n), q_policy, weight, weight * (rounds.reward - q_logged)])

    def value(self, sums: Floats) -> Floats:
        """Return the modeled reward per round and residual per unit of weight."""
        return ratio(sums[..., 1], sums[..., 0]) + ratio(sums[..., 3], sums[..., 2])


def mean_terms(contribution: Floats) -> Floats:
    """Count and contribution of each round, shape [n, 2].

    >>> mean_terms(np.array([3.0, 4.0]))
    array([[1., 3.],
           [1., 4.]])
    """
    return np.column_stack([np.ones(len(contribution)), contribution])


def mean_value(sums: Floats) -> Floats:
    """Return the contribution per round of sums [..., 2], shape [...]; NaN of no rounds.

    >>> float(mean_value(np.array([2.0, 7.0])))
    3.5
    """
    return ratio(sums[..., 1], sums[..., 0])
