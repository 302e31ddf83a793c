"""Self-normalized importance sampling of whole sessions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.discount import check_discount, discounts
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class WeightedTrajectoryIS:
    """Weighted trajectory-wise importance sampling, V = Σ_i ρ_{0:T−1} G / Σ_i ρ_{0:T−1}.

    Biased by O(1/m), never outside the observed returns. Equals SNIPS at horizon 1. NaN where no session
    could have happened under the evaluation policy.

    Terms: ρ_{0:T−1}, ρ_{0:T−1} G. Raises ValueError unless 0 <= gamma <= 1.
    Source: Precup, Sutton & Singh 2000, "Eligibility traces for off-policy policy evaluation", weighted
    importance sampling.

    >>> float(WeightedTrajectoryIS().value(np.array([5.0, 2.0])))
    0.4
    """

    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    caution: ClassVar[str] = ""
    name: ClassVar[str] = "weighted_trajectory_is"

    def __post_init__(self) -> None:
        check_discount(self.gamma)

    def terms(self, sessions: Sessions) -> Floats:
        """Weight and weighted return, shape [m, 2]."""
        returns = sessions.reward_by_step @ discounts(self.gamma, sessions.horizon)
        weight = sessions.cumulative_weight[:, -1]
        return np.column_stack([weight, weight * returns])

    def value(self, sums: Floats) -> Floats:
        """Weighted return per unit of weight."""
        return ratio(sums[..., 1], sums[..., 0])
