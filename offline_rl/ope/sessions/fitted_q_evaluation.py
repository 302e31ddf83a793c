"""Fitted q evaluation with a regression model: q̂ for states that are numbers rather than indices."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.records import FLOAT32_SLACK, Floats, Ints
from offline_rl.ope.sessions.discount import check_discount
from offline_rl.ope.sessions.records import Sessions


class Regressor(Protocol):
    """A scikit-learn regression model, or what behaves like one."""

    def fit(self, X: Floats, y: Floats) -> Any:
        """Fit rows X [n, d + A] to targets y [n]."""
        ...

    def predict(self, X: Floats) -> Floats:
        """Predicted targets of rows X, shape [n]."""
        ...


class EvaluationPolicy(Protocol):
    """The policy that is evaluated, as a function of the state."""

    def __call__(self, step: int, features: Floats) -> Floats:
        """π_e(·∣s) for features [rows, d] of states at a step, shape [rows, A]."""
        ...


def cross_fitted(
    sessions: Sessions,
    policy: EvaluationPolicy,
    make_regressor: Callable[[], Regressor],
    *,
    gamma: float = 1.0,
    n_folds: int = 5,
    seed: int = 0,
) -> Sessions:
    """The sessions with q_logged and v by fitted q evaluation on other people's sessions.

    For t = T−1, …, 0 a fresh regressor learns q̂_t(s, a) from the sessions that reach step t, with the target

        y = r_t + γ v̂_{t+1}(s_{t+1}),    v̂_t(s) = Σ_a π_e(a∣s) q̂_t(s, a),    v̂ = 0 after a session's end.

    Its inputs are the state's features beside an indicator of each action. A linear model then adds the two;
    give it products (`PolynomialFeatures(interaction_only=True)`) where an action's worth depends on the
    state. Clusters are dealt into folds; a fold's rows get q̂ and v̂ from models of the other folds, through
    all steps of the recursion. So q̂ never saw the session that it corrects, and sequential DR stays unbiased
    whatever the regressor. `sequential_dm` on the result is the FQE estimate, its interval conditional on the
    fits.

    policy is asked step by step; no table of all rows by all actions is held.

    Raises ValueError for sessions without column features, a policy that gives logged actions another
    probability than their evaluation_prob, a step that no session outside a fold reaches, gamma outside
    [0, 1], fewer clusters than folds or fewer than two folds.
    Source: Le, Voloshin & Yue 2019, "Batch policy learning under constraints", algorithm 3, at a finite
    horizon; cross-fitting as in Kallus & Uehara 2020, "Double reinforcement learning for efficient off-policy
    evaluation in Markov decision processes".

    Two steps that pay 1 each, whatever is done, fitted by their mean:

    >>> from sklearn.dummy import DummyRegressor
    >>> log = Sessions(
    ...     horizon=2,
    ...     session=np.array([0, 0, 1, 1]),
    ...     step=np.array([0, 1, 0, 1]),
    ...     action=np.array([0, 1, 1, 0]),
    ...     reward=np.ones(4),
    ...     propensity=np.full(4, 0.5),
    ...     evaluation_prob=np.full(4, 0.5),
    ...     cluster=np.array([0, 0, 1, 1]),
    ...     features=np.zeros((4, 1)),
    ... )
    >>> uniform = lambda step, features: np.full((len(features), 2), 0.5)
    >>> cross_fitted(log, uniform, DummyRegressor, n_folds=2).v.tolist()
    [2.0, 1.0, 2.0, 1.0]
    """
    check_discount(gamma)
    if sessions.features is None:
        raise ValueError(
            "fitted q evaluation needs the states as numbers, but these sessions carry no features."
        )
    fold_of_row = folds_by_cluster(sessions.cluster_of_session, n_folds, seed)[sessions.position]
    q_logged, v = np.empty(sessions.n_steps), np.empty(sessions.n_steps)
    for fold in range(n_folds):
        held_out = fold_of_row == fold
        q_fold, v_fold = _fitted(sessions, policy, make_regressor, gamma, learn=~held_out)
        q_logged[held_out], v[held_out] = q_fold[held_out], v_fold[held_out]
    return replace(sessions, q_logged=q_logged, v=v)


def state_and_action(features: Floats, action: Ints, n_actions: int) -> Floats:
    """The regressor's inputs: features [n, d] beside an indicator of each action, shape [n, d + A].

    >>> state_and_action(np.array([[0.5], [0.7]]), np.array([1, 0]), 2).tolist()
    [[0.5, 0.0, 1.0], [0.7, 1.0, 0.0]]
    """
    return np.hstack([features, np.eye(n_actions)[action]])


def _fitted(
    sessions: Sessions,
    policy: EvaluationPolicy,
    make_regressor: Callable[[], Regressor],
    gamma: float,
    learn: NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """q̂ of the logged actions and v̂ at all rows [n], by regressors that learned from some sessions alone."""
    assert sessions.features is not None
    q_logged, v = np.zeros(sessions.n_steps), np.zeros(sessions.n_steps + 1)
    for step in reversed(range(sessions.horizon)):
        rows = np.flatnonzero(sessions.step == step)
        if len(rows) == 0:
            continue
        learned = rows[learn[rows]]
        if len(learned) == 0:
            raise ValueError(
                f"too few sessions reach step {step}: in one fold there is none to fit q on there. "
                "Use fewer folds, or cut sessions at a smaller horizon."
            )
        probabilities = _probabilities(sessions, policy, step, rows)
        n_actions = probabilities.shape[1]
        # The next step is the next row, and v has one row more so that the last row has a next one too.
        following = np.where(sessions.has_next[learned], v[learned + 1], 0.0)
        model = make_regressor()
        model.fit(
            state_and_action(sessions.features[learned], sessions.action[learned], n_actions),
            sessions.reward[learned] + gamma * following,
        )
        q = _q(model, sessions.features[rows], n_actions)
        v[rows] = (probabilities * q).sum(axis=1)
        q_logged[rows] = q[np.arange(len(rows)), sessions.action[rows]]
    return q_logged, v[:-1]


def _q(model: Regressor, features: Floats, n_actions: int) -> Floats:
    """Predictions for every action, shape [rows, A]."""
    taken = np.ones(len(features), dtype=np.int64)
    return np.column_stack(
        [model.predict(state_and_action(features, a * taken, n_actions)) for a in range(n_actions)]
    )


def _probabilities(sessions: Sessions, policy: EvaluationPolicy, step: int, rows: Ints) -> Floats:
    """π_e of all actions at rows of one step, after checking that it is the policy of the log's column."""
    assert sessions.features is not None
    action, logged = sessions.action[rows], sessions.evaluation_prob[rows]
    probabilities = np.asarray(policy(step, sessions.features[rows]), dtype=np.float64)
    if probabilities.ndim != 2 or len(probabilities) != len(rows) or action.max() >= probabilities.shape[1]:
        raise ValueError(
            f"the policy gave probabilities of shape {probabilities.shape} for {len(rows)} states and "
            f"actions up to {action.max()}: give one row per state and one column per action."
        )
    ours = probabilities[np.arange(len(rows)), action]
    differs = np.abs(ours - logged) > FLOAT32_SLACK
    if differs.any():
        i = int(np.argmax(differs))
        raise ValueError(
            f"row {rows[i]}: evaluation_prob is {logged[i]:g}, but the policy gives {ours[i]:g} to that "
            "action. Give the policy that is evaluated."
        )
    return probabilities
