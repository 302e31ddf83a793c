"""Self-normalized inverse propensity scoring."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class SNIPS:
    """Self-normalized inverse propensity scoring, V = Σ w r / Σ w.

    Biased by O(1/n), but never outside the observed rewards, and a constant added to the reward moves it by
    exactly that constant. NaN where no logged action can be chosen by the evaluation policy.

    Terms: w, w r.
    Source: Swaminathan & Joachims 2015, "The self-normalized estimator for counterfactual learning".

    >>> float(SNIPS().value(np.array([5.0, 2.0])))
    0.4
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "snips"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Weight and weighted reward, shape [n, 2]."""
        weight = rounds.weight
        return np.column_stack([weight, weight * rounds.reward])

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per unit of weight."""
        return ratio(sums[..., 1], sums[..., 0])
