"""Importance sampling of whole sessions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.discount import check_discount, discounts
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class TrajectoryIS:
    """Trajectory-wise importance sampling, V = Σ_i ρ_{0:T−1} G / m, with G = Σ_t γ^t r_t.

    Unbiased, but early rewards are weighted by actions that came after them, which costs variance for
    nothing: take `per_decision_is`. Equals IPS at horizon 1.

    Terms: 1, ρ_{0:T−1} G. Raises ValueError unless 0 <= gamma <= 1.
    Source: Precup, Sutton & Singh 2000, "Eligibility traces for off-policy policy evaluation", importance
    sampling.

    >>> float(TrajectoryIS().value(np.array([4.0, 2.0])))
    0.5
    """

    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    caution: ClassVar[str] = ""
    name: ClassVar[str] = "trajectory_is"

    def __post_init__(self) -> None:
        check_discount(self.gamma)

    def terms(self, sessions: Sessions) -> Floats:
        """Count and weighted return, shape [m, 2]."""
        returns = sessions.reward_by_step @ discounts(self.gamma, sessions.horizon)
        return np.column_stack([np.ones(sessions.n_sessions), sessions.cumulative_weight[:, -1] * returns])

    def value(self, sums: Floats) -> Floats:
        """Weighted return per session."""
        return ratio(sums[..., 1], sums[..., 0])
