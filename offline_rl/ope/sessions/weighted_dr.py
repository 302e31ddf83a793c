"""The self-normalized doubly robust estimator for sessions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.discount import check_discount, discounts
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class WeightedDR:
    """The weighted doubly robust estimator,

        V = Σ_t γ^t [Σ_i ρ_{0:t−1} v̂_t / Σ_i ρ_{0:t−1} + Σ_i ρ_{0:t} (r_t − q̂_t) / Σ_i ρ_{0:t}]

    with ρ_{0:−1} = 1.

    Sequential DR with the weights of every step divided by their sum: biased by O(1/m), less variable under
    heavy weights. With q̂ = 0 it is weighted per-decision importance sampling. Equals SNDR at horizon 1.
    NaN where no session could have happened under the evaluation policy.

    Terms: 1, ρ_{0:t} for t = 0 … T−1, γ^t ρ_{0:t−1} v̂_t, γ^t ρ_{0:t} (r_t − q̂_t).
    Raises ValueError unless 0 <= gamma <= 1.
    Source: Thomas & Brunskill 2016, "Data-efficient off-policy policy evaluation for reinforcement learning",
    the estimator WDR, its sums regrouped by step.

    One step: 4 sessions, weight 5, modeled 2, weighted residual 1.

    >>> float(WeightedDR().value(np.array([4.0, 5.0, 2.0, 1.0])))
    0.7
    """

    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "weighted_dr"

    def __post_init__(self) -> None:
        check_discount(self.gamma)

    def terms(self, sessions: Sessions) -> Floats:
        """Count, weights, weighted model values and weighted residuals of the steps, shape [m, 1 + 3 T]."""
        q, v = sessions.modeled(self.name)
        discount = discounts(self.gamma, sessions.horizon)
        with_start = np.hstack([np.ones((sessions.n_sessions, 1)), sessions.cumulative_weight])
        weight_before, weight = with_start[:, :-1], with_start[:, 1:]
        residual = sessions.reward_by_step - q
        return np.hstack([with_start, discount * weight_before * v, discount * weight * residual])

    def value(self, sums: Floats) -> Floats:
        """Return the model value and residual per unit of weight, added up over the steps."""
        horizon = sums.shape[-1] // 3
        with_start, modeled, residual = np.split(sums, [horizon + 1, 2 * horizon + 1], axis=-1)
        by_step = ratio(modeled, with_start[..., :-1]) + ratio(residual, with_start[..., 1:])
        values: Floats = by_step.sum(axis=-1)
        return values
