"""The direct method for sessions: believe the model of the whole rest of the session."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class SequentialDM:
    """The direct method for sessions, V = Σ_i v̂_0(s_0) / m.

    With a q̂ by fitted q evaluation this is the FQE estimate. Needs no propensities and hardly varies, but is
    as wrong as its model. Its interval is conditional on the fitted q̂: it shows which visitors came, and
    nothing of the model's error. The discount is the one that q̂ was fitted with.

    Terms: 1, v̂_0(s_0).
    Source: Le, Voloshin & Yue 2019, "Batch policy learning under constraints", algorithm 3.

    >>> float(SequentialDM().value(np.array([4.0, 1.0])))
    0.25
    """

    rests_on_model: ClassVar[bool] = True
    name: ClassVar[str] = "sequential_dm"

    def terms(self, sessions: Sessions) -> Floats:
        """Count and modeled reward of the session, shape [m, 2]."""
        _, v = sessions.modeled(self.name)
        return np.column_stack([np.ones(sessions.n_sessions), v[:, 0]])

    def value(self, sums: Floats) -> Floats:
        """Return the modeled reward per session."""
        return ratio(sums[..., 1], sums[..., 0])
