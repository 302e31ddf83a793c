"""Inverse propensity scoring."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class IPS:
    """Inverse propensity scoring, V = Σ w r / n.

    Unbiased when propensities are right and the log could show whatever the policy shows; its variance grows
    with the squared weights.

    Terms: 1, w r. Source: Horvitz & Thompson 1952; for policies Precup, Sutton & Singh 2000.

    >>> float(IPS().value(np.array([4.0, 2.0])))
    0.5
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "ips"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and weighted reward, shape [n, 2]."""
        return np.column_stack([np.ones(rounds.n), rounds.weight * rounds.reward])

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per round."""
        return ratio(sums[..., 1], sums[..., 0])
