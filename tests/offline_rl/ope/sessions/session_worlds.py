"""Sessions whose true policy values are known, by dynamic programming or on paper."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sessions.records import Sessions

N_STATES, N_ACTIONS, HORIZON = 4, 3, 5


@dataclass(frozen=True)
class Visits:
    """A Markov world of 4 states and 3 actions in which a visitor leaves with some probability at every step.

    Rewards are 0/1. q̂ is wrong on purpose: a random table. The chance of leaving depends on state and action,
    so that the lengths of sessions, 1 to 5, tell something of the policy.
    """

    gamma: float = 0.9
    seed: int = 12
    next_state: Floats = field(init=False)
    reward_probability: Floats = field(init=False)
    logging: Floats = field(init=False)
    evaluated: Floats = field(init=False)
    wrong_q: Floats = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        stays = rng.uniform(0.5, 1.0, (N_STATES, N_ACTIONS, 1))
        tables = {
            "next_state": stays * rng.dirichlet(np.ones(N_STATES), (N_STATES, N_ACTIONS)),
            "reward_probability": rng.uniform(0.05, 0.95, (N_STATES, N_ACTIONS)),
            "logging": rng.dirichlet(np.full(N_ACTIONS, 8.0), N_STATES),
            "evaluated": rng.dirichlet(np.full(N_ACTIONS, 4.0), N_STATES),
            "wrong_q": rng.uniform(0.0, 2.0, (HORIZON, N_STATES, N_ACTIONS)),
        }
        for name, table in tables.items():
            object.__setattr__(self, name, table)

    @property
    def start(self) -> Floats:
        return np.array([0.4, 0.3, 0.2, 0.1])

    @property
    def exact_q(self) -> Floats:
        """q_t(s, a) of the evaluation policy, shape [T, S, A]."""
        q = np.zeros((HORIZON + 1, N_STATES, N_ACTIONS))
        for t in reversed(range(HORIZON)):
            v_next = (self.evaluated * q[t + 1]).sum(axis=1)
            q[t] = self.reward_probability + self.gamma * self.next_state @ v_next
        return q[:-1]

    @property
    def truth(self) -> float:
        return float(self.start @ (self.evaluated * self.exact_q[0]).sum(axis=1))

    def log(
        self, n_sessions: int, seed: int, *, q: Floats | None = None, logging: Floats | None = None
    ) -> Sessions:
        """Sessions of a user each; their steps carry the wrong q̂, or the table q of shape [T, S, A].

        logging: a policy [S, A] that takes the logging policy's place.
        """
        logging = self.logging if logging is None else logging
        rng = np.random.default_rng(seed)
        shape = (n_sessions, HORIZON)
        state, action, reward = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        seen = np.zeros(shape, dtype=bool)
        s, there = drawn(rng, np.tile(self.start, (n_sessions, 1))), np.arange(n_sessions)
        for t in range(HORIZON):
            a = drawn(rng, logging[s])
            state[there, t], action[there, t], seen[there, t] = s, a, True
            reward[there, t] = rng.random(len(there)) < self.reward_probability[s, a]
            gone = 1 - self.next_state[s, a].sum(axis=1, keepdims=True)
            following = drawn(rng, np.hstack([self.next_state[s, a], gone]))
            stays = following < N_STATES
            s, there = following[stays], there[stays]
        session, step = np.nonzero(seen)
        s, a = state[seen], action[seen]
        q = self.wrong_q if q is None else q
        return Sessions(
            horizon=HORIZON,
            session=session,
            step=step,
            action=a,
            reward=reward[seen],
            propensity=logging[s, a],
            evaluation_prob=self.evaluated[s, a],
            cluster=session,
            features=np.eye(N_STATES)[s],
            q_logged=q[step, s, a],
            v=(self.evaluated * q).sum(axis=2)[step, s],
        )

    def policy(self, sessions: Sessions) -> Floats:
        """π_e of all actions in every row, by the features, which indicate the state."""
        return sessions.features @ self.evaluated


def drawn(rng: np.random.Generator, probabilities: Floats) -> Floats:
    """One index per row of probabilities [n, k]."""
    return (rng.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)


def paper_sessions(**columns: Any) -> Sessions:
    """Three sessions to be solved on paper.

    | session | step | a | r | ρ | ρ_{0:t} | q̂ | v̂ |
    |---|---|---|---|---|---|---|---|
    | 0 | 0 | 1 | 1 | 1.6 | 1.6 | 2 | 1.5 |
    | 0 | 1 | 0 | 2 | 0.5 | 0.8 | 1 | 1 |
    | 1 | 0 | 0 | 0 | 0.4 | 0.4 | 1 | 1.5 |
    | 2 | 0 | 1 | 4 | 1.6 | 1.6 | 2 | 1.5 |
    | 2 | 1 | 1 | 0 | 1.5 | 2.4 | 1 | 1 |

    Both actions are logged with probability 1/2. Session 1 ends early.
    """
    rows = {
        "horizon": 2,
        "session": np.array([0, 0, 1, 2, 2]),
        "step": np.array([0, 1, 0, 0, 1]),
        "action": np.array([1, 0, 0, 1, 1]),
        "reward": np.array([1.0, 2.0, 0.0, 4.0, 0.0]),
        "propensity": np.full(5, 0.5),
        "evaluation_prob": np.array([0.8, 0.25, 0.2, 0.8, 0.75]),
        "cluster": np.array([0, 0, 1, 2, 2]),
        "q_logged": np.array([2.0, 1.0, 1.0, 2.0, 1.0]),
        "v": np.array([1.5, 1.0, 1.5, 1.5, 1.0]),
    }
    return Sessions(**(rows | columns))


def first_steps(sessions: Sessions) -> EvaluationRounds:
    """The first step of every session as a round of a bandit, worth what it earned at once."""
    rows = sessions.first_row
    return EvaluationRounds(
        reward=sessions.reward[rows],
        propensity=sessions.propensity[rows],
        evaluation_prob=sessions.evaluation_prob[rows],
        cluster=sessions.cluster[rows],
        segment=np.zeros(len(rows), dtype=np.int64),
        q_logged=sessions.q_logged[rows],
        q_policy=sessions.v[rows],
    )


def one_step(sessions: Sessions) -> Sessions:
    """The first steps alone, as sessions of horizon 1."""
    rows = sessions.first_row
    names = ("session", "step", "action", "reward", "propensity", "evaluation_prob", "cluster")
    columns = {name: getattr(sessions, name)[rows] for name in (*names, "q_logged", "v")}
    return Sessions(horizon=1, **columns)
