"""Cross-fitted reward models: a round's model was fitted without the rounds of its user."""

from typing import NamedTuple

import numpy as np

from offline_rl.ope.models.action_batches import PerAction, at_rows, batches, check_actions
from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.models.reward_regression import Model, fit_rewards
from offline_rl.ope.records import Floats, Ints


class ModeledRewards(NamedTuple):
    """The two columns of a reward model, each [n]: q̂(x, a) and Σ_a π_e(a∣x) q̂(x, a)."""

    q_logged: Floats
    q_policy: Floats


def cross_fitted_rewards(
    context: Floats,
    action: Ints,
    reward: Floats,
    evaluation_probs: PerAction,
    cluster: Ints,
    *,
    n_actions: int,
    model: Model = "linear",
    folds: int = 3,
    seed: int = 0,
    sample_weight: Floats | None = None,
) -> ModeledRewards:
    """Return columns q_logged and q_policy, in which each round is modeled without any round of its cluster.

    context: [n, d] (d may be 0), with the slot among its features where rewards depend on it.
    evaluation_probs: π_e(·∣x), an array [n, A] or a function from row indices [m] to [m, A], which is called
    for a batch at a time; nothing of size [n, A] is made here. model: see `reward_regression.Model`; 0/1
    rewards are modeled as probabilities. sample_weight: [n], such as `mrdr_weight`; the columns then belong
    into `q_logged_mrdr` and `q_policy_mrdr`.

    A fold whose other folds hold one reward only is modeled by that constant; an action that they don't hold
    by what the model says of actions in general.

    Raises ValueError for columns of different lengths, an unknown action, a weight below zero, or more folds
    than clusters. Source: Chernozhukov et al. 2018, "Double/debiased machine learning", definition 3.1.

    >>> n = 40
    >>> action = np.arange(n) % 2
    >>> modeled = cross_fitted_rewards(
    ...     np.zeros((n, 0)), action, 3.0 + 0 * action, np.full((n, 2), 0.5), np.arange(n), n_actions=2
    ... )
    >>> modeled.q_logged[:2], modeled.q_policy[:2]
    (array([3., 3.]), array([3., 3.]))
    """
    n = len(reward)
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    _check_lengths(n, context=context, action=action, cluster=cluster, sample_weight=weight)
    check_actions(action, n_actions)
    if not (weight >= 0).all():
        row = int(np.argmax(~(weight >= 0)))
        raise ValueError(f"row {row}: sample_weight is {weight[row]:g}. Weights must be 0 or above.")
    context, reward = np.asarray(context, dtype=np.float64), np.asarray(reward, dtype=np.float64)
    is_binary = bool(((reward == 0) | (reward == 1)).all())
    fold = folds_by_cluster(cluster, folds, seed)

    q_logged, q_policy = np.empty(n), np.empty(n)
    for k in range(folds):
        seen = fold != k
        fitted = fit_rewards(
            model,
            context[seen],
            action[seen],
            reward[seen],
            weight[seen],
            n_actions=n_actions,
            is_binary=is_binary,
            seed=seed,
        )
        for rows in batches(np.flatnonzero(~seen), n_actions):
            q = fitted.rewards(context[rows])
            q_logged[rows] = q[np.arange(len(rows)), action[rows]]
            probs = at_rows(evaluation_probs, rows, n_actions, "evaluation_probs")
            q_policy[rows] = np.einsum("ma,ma->m", probs, q)
    return ModeledRewards(q_logged, q_policy)


def mrdr_weight(evaluation_prob: Floats, propensity: Floats) -> Floats:
    """Return the weights that let a reward model lower the variance of DR: π_e (1 − π_b) / π_b².

    Source: Farajtabar, Chow & Ghavamzadeh 2018, "More robust doubly robust off-policy evaluation", as Open
    Bandit Pipeline reads it for stochastic policies.

    >>> mrdr_weight(np.array([0.5]), np.array([0.5]))
    array([1.])
    """
    return np.asarray(evaluation_prob * (1 - propensity) / propensity**2, dtype=np.float64)


def _check_lengths(n: int, **columns: Floats | Ints) -> None:
    for name, column in columns.items():
        if len(column) != n:
            raise ValueError(f"{name} has {len(column)} rows, but there are {n} rewards: give one per round.")
