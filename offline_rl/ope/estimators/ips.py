"""Inverse propensity scoring."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import mean_terms, mean_value
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class IPS:
    """Inverse propensity scoring, V = Σ w r / n.

    Unbiased when propensities are right and the log could show whatever the policy shows; its variance grows
    with the squared weights.

    Terms: 1, w r. Source: Horvitz & Thompson 1952; for policies Precup, Sutton & Singh 2000.

    >>> import numpy as np
    >>> float(IPS().value(np.array([4.0, 2.0])))
    0.5
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "ips"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and weighted reward, shape [n, 2]."""
        return mean_terms(rounds.weight * rounds.reward)

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per round."""
        return mean_value(sums)
