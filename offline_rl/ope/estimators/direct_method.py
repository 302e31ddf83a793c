"""The direct method: believe the reward model."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import mean_terms, mean_value
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class DirectMethod:
    """The direct method, V = Σ_i Σ_a π_e(a∣x_i) q̂(x_i, a) / n.

    Needs no propensities and hardly varies, but is as wrong as its model, and its interval can't tell.

    Terms: 1, q_policy. Source: Dudik, Langford & Li 2011, "Doubly robust policy evaluation and learning".

    >>> import numpy as np
    >>> float(DirectMethod().value(np.array([4.0, 1.0])))
    0.25
    """

    rests_on_model: ClassVar[bool] = True
    name: ClassVar[str] = "dm"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and modeled reward of the policy, shape [n, 2]."""
        _, q_policy = rounds.modeled(self.name)
        return mean_terms(q_policy)

    def value(self, sums: Floats) -> Floats:
        """Modeled reward per round."""
        return mean_value(sums)
