"""What every estimator over sessions is: terms per session, whose sums add, and a value made of the sums."""

from typing import ClassVar, Protocol, runtime_checkable

from scipy.sparse import csr_array

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.records import Sessions


class SessionEstimator(Protocol):
    """Numbers travel session → sums → value, as rounds do in `offline_rl.ope.estimators.estimator.Estimator`.

    `value(terms(sessions).sum(axis=0))` estimates V = E[Σ_t γ^t r_t], the discounted reward of a session
    under the evaluation policy. Terms add, so shards, users and bootstrap resamples are sums of one kind, as
    long as the horizon is the same.
    """

    rests_on_model: ClassVar[bool]
    """True where rewards enter through q̂ alone, so that no interval can show the model's error."""

    caution: ClassVar[str]
    """What an interval over resampled sessions can't show of this estimator; empty where there is nothing."""

    @property
    def name(self) -> str:
        """The spelling that configuration and tables share, such as `per_decision_is`."""
        ...

    def terms(self, sessions: Sessions) -> Floats:
        """Terms of each session, shape [m, k]."""
        ...

    def value(self, sums: Floats) -> Floats:
        """Policy value of sums [..., k], shape [...]; NaN where the sums identify nothing."""
        ...


@runtime_checkable
class TabularEstimator(SessionEstimator, Protocol):
    """An estimator whose terms are counts over steps, states and actions, nearly all of them 0.

    A session of T steps fills fewer than 3 T terms of possibly many thousands; `sparse_terms` holds just
    those. The model is a function of the sums, so that every resample refits it.
    """

    def sparse_terms(self, sessions: Sessions) -> csr_array:
        """Terms of each session, shape [m, k], without the zeros."""
        ...
