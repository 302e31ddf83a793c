"""Self-normalized importance sampling of each step by the decisions that led to it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.discount import check_discount, discounts
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class WeightedPerDecisionIS:
    """Weighted per-decision importance sampling, V = Σ_t γ^t Σ_i ρ_{0:t} r_t / Σ_i ρ_{0:t}.

    Each step has a normalizer of its own, over all sessions: those that have ended keep the weight they ended
    with and earn 0, since under the evaluation policy too they would have ended. Biased by O(1/m). Equals
    SNIPS at horizon 1. NaN where no session could have happened under the evaluation policy.

    Terms: ρ_{0:t} for t = 0 … T−1, then γ^t ρ_{0:t} r_t. Raises ValueError unless 0 <= gamma <= 1.
    Source: Precup, Sutton & Singh 2000, per-decision importance sampling, normalized step by step as in
    Thomas 2015, "Safe reinforcement learning" (consistent weighted per-decision importance sampling).

    Two steps, weights 5 and 4, weighted rewards 2 and 1:

    >>> float(WeightedPerDecisionIS().value(np.array([5.0, 4.0, 2.0, 1.0])))
    0.65
    """

    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "weighted_per_decision_is"

    def __post_init__(self) -> None:
        check_discount(self.gamma)

    def terms(self, sessions: Sessions) -> Floats:
        """Return the weights and discounted weighted rewards of the steps, shape [m, 2 T]."""
        weight = sessions.cumulative_weight
        discounted = discounts(self.gamma, sessions.horizon) * sessions.reward_by_step
        return np.hstack([weight, weight * discounted])

    def value(self, sums: Floats) -> Floats:
        """Return the weighted reward per unit of weight, added up over the steps."""
        weight, weighted_reward = np.split(sums, 2, axis=-1)
        values: Floats = ratio(weighted_reward, weight).sum(axis=-1)
        return values
