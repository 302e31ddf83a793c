"""Marginalized importance sampling: weigh states by how often the policy gets there, not paths."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.discount import check_discount, discounts
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sessions.tabular_terms import Block, per_count, sparse_rows, tables


@dataclass(frozen=True)
class MarginalizedIS:
    """Marginalized importance sampling over S discrete states, V = Σ_t γ^t Σ_s d_t(s) r_t(s), with

        n_t(s) = sessions in s at step t,                r_t(s) = Σ_{i: s_t = s} ρ_t r_t / n_t(s),
        d_0(s) = n_0(s) / m,    d_{t+1}(s') = Σ_s d_t(s) Σ_{i: s_t = s, s_{t+1} = s'} ρ_t / n_t(s).

    d_t(s) estimates how probable state s is at step t under the evaluation policy. Weights of one step enter
    where the others multiply all weights of a path, so the variance grows polynomially with the horizon. That
    holds if the state is Markov: if what comes next depends on more of the past than s, V is biased and no
    interval can tell. The bias from states that the sample missed vanishes with m. Sessions that end leave
    d. Equals IPS at horizon 1.

    Terms: tables n_t(s), Σ ρ_t r_t and Σ ρ_t by (t, s, s'), so k = 2 T S + (T − 1) S². They are sums, and a
    resample of users therefore refits d and r.

    Raises ValueError for less than one state, gamma outside [0, 1], or sessions without column state or with
    a state at or past n_states.
    Source: Xie, Ma & Wang 2019, "Towards optimal off-policy evaluation for reinforcement learning with
    marginalized importance sampling", section 3.

    One step, two states, seen 3 times and once, with weighted rewards 1 and 1:

    >>> float(MarginalizedIS(n_states=2, horizon=1).value(np.array([3.0, 1.0, 1.0, 1.0])))
    0.5
    """

    n_states: int
    horizon: int
    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    caution: ClassVar[str] = "state marginals refitted in every resample; states are taken to be Markov"
    name: ClassVar[str] = "marginalized_is"

    def __post_init__(self) -> None:
        check_discount(self.gamma)
        if self.n_states < 1 or self.horizon < 1:
            raise ValueError(f"{self.n_states} states and {self.horizon} steps: both must be at least 1.")

    def sparse_terms(self, sessions: Sessions) -> csr_array:
        """Visits, weighted rewards and weighted transitions of each session, shape [m, k]."""
        state = sessions.states(self.name)
        check_tables(sessions, self.n_states, self.horizon)
        weight = sessions.evaluation_prob / sessions.propensity
        rows, going_on = np.arange(sessions.n_steps), np.flatnonzero(sessions.has_next)
        visits, rewards, transitions = self._shapes
        here, there = (sessions.step, state), (sessions.step, state, np.roll(state, -1))
        blocks = [
            Block.of(visits, rows, here, np.ones(sessions.n_steps)),
            Block.of(rewards, rows, here, weight * sessions.reward),
            Block.of(transitions, going_on, there, weight),
        ]
        return sparse_rows(blocks, sessions.position, sessions.n_sessions)

    def terms(self, sessions: Sessions) -> Floats:
        """As `sparse_terms`, with the zeros."""
        return self.sparse_terms(sessions).toarray()

    def value(self, sums: Floats) -> Floats:
        """Weighted reward of the states, by how probable the policy makes them; NaN without a session."""
        visits, rewards, transitions = tables(sums, self._shapes)
        start = visits[..., 0, :]
        sessions = start.sum(axis=-1, keepdims=True)
        probable = per_count(start, sessions)
        value = np.where(sessions[..., 0] > 0, 0.0, np.nan)
        for t, discount in enumerate(discounts(self.gamma, self.horizon).tolist()):
            per_visit = per_count(probable, visits[..., t, :])
            value = value + discount * (per_visit * rewards[..., t, :]).sum(axis=-1)
            if t + 1 < self.horizon:
                probable = (per_visit[..., None, :] @ transitions[..., t, :, :])[..., 0, :]
        return value

    @property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        T, S = self.horizon, self.n_states
        return (T, S), (T, S), (T - 1, S, S)


def check_tables(sessions: Sessions, n_states: int, horizon: int) -> None:
    """Raise ValueError unless states and steps of the sessions fit into tables of these sizes."""
    if sessions.horizon != horizon:
        raise ValueError(
            f"the sessions have a horizon of {sessions.horizon} steps and the estimator one of {horizon}: "
            "give both the same."
        )
    assert sessions.state is not None
    if sessions.n_steps and sessions.state.max() >= n_states:
        row = int(np.argmax(sessions.state >= n_states))
        raise ValueError(
            f"row {row}: state is {sessions.state[row]}, but the estimator knows {n_states} states, "
            f"0 to {n_states - 1}. Raise the number of states."
        )
