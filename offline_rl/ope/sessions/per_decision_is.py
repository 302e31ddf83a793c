"""Importance sampling of each step by the decisions that led to it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.discount import check_discount, discounts
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class PerDecisionIS:
    """Per-decision importance sampling, V = Σ_i Σ_t γ^t ρ_{0:t} r_t / m.

    Unbiased, as trajectory-wise importance sampling is, but a reward is weighted by the decisions up to its
    step and by none after it. Equals IPS at horizon 1.

    Terms: 1, Σ_t γ^t ρ_{0:t} r_t. Raises ValueError unless 0 <= gamma <= 1.
    Source: Precup, Sutton & Singh 2000, "Eligibility traces for off-policy policy evaluation",
    per-decision importance sampling; the discount starts at γ^0.

    >>> float(PerDecisionIS().value(np.array([4.0, 2.0])))
    0.5
    """

    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "per_decision_is"

    def __post_init__(self) -> None:
        check_discount(self.gamma)

    def terms(self, sessions: Sessions) -> Floats:
        """Count and weighted rewards of the steps, added up; shape [m, 2]."""
        weighted = (sessions.cumulative_weight * sessions.reward_by_step) @ discounts(
            self.gamma, sessions.horizon
        )
        return np.column_stack([np.ones(sessions.n_sessions), weighted])

    def value(self, sums: Floats) -> Floats:
        """Return the weighted rewards per session."""
        return ratio(sums[..., 1], sums[..., 0])
