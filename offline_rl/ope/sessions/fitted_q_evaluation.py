"""Fitted q evaluation: q̂ of the rest of a session, by regression backward from its end."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.models.reward_regression import Model, fit_rewards
from offline_rl.ope.records import FLOAT32_SLACK, Floats
from offline_rl.ope.sessions.discount import check_discount
from offline_rl.ope.sessions.records import Sessions


def cross_fitted(
    sessions: Sessions,
    evaluation_probs: Floats,
    *,
    model: Model = "linear",
    gamma: float = 1.0,
    n_folds: int = 3,
    seed: int = 0,
) -> Sessions:
    """Return the sessions with q_logged and v by fitted q evaluation on other people's sessions.

    For t = T−1, …, 0 a fresh model learns q̂_t(s, a) from the sessions that reach step t, with the target

        y = r_t + γ v̂_{t+1}(s_{t+1}),    v̂_t(s) = Σ_a π_e(a∣s) q̂_t(s, a),    v̂ = 0 after a session's end.

    Models are those of rewards (`reward_regression.Model`): the linear one has slopes for each action of its
    own. Clusters are dealt into folds; a fold's rows get q̂ and v̂ from models of the other folds, through all
    steps of the recursion. So q̂ never saw the session that it corrects, and sequential DR stays unbiased
    whatever the model. `sequential_dm` on the result is the FQE estimate, its interval conditional on the
    fits.

    evaluation_probs: π_e(·∣s) of all actions in every row, shape [n, A].

    Raises ValueError for sessions without column features, probabilities of another shape or that give a
    logged action another probability than its evaluation_prob, a step that no session outside a fold reaches,
    gamma outside [0, 1], fewer clusters than folds or fewer than two folds.
    Source: Le, Voloshin & Yue 2019, "Batch policy learning under constraints", algorithm 3, at a finite
    horizon; cross-fitting as in Kallus & Uehara 2020, "Double reinforcement learning for efficient off-policy
    evaluation in Markov decision processes".

    Two steps that pay 1 each, whatever is done:

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
    >>> cross_fitted(log, np.full((4, 2), 0.5), n_folds=2).v.tolist()
    [2.0, 1.0, 2.0, 1.0]
    """
    check_discount(gamma)
    _check_policy(sessions, evaluation_probs)
    fold_of_row = folds_by_cluster(sessions.cluster_of_session, n_folds, seed)[sessions.position]
    q_logged, v = np.empty(sessions.n_steps), np.empty(sessions.n_steps)
    for fold in range(n_folds):
        mine = fold_of_row == fold
        q_fold, v_fold = _fitted(sessions, evaluation_probs, model, gamma, learn=~mine, seed=seed)
        q_logged[mine], v[mine] = q_fold[mine], v_fold[mine]
    return replace(sessions, q_logged=q_logged, v=v)


def _fitted(
    sessions: Sessions,
    evaluation_probs: Floats,
    model: Model,
    gamma: float,
    *,
    learn: NDArray[np.bool_],
    seed: int,
) -> tuple[Floats, Floats]:
    """Return q̂ of the logged actions and v̂ of all rows [n], by models that learned from some sessions."""
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
        # The next step is the next row, and v has one row more so that the last row has a next one too.
        following = np.where(sessions.has_next[learned], v[learned + 1], 0.0)
        fitted = fit_rewards(
            model,
            sessions.features[learned],
            sessions.action[learned],
            sessions.reward[learned] + gamma * following,
            np.ones(len(learned)),
            n_actions=evaluation_probs.shape[1],
            is_binary=False,
            seed=seed,
        )
        q = fitted.rewards(sessions.features[rows])
        v[rows] = (evaluation_probs[rows] * q).sum(axis=1)
        q_logged[rows] = q[np.arange(len(rows)), sessions.action[rows]]
    return q_logged, v[:-1]


def _check_policy(sessions: Sessions, evaluation_probs: Floats) -> None:
    """Raise ValueError unless these are the probabilities of the policy of the log's own column."""
    if sessions.features is None:
        raise ValueError(
            "fitted q evaluation needs the states as numbers, but these sessions carry no features."
        )
    shape, action = evaluation_probs.shape, sessions.action
    if len(shape) != 2 or shape[0] != sessions.n_steps or action.max() >= shape[1]:
        raise ValueError(
            f"evaluation_probs have shape {shape} for {sessions.n_steps} steps and actions up to "
            f"{action.max()}: give one row per step and one column per action."
        )
    ours, logged = evaluation_probs[np.arange(sessions.n_steps), action], sessions.evaluation_prob
    differs = np.abs(ours - logged) > FLOAT32_SLACK
    if differs.any():
        i = int(np.argmax(differs))
        raise ValueError(
            f"row {i}: evaluation_prob is {logged[i]:g}, but evaluation_probs give {ours[i]:g} to that "
            "action. Give the policy that is evaluated."
        )
