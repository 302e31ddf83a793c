"""Interface of estimators over sessions: terms per session, and a value computed from their sums."""

from typing import Protocol

from offline_rl.ope.contrast import Valued
from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.records import Sessions


class SessionEstimator(Valued, Protocol):
    """Numbers travel session → sums → value, as rounds do in `offline_rl.ope.estimators.estimator.Estimator`.

    `value(terms(sessions).sum(axis=0))` estimates V = E[Σ_t γ^t r_t], the discounted reward of a session
    under the evaluation policy. Terms add, so shards, users and bootstrap resamples are sums of one kind, as
    long as the horizon is the same.
    """

    def terms(self, sessions: Sessions) -> Floats:
        """Return the terms of each session, shape [m, k]."""
        ...
