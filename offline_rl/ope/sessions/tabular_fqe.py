"""Fitted q evaluation with a table: the exact backward recursion over counted transitions."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.records import FLOAT32_SLACK, Floats, Ints
from offline_rl.ope.sessions.discount import check_discount
from offline_rl.ope.sessions.marginalized_is import check_tables
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sessions.tabular_terms import Block, per_count, sparse_rows, tables


@dataclass(frozen=True, eq=False)
class TabularFQE:
    """Fitted q evaluation over S discrete states and A actions, backward from q̂_T = 0:

        q̂_t(s, a) = mean of r_t + γ v̂_{t+1}(s_{t+1}) over sessions with s_t = s, a_t = a,
        v̂_t(s) = Σ_a π_e(a∣s) q̂_t(s, a),  v̂ = 0 after the end,    V = Σ_i v̂_0(s_0) / m.

    The least-squares fit of a table is the cell's mean, and the mean target follows from counted transitions.
    Needs no propensities. Where the state is Markov it is consistent, and as good as any estimator can be in
    large samples; where it isn't, V is biased and no interval can tell.

    A cell that the log never visited counts as 0. `seen_share` says how often that matters.

    policy: π_e(a∣s), shape [S, A], or [T, S, A] where it depends on the step.

    Terms: counts n_t(s, a), Σ r_t and transitions by (t, s, a, s'), so k = 2 T S A + (T − 1) S² A. They are
    sums, and a resample of users therefore refits q̂.

    Raises ValueError for a policy whose probabilities do not sum to 1, gamma outside [0, 1], sessions without
    column state or with states, actions or probabilities that do not fit the policy.
    Source: Le, Voloshin & Yue 2019, "Batch policy learning under constraints", algorithm 3, at a finite
    horizon; its large-sample optimality: Yin & Wang 2020, "Asymptotically efficient off-policy evaluation for
    tabular reinforcement learning".

    One state, one step: two actions, seen 3 times and once, with rewards 3 and 2 in all.

    >>> fqe = TabularFQE(policy=np.array([[0.5, 0.5]]), horizon=1)
    >>> float(fqe.value(np.array([3.0, 1.0, 3.0, 2.0])))
    1.5
    """

    policy: Floats
    horizon: int
    gamma: float = 1.0
    rests_on_model: ClassVar[bool] = False
    caution: ClassVar[str] = "model refitted in every resample; states are taken to be Markov"
    name: ClassVar[str] = "tabular_fqe"

    def __post_init__(self) -> None:
        check_discount(self.gamma)
        policy = np.asarray(self.policy, dtype=np.float64)
        fits = policy.ndim == 2 or (policy.ndim == 3 and len(policy) == self.horizon)
        if self.horizon < 1 or not fits:
            raise ValueError(
                f"the policy has shape {policy.shape} at a horizon of {self.horizon}: "
                "give probabilities [S, A], or [T, S, A] with one table per step."
            )
        if (policy < 0).any() or not np.allclose(policy.sum(axis=-1), 1.0, rtol=0.0, atol=FLOAT32_SLACK):
            raise ValueError("the policy's probabilities must not be negative and sum to 1 in every state.")
        by_step = np.broadcast_to(policy, (self.horizon, *policy.shape[-2:]))
        object.__setattr__(self, "policy", by_step)

    def sparse_terms(self, sessions: Sessions) -> csr_array:
        """Visits, rewards and transitions of each session, shape [m, k]."""
        state = sessions.states(self.name)
        self._check_fit(sessions)
        rows, going_on = np.arange(sessions.n_steps), np.flatnonzero(sessions.has_next)
        visits, rewards, transitions = self._shapes
        here = (sessions.step, state, sessions.action)
        blocks = [
            Block.of(visits, rows, here, np.ones(sessions.n_steps)),
            Block.of(rewards, rows, here, sessions.reward),
            Block.of(transitions, going_on, (*here, np.roll(state, -1)), np.ones(sessions.n_steps)),
        ]
        return sparse_rows(blocks, sessions.position, sessions.n_sessions)

    def terms(self, sessions: Sessions) -> Floats:
        """As `sparse_terms`, with the zeros."""
        return self.sparse_terms(sessions).toarray()

    def value(self, sums: Floats) -> Floats:
        """Modeled reward of the first states, per session; NaN without a session."""
        return self._average_at_start(sums, self.q(sums))

    def q(self, sums: Floats) -> Floats:
        """q̂_t(s, a) for sums [..., k], shape [..., T, S, A]."""
        visits, rewards, transitions = tables(sums, self._shapes)
        return self._backward(visits, rewards, transitions)

    def seen_share(self, sums: Floats) -> Floats:
        """Share of the evaluation policy's sessions that stay within cells the log has seen, by the counts.

        The recursion of q̂ with 1 for a session that ends in a seen cell as its only reward.
        """
        visits, _, transitions = tables(sums, self._shapes)
        ended = visits.copy()
        ended[..., :-1, :, :] -= transitions.sum(axis=-1)
        stays = replace(self, gamma=1.0)
        return self._average_at_start(sums, stays._backward(visits, ended, transitions))

    def _backward(self, visits: Floats, rewards: Floats, transitions: Floats) -> Floats:
        q = np.empty_like(visits)
        for t in reversed(range(self.horizon)):
            earned = rewards[..., t, :, :]
            if t + 1 < self.horizon:
                v_next = (self.policy[t + 1] * q[..., t + 1, :, :]).sum(axis=-1)
                following = transitions[..., t, :, :, :] @ v_next[..., None, :, None]
                earned = earned + self.gamma * following[..., 0]
            q[..., t, :, :] = per_count(earned, visits[..., t, :, :])
        return q

    def _average_at_start(self, sums: Floats, q: Floats) -> Floats:
        start = tables(sums, self._shapes)[0][..., 0, :, :].sum(axis=-1)
        v = (self.policy[0] * q[..., 0, :, :]).sum(axis=-1)
        sessions = start.sum(axis=-1)
        return np.where(sessions > 0, per_count((start * v).sum(axis=-1), sessions), np.nan)

    def _check_fit(self, sessions: Sessions) -> None:
        _, n_states, n_actions = self.policy.shape
        state = sessions.states(self.name)
        check_tables(sessions, n_states, self.horizon)
        if sessions.n_steps and sessions.action.max() >= n_actions:
            row = int(np.argmax(sessions.action >= n_actions))
            raise ValueError(f"row {row}: action is {sessions.action[row]}, but the policy has {n_actions}.")
        ours = self.policy[sessions.step, state, sessions.action]
        differs = np.abs(ours - sessions.evaluation_prob) > FLOAT32_SLACK
        if differs.any():
            row = int(np.argmax(differs))
            raise ValueError(
                f"row {row}: evaluation_prob is {sessions.evaluation_prob[row]:g}, but the policy's table "
                f"says {ours[row]:g} there. Give the table of the policy that is evaluated."
            )

    @property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        T, S, A = self.policy.shape
        return (T, S, A), (T, S, A), (T - 1, S, A, S)


def cross_fitted(sessions: Sessions, fqe: TabularFQE, *, n_folds: int = 5, seed: int = 0) -> Sessions:
    """The sessions with q_logged and v by tabular fitted q evaluation on other people's sessions.

    Clusters are dealt into folds, and a fold's q̂ comes from the sums of the other folds: all sums less its
    own. So q̂ never saw the session that it corrects, nor another one of the same user, and sequential DR
    stays unbiased.

    Raises ValueError for fewer clusters than folds or fewer than two folds, and as `TabularFQE` does.
    """
    fold = folds_by_cluster(sessions.cluster_of_session, n_folds, seed)
    q = fqe.q(_sums_of_other_folds(fqe.sparse_terms(sessions), fold, n_folds))
    v = (fqe.policy * q).sum(axis=-1)
    place = (fold[sessions.position], sessions.step, sessions.states(fqe.name))
    return replace(sessions, q_logged=q[(*place, sessions.action)], v=v[place])


def _sums_of_other_folds(terms: csr_array, fold: Ints, n_folds: int) -> Floats:
    """For every fold the sums of terms [m, k] over all sessions that are not in it, shape [n_folds, k]."""
    outside = (fold[:, None] != np.arange(n_folds)).astype(np.float64)
    return np.asarray(terms.T @ outside).T
