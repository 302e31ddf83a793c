"""Weights that a form may use as w: each is a ratio of the two policies' probabilities."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.estimators.shrinkage import Shrinkage
from offline_rl.ope.records import EvaluationRounds, Floats

Weight = Callable[[EvaluationRounds, str], Floats]
"""Rounds, and the name of the estimator that uses it → a weight for each round, shape [n].

Raises ValueError with that name where the rounds lack a column.
"""


def importance(rounds: EvaluationRounds, _asker: str) -> Floats:
    """Return w = π_e(a∣x) / π_b(a∣x), of the logged action."""
    return rounds.weight


def none(rounds: EvaluationRounds, _asker: str) -> Floats:
    """Return 0: no reward is used, which leaves the reward model alone."""
    return np.zeros(rounds.n)


def density_ratio(rounds: EvaluationRounds, asker: str) -> Floats:
    """Return v, the density ratio of (context, action) under the two policies, estimated by a classifier.

    The classifier separates the policies' rounds, so that deterministic policies and unknown propensities
    can be weighed. Its ratio is known up to a factor only.
    """
    return rounds.column("density_ratio", asker, "weights estimated by a classifier")


def embedding(rounds: EvaluationRounds, asker: str) -> Floats:
    """Return w(x, e), the ratio of how often either policy shows anything that looks like the logged action.

    e is what an action looks like: a category, a price band, a cluster. `marginal_weight` computes it.
    """
    return rounds.column("marginal_weight", asker, "the weight of the logged action's embedding")


def all_loggers(rounds: EvaluationRounds, asker: str) -> Floats:
    """Return w_bal = π_e(a∣x) / Σ_k (n_k / n) π_k(a∣x), over the probability under all loggers together.

    Never more variable than w over the probability under the round's own logger.
    """
    meaning = "the probability of the logged action under all loggers together"
    return rounds.evaluation_prob / rounds.column("balanced_propensity", asker, meaning)


@dataclass(frozen=True)
class Shrunken:
    """A weight under a shrinkage, itself a `Weight`.

    Raises ValueError for a number that the shrinkage doesn't take.
    """

    weight: Weight
    shrinkage: Shrinkage
    number: float

    def __post_init__(self) -> None:
        self.shrinkage.check(self.shrinkage.symbol, self.number)

    def __call__(self, rounds: EvaluationRounds, asker: str) -> Floats:
        """Return the shrunken weights."""
        return self.shrinkage.shrink(self.weight(rounds, asker), self.number)
