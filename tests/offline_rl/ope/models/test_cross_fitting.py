"""Cross-fitted reward models: what a model may see, what it says, and what it needs in memory."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from offline_rl.ope.models.action_batches import NUMBERS_IN_MEMORY
from offline_rl.ope.models.cross_fitting import (
    ModeledRewards,
    cross_fitted_rewards,
    mrdr_weight,
)
from offline_rl.ope.models.folds import folds_by_cluster
from offline_rl.ope.records import Floats, Ints
from tests.offline_rl.ope.worlds import World


def visits(n: int, seed: int = 0) -> dict[str, Any]:
    """Rounds of `World`, each visitor its kind one-hot, and the evaluation policy's probabilities."""
    world, rng = World(), np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    action = (rng.random((n, 1)) > world.logging[kind].cumsum(axis=1)[:, :-1]).sum(axis=1)
    return {
        "context": np.eye(3)[kind],
        "action": action,
        "reward": (rng.random(n) < world.reward_probability[kind, action]).astype(float),
        "evaluation_probs": world.evaluated[kind],
        "cluster": np.arange(n),
        "n_actions": 4,
    }


def test_no_user_is_in_two_folds_whatever_the_order_of_rows() -> None:
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 200, 1000) * 7919
    fold = folds_by_cluster(cluster, 5, seed=3)
    assert all(len(set(fold[cluster == user])) == 1 for user in np.unique(cluster))
    shuffle = rng.permutation(1000)
    assert (folds_by_cluster(cluster[shuffle], 5, seed=3) == fold[shuffle]).all()


def test_folds_are_of_equal_size_and_change_with_the_seed() -> None:
    fold = folds_by_cluster(np.arange(1003), 4, seed=0)
    assert sorted(np.bincount(fold)) == [250, 251, 251, 251]
    assert (fold != folds_by_cluster(np.arange(1003), 4, seed=1)).mean() > 0.5


def test_folds_do_not_follow_the_order_of_users() -> None:
    fold = folds_by_cluster(np.arange(4000), 2, seed=0)
    assert abs(np.corrcoef(fold, np.arange(4000))[0, 1]) < 0.05
    assert abs(np.corrcoef(fold[1:], fold[:-1])[0, 1]) < 0.05


@pytest.mark.parametrize("folds", [0, 1, 4])
def test_folds_that_can_not_be_made_are_refused(folds: int) -> None:
    with pytest.raises(ValueError, match=f"3 clusters can't be split into {folds} folds"):
        folds_by_cluster(np.array([1, 2, 3, 3]), folds, seed=0)


class Witness(RegressorMixin, BaseEstimator):
    """Answers 1 where it is asked about a user whom it was fitted on; users are the first feature."""

    def fit(self, features: Floats, reward: Floats, sample_weight: Floats) -> "Witness":
        self.users_ = np.unique(features[:, 0])
        return self

    def predict(self, features: Floats) -> Floats:
        return np.isin(features[:, 0], self.users_).astype(float)


def test_no_round_is_modeled_by_who_has_seen_its_user() -> None:
    rng = np.random.default_rng(0)
    user = rng.integers(0, 60, 500)
    modeled = cross_fitted_rewards(
        user[:, np.newaxis].astype(float),
        rng.integers(0, 2, 500),
        rng.normal(size=500),
        np.full((500, 2), 0.5),
        user,
        n_actions=2,
        model=Witness(),
        folds=4,
    )
    assert not modeled.q_logged.any()
    assert not modeled.q_policy.any()


@pytest.mark.parametrize("model", ["linear", "trees"])
def test_what_a_user_earned_does_not_move_what_is_said_of_them(model: Any) -> None:
    log = visits(300)
    log["cluster"] = np.arange(300) // 3
    before = cross_fitted_rewards(**log, model=model)
    hers = log["cluster"] == 17
    log["reward"] = np.where(hers, 1 - log["reward"], log["reward"])
    after = cross_fitted_rewards(**log, model=model)
    assert (before.q_logged[hers] == after.q_logged[hers]).all()
    assert (before.q_logged[~hers] != after.q_logged[~hers]).any()


@pytest.mark.parametrize(
    "model", ["linear", "trees", RandomForestClassifier(n_estimators=20, random_state=0)]
)
def test_a_learnable_world_is_learned(model: Any) -> None:
    log = visits(3000)
    modeled = cross_fitted_rewards(**log, model=model)
    kind = log["context"].argmax(axis=1)
    truth = World().reward_probability[kind, log["action"]]
    assert np.sqrt(np.mean((modeled.q_logged - truth) ** 2)) < 0.05
    assert modeled.q_policy.mean() == pytest.approx(World().truth, abs=0.03)
    assert ((modeled.q_logged >= 0) & (modeled.q_logged <= 1)).all()


def test_a_ridge_on_paper() -> None:
    """Without context, rewards 2 and 4, twelve rounds of each action in a fit: 3 ± 12 / (12 + 1)."""
    action = np.arange(48) % 2
    twins = np.arange(48) // 2
    modeled = cross_fitted_rewards(
        np.zeros((48, 0)),
        action,
        2.0 + 2.0 * action,
        np.full((48, 2), [0.25, 0.75]),
        twins,
        n_actions=2,
        folds=2,
    )
    low, high = 3 - 12 / 13, 3 + 12 / 13
    assert modeled.q_logged == pytest.approx(np.where(action == 1, high, low))
    assert modeled.q_policy == pytest.approx(np.full(48, 0.25 * low + 0.75 * high))


def test_slopes_of_actions_are_their_own() -> None:
    rng = np.random.default_rng(0)
    context, action = rng.normal(5.0, 2.0, (2000, 2)), rng.integers(0, 3, 2000)
    slopes = np.array([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0]])
    reward = (context @ slopes)[np.arange(2000), action]
    modeled = cross_fitted_rewards(
        context, action, reward, np.full((2000, 3), 1 / 3), np.arange(2000), n_actions=3
    )
    assert np.sqrt(np.mean((modeled.q_logged - reward) ** 2)) < 0.05 * reward.std()


def test_one_reward_for_all_is_a_constant_model() -> None:
    log = visits(60)
    for model in ("linear", "trees", LinearRegression()):
        for level in (0.0, 1.0, 2.5):
            modeled = cross_fitted_rewards(**(log | {"reward": np.full(60, level)}), model=model)
            assert modeled.q_logged == pytest.approx(np.full(60, level))
            assert modeled.q_policy == pytest.approx(np.full(60, level))


def test_a_click_in_one_fold_only_leaves_that_fold_at_zero() -> None:
    log = visits(60)
    fold = folds_by_cluster(log["cluster"], 2, seed=0)
    clicks = np.zeros(60)
    clicks[np.flatnonzero(fold == 0)[:4]] = 1
    modeled = cross_fitted_rewards(**(log | {"reward": clicks}), folds=2)
    assert not modeled.q_logged[fold == 0].any()
    assert (modeled.q_logged[fold == 1] > 0).all()


@pytest.mark.parametrize("model", ["linear", "trees"])
def test_an_action_that_was_not_seen_gets_what_holds_in_general(model: Any) -> None:
    log = visits(600)
    log |= {"n_actions": 5, "evaluation_probs": np.tile([0.0, 0.0, 0.0, 0.0, 1.0], (600, 1))}
    modeled = cross_fitted_rewards(**log, model=model)
    assert ((modeled.q_policy > 0.05) & (modeled.q_policy < 0.95)).all()


def test_a_function_of_rows_says_the_same_and_is_asked_for_little_at_a_time() -> None:
    log, asked = visits(500), []
    probs = log["evaluation_probs"]

    def of_rows(rows: Ints) -> Floats:
        asked.append(rows)
        return probs[rows]

    by_array, by_function = (
        cross_fitted_rewards(**log),
        cross_fitted_rewards(**(log | {"evaluation_probs": of_rows})),
    )
    assert (by_array.q_policy == by_function.q_policy).all()
    assert (np.sort(np.concatenate(asked)) == np.arange(500)).all()


def test_no_matrix_over_all_rounds_and_actions_is_made() -> None:
    n, n_actions = 60_000, 200
    rng = np.random.default_rng(0)
    context, action = rng.normal(size=(n, 2)), rng.integers(0, n_actions, n)
    reward, cluster = rng.normal(size=n), np.arange(n)

    def uniform(rows: Ints) -> Floats:
        assert len(rows) * n_actions <= NUMBERS_IN_MEMORY
        return np.full((len(rows), n_actions), 1 / n_actions)

    tracemalloc.start()
    cross_fitted_rewards(context, action, reward, uniform, cluster, n_actions=n_actions, folds=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.75 * n * n_actions * 8


def test_weights_decide_whom_the_model_serves() -> None:
    """Half the rounds earn 0, half 3: without context and with one action the model is the weighted mean."""
    reward = np.tile([0.0, 3.0], 50)
    one = np.zeros((100, 0)), np.zeros(100, dtype=int), reward, np.ones((100, 1)), np.arange(100) // 2
    plain = cross_fitted_rewards(*one, n_actions=1)
    weighted = cross_fitted_rewards(*one, n_actions=1, sample_weight=np.tile([2.0, 1.0], 50))
    scaled = cross_fitted_rewards(*one, n_actions=1, sample_weight=np.tile([200.0, 100.0], 50))
    assert plain.q_logged == pytest.approx(np.full(100, 1.5))
    assert weighted.q_logged == pytest.approx(np.full(100, 1.0))
    assert scaled.q_logged == pytest.approx(weighted.q_logged, rel=1e-9)


def test_without_any_weight_the_model_is_the_mean() -> None:
    log = visits(60)
    modeled = cross_fitted_rewards(**log, sample_weight=np.zeros(60), folds=2)
    fold = folds_by_cluster(log["cluster"], 2, seed=0)
    assert modeled.q_logged[fold == 0] == pytest.approx(log["reward"][fold == 1].mean())


def test_mrdr_weights_are_those_of_the_paper() -> None:
    evaluation_prob, propensity = np.array([0.2, 1.0, 0.0]), np.array([0.1, 1.0, 0.5])
    assert mrdr_weight(evaluation_prob, propensity) == pytest.approx([0.2 * 0.9 / 0.01, 0.0, 0.0])


def test_a_model_fitted_with_mrdr_weights_makes_dr_vary_less() -> None:
    """A constant model can serve one action only: with MRDR weights it serves the one that makes DR vary."""
    n, rng = 4000, np.random.default_rng(0)
    action = (rng.random(n) < 0.1).astype(int)
    propensity, evaluation = np.where(action == 1, 0.1, 0.9), np.array([0.5, 0.5])
    reward = np.where(action == 1, 10.0, 0.0) + rng.normal(size=n)
    weight = 0.5 / propensity

    def variance(sample_weight: Floats | None) -> float:
        modeled: ModeledRewards = cross_fitted_rewards(
            np.zeros((n, 0)),
            np.zeros(n, dtype=int),
            reward,
            np.ones((n, 1)),
            np.arange(n),
            n_actions=1,
            sample_weight=sample_weight,
        )
        return float(np.var(modeled.q_policy + weight * (reward - modeled.q_logged)))

    assert variance(mrdr_weight(evaluation[action], propensity)) < 0.6 * variance(None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"action": np.array([0, 1, 4] * 20)}, "row 2: action is 4, but there are 4 actions"),
        ({"cluster": np.arange(59)}, "cluster has 59 rows, but there are 60 rewards"),
        ({"evaluation_probs": np.ones((60, 3))}, "evaluation_probs gave shape"),
        ({"sample_weight": np.array([1.0, -1.0] * 30)}, "row 1: sample_weight is -1"),
        ({"sample_weight": np.array([1.0, np.nan] * 30)}, "row 1: sample_weight is nan"),
        ({"model": "forest"}, "no reward model is called 'forest'. Known are linear and trees"),
        ({"model": "trees", "n_actions": 300}, "trees can tell 255 actions apart"),
    ],
)
def test_what_can_not_be_modeled_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        cross_fitted_rewards(**(visits(60) | change))
