"""Logs whose true policy values are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats


def softmax(logits: Floats) -> Floats:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class World:
    """Three kinds of visitors, four actions, 0/1 rewards; q̂ is wrong on purpose (0.3, 0, 0.3, 0).

    level: mean of the rewards' probabilities. logged_taste and evaluated_taste: how sharply the two policies
    choose; they like different actions, so that larger numbers make heavier weights.
    """

    level: float = 0.4
    logged_taste: float = 1.0
    evaluated_taste: float = 1.0

    @property
    def reward_probability(self) -> Floats:
        pattern = np.array([[3, 1, -1, -3], [-1, 3, -3, 1], [1, -3, 3, -1]]) / 3
        return self.level + min(self.level, 1 - self.level) * pattern

    @property
    def logging(self) -> Floats:
        return softmax(self.logged_taste * np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1]]) / 2)

    @property
    def evaluated(self) -> Floats:
        return softmax(self.evaluated_taste * self.reward_probability / self.level)

    @property
    def truth(self) -> float:
        return float((self.evaluated * self.reward_probability).sum(axis=1).mean())

    def log(self, n: int, seed: int, *, logged_log: bool = False) -> EvaluationRounds:
        """n rounds, a user each; with logged_log the same rounds under the logging policy."""
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 3, n)
        a = (rng.random((n, 1)) > self.logging[x].cumsum(axis=1)[:, :-1]).sum(axis=1)
        reward = (rng.random(n) < self.reward_probability[x, a]).astype(float)
        q_hat = np.array([0.3, 0.0, 0.3, 0.0])
        columns = {
            "reward": reward,
            "propensity": self.logging[x, a],
            "cluster": np.arange(n),
            "segment": np.zeros(n, dtype=np.int64),
            "q_logged": q_hat[a],
        }
        if logged_log:
            return EvaluationRounds.of_logging_policy(**columns)
        return EvaluationRounds(
            **columns, evaluation_prob=self.evaluated[x, a], q_policy=(self.evaluated @ q_hat)[x]
        )


def coin_log(n: int, play_one: float, *, logged_one: float = 0.5, **columns: Any) -> EvaluationRounds:
    """A world solved on paper: action 1 pays 1, action 0 pays 0, both are logged in turn.

    With logged_one = 1/2 a policy that plays action 1 with probability p is worth p, by every estimator that
    does not rest on q̂, which is 0 here. `columns` take the place of these.
    """
    action = np.arange(n) % 2
    rounds = {
        "reward": action.astype(float),
        "propensity": np.where(action == 1, logged_one, 1 - logged_one),
        "evaluation_prob": np.where(action == 1, play_one, 1 - play_one),
        "cluster": np.arange(n),
        "segment": np.zeros(n, dtype=np.int64),
        "q_logged": np.zeros(n),
        "q_policy": np.zeros(n),
    }
    return EvaluationRounds(**(rounds | columns))
