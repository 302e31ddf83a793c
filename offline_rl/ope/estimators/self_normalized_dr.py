"""The self-normalized doubly robust estimator."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class SelfNormalizedDR:
    """Doubly robust with a self-normalized correction, V = Σ q_policy / n + Σ w (r − q_logged) / Σ w.

    NaN where no logged action can be chosen by the evaluation policy.

    Terms: 1, q_policy, w, w (r − q_logged).
    Source: Thomas & Brunskill 2016, the weighted doubly robust estimator at horizon one.

    >>> float(SelfNormalizedDR().value(np.array([4.0, 2.0, 5.0, 1.0])))
    0.7
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "sndr"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count, modeled reward, weight and weighted residual, shape [n, 4]."""
        q_logged, q_policy = rounds.modeled(self.name)
        weight = rounds.weight
        return np.column_stack([np.ones(rounds.n), q_policy, weight, weight * (rounds.reward - q_logged)])

    def value(self, sums: Floats) -> Floats:
        """Modeled reward per round and residual per unit of weight."""
        return ratio(sums[..., 1], sums[..., 0]) + ratio(sums[..., 3], sums[..., 2])
