"""Marginalized inverse propensity scoring, for many actions with embeddings."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import mean_terms, mean_value
from offline_rl.ope.estimators.marginal_weight import embedding_weight
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class MIPS:
    """Marginalized inverse propensity scoring, V = Σ w(x, e) r / n.

    e is what the logged action looks like (a category, a price band); w(x, e) weighs how often either
    policy shows anything that looks so. Varies far less than IPS where many actions share an embedding.
    Unbiased when the action matters to the reward only through its embedding.

    Terms: 1, w(x, e) r, w(x, e) being the column `marginal_weight`.
    Source: Saito & Joachims 2022, "Off-policy evaluation for large action spaces via embeddings".

    >>> import numpy as np
    >>> float(MIPS().value(np.array([4.0, 2.0])))
    0.5
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "mips"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and weighted reward, shape [n, 2]."""
        return mean_terms(embedding_weight(rounds, self.name) * rounds.reward)

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per round."""
        return mean_value(sums)
