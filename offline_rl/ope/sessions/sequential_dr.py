"""The doubly robust estimator for sessions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.discount import check_discount
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class SequentialDR:
    """The sequential doubly robust estimator, V = Σ_i D_0 / m, by recursion from the end of each session:

        D_t = v̂_t(s_t) + ρ_t (r_t + γ D_{t+1} − q̂_t(s_t, a_t)),  D = 0 after the last step.

    Unbiased when the propensities are right and q̂ was not fitted on the session it corrects; exact in a world
    without chance when q̂ is exact. With q̂ = 0 it is per-decision importance sampling. Equals DR at horizon 1.

    Terms: 1, D_0. Raises ValueError unless 0 <= gamma <= 1.
    Source: Jiang & Li 2016, "Doubly robust off-policy value evaluation for reinforcement learning",
    equation 10.

    >>> float(SequentialDR().value(np.array([4.0, 2.0])))
    0.5
    """

    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "sequential_dr"

    def __post_init__(self) -> None:
        check_discount(self.gamma)

    def terms(self, sessions: Sessions) -> Floats:
        """Count and corrected model value, shape [m, 2]."""
        q, v = sessions.modeled(self.name)
        weight, reward = sessions.weight, sessions.reward_by_step
        corrected = np.zeros(sessions.n_sessions)
        for t in reversed(range(sessions.horizon)):
            corrected = v[:, t] + weight[:, t] * (reward[:, t] + self.gamma * corrected - q[:, t])
        return np.column_stack([np.ones(sessions.n_sessions), corrected])

    def value(self, sums: Floats) -> Floats:
        """Return the corrected model value per session."""
        return ratio(sums[..., 1], sums[..., 0])
