"""OffCEM: the effect of an action split into the part its embedding explains and the rest."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import corrected_model, mean_terms, mean_value
from offline_rl.ope.estimators.marginal_weight import embedding_weight
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class OffCEM:
    """Off-policy evaluation by the conjunct effect model, V = Σ [q_policy + w(x, e) (r − q_logged)] / n.

    The doubly robust form with the weight of the embedding (or cluster) e in the place of the action's. Needs
    no embedding to explain everything, as MIPS does: unbiased when q̂ gets the differences between actions of
    one embedding right.

    Terms: 1, q_policy + w(x, e) (r − q_logged), w(x, e) being the column `marginal_weight`.
    Source: Saito, Ren & Joachims 2023, "Off-policy evaluation for large action spaces via conjunct effect
    modeling".

    >>> import numpy as np
    >>> float(OffCEM().value(np.array([4.0, 2.0])))
    0.5
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "off_cem"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        weight = embedding_weight(rounds, self.name)
        return mean_terms(corrected_model(weight, rounds.reward, rounds.modeled(self.name)))

    def value(self, sums: Floats) -> Floats:
        """Corrected model reward per round."""
        return mean_value(sums)
