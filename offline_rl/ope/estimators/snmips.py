"""Self-normalized marginalized inverse propensity scoring."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.estimators.marginal_weight import embedding_weight
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class SNMIPS:
    """Self-normalized MIPS, V = Σ w(x, e) r / Σ w(x, e).

    To MIPS what SNIPS is to IPS. NaN where no logged embedding can be shown by the evaluation policy.

    Terms: w(x, e), w(x, e) r, w(x, e) being the column `marginal_weight`.
    Source: Saito & Joachims 2022, "Off-policy evaluation for large action spaces via embeddings".

    >>> float(SNMIPS().value(np.array([5.0, 2.0])))
    0.4
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "snmips"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Weight and weighted reward, shape [n, 2]."""
        weight = embedding_weight(rounds, self.name)
        return np.column_stack([weight, weight * rounds.reward])

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per unit of weight."""
        return ratio(sums[..., 1], sums[..., 0])
