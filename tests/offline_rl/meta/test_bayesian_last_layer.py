"""The Bayesian last layer as a learner: its laws, what it is for, and what it does with bad input."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from features.errors import MetacartError
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.bayesian_last_layer import BayesianLastLayer
from offline_rl.meta.bayesian_meta_policy import BayesianMetaPolicy
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import CurvePoint
from offline_rl.meta.policy_validation import validate
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.policy import Policy
from tests.laws.learners import World, load_world, log_rounds, make_world, opposite_world

Arrays = dict[str, NDArray[np.generic]]

QUICK = LearningSettings(max_steps=20, patience=2, hidden=8)
LEARNER = BayesianLastLayer(sizes=(0, 2), rows=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="module")
def opposite(folder: Path) -> tuple[World, Tasks, BayesianMetaPolicy]:
    """Half of the segments click on item 0 only, half on item 1: one policy for all can't win."""
    world = opposite_world()
    tasks = load_world(folder, log_rounds(world, 200))
    return world, tasks, LEARNER.meta_train(SharedFits(tasks, QUICK, 0))


@pytest.fixture(scope="module")
def small_log() -> Arrays:
    world = make_world(segments=8, items=6, features=3, contexts=3, click_rate=0.2, heterogeneity=1.0)
    return log_rounds(world, 150)


def probabilities(policy: Policy, rounds: LoggedRounds) -> torch.Tensor:
    return policy.action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability()
    )


def test_adapting_pays_where_segments_prefer_opposite_items(
    opposite: tuple[World, Tasks, BayesianMetaPolicy],
) -> None:
    world, tasks, policy = opposite
    unseen = tasks.split("meta_test")
    logged, best = np.mean([world.reference_values(g, 1000) for g in unseen], axis=0)
    adapted = [world.value(policy.adapt(tasks.window("training", [g])), g, 1000) for g in unseen]
    zero_shot = [world.value(policy.zero_shot(), g, 1000) for g in unseen]
    assert np.mean(zero_shot) < logged + 0.6 * (best - logged)
    assert np.mean(adapted) > logged + 0.9 * (best - logged)
    assert policy.adapts
    assert policy.notes[-1].code == "features_learned"


def test_its_validation_value_is_that_of_the_common_rule(
    opposite: tuple[World, Tasks, BayesianMetaPolicy],
) -> None:
    _, tasks, policy = opposite
    seen = validate(policy, SharedFits(tasks, QUICK, 0).warm_start)
    assert (policy.validation_value, policy.validation_gain) == (seen.value, seen.gain)
    assert policy.validation_gain > 0.0


def test_the_policy_comes_back_from_what_is_stored_of_it(
    opposite: tuple[World, Tasks, BayesianMetaPolicy],
) -> None:
    _, tasks, policy = opposite
    shared = {"name": "n", "notes": (), "validation_value": 1.0, "validation_gain": 0.5}
    restored = BayesianMetaPolicy.restored(policy.numbers(), policy.card(), **shared)
    support = tasks.window("training", [1])
    assert torch.equal(
        probabilities(restored.adapt(support), support), probabilities(policy.adapt(support), support)
    )


def test_the_order_of_rounds_does_not_matter(opposite: tuple[World, Tasks, BayesianMetaPolicy]) -> None:
    _, tasks, policy = opposite
    support = tasks.window("training", [0])
    shuffled = support.select(torch.randperm(support.n, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(
        probabilities(policy.adapt(shuffled), support), probabilities(policy.adapt(support), support)
    )


def test_the_more_rounds_the_further_from_the_pooled_policy(
    opposite: tuple[World, Tasks, BayesianMetaPolicy],
) -> None:
    _, tasks, policy = opposite
    support = tasks.window("training", [0])
    pooled = probabilities(policy.zero_shot(), support)
    moved = [
        float((probabilities(policy.adapt(support.select(torch.arange(n))), support) - pooled).abs().mean())
        for n in (0, 2, 20, 140)
    ]
    assert moved == sorted(moved)
    assert moved[0] == 0.0 < moved[1] < moved[3]


def test_the_same_seed_learns_the_same_numbers_and_tells_its_curve(folder: Path, small_log: Arrays) -> None:
    tasks = load_world(folder, small_log)
    reported: list[CurvePoint] = []
    first = LEARNER.meta_train(SharedFits(tasks, QUICK, 3), progress=reported.append)
    torch.manual_seed(99)
    again = LEARNER.meta_train(SharedFits(tasks, QUICK, 3))
    assert all(torch.equal(value, again.numbers()[name]) for name, value in first.numbers().items())
    assert first.notes == again.notes
    assert tuple(reported) == first.curve
    steps = [point.step for point in reported]
    assert steps == list(range(0, steps[-1] + 1, QUICK.evaluate_every))
    assert all(0.0 < point.validation_value < 1.0 for point in reported)


def test_holdout_rounds_and_test_segments_are_not_used(folder: Path, small_log: Arrays) -> None:
    tested = np.isin(small_log["segment"], np.flatnonzero(small_log["segment_split"] == 2))
    hidden = (small_log["window"] == 2) | tested
    lied = {
        **small_log,
        "reward": np.where(hidden, 1.0 - small_log["reward"].astype(float), small_log["reward"]),
    }
    honest, fooled = (
        LEARNER.meta_train(SharedFits(load_world(folder, log), QUICK, 0)) for log in (small_log, lied)
    )
    assert all(torch.equal(value, fooled.numbers()[name]) for name, value in honest.numbers().items())


def test_a_homogeneous_world_says_that_adaptation_is_off(folder: Path) -> None:
    world = make_world(segments=8, items=6, click_rate=0.05, heterogeneity=0.0, shared=0.0)
    tasks = load_world(folder, log_rounds(world, 200))
    policy = LEARNER.meta_train(SharedFits(tasks, QUICK, 0))
    assert not policy.adapts
    assert policy.notes[-1].code == "priors_off"
    assert policy.validation_gain == 0.0
    support = tasks.window("training", [2])
    assert torch.equal(
        probabilities(policy.adapt(support), support), probabilities(policy.zero_shot(), support)
    )


def no_reward(log: Arrays) -> Arrays:
    return {**log, "reward": np.zeros(len(log["action"]))}


def every_reward(log: Arrays) -> Arrays:
    return {**log, "reward": np.ones(len(log["action"]))}


def one_action(log: Arrays) -> Arrays:
    single = np.zeros_like(log["available"])
    single[:, 0] = True
    return {**log, "action": np.zeros_like(log["action"]), "available": single}


def an_action_never_shown(log: Arrays) -> Arrays:
    return {**log, "action": np.where(log["action"] == 5, 0, log["action"])}


def equal_propensities(log: Arrays) -> Arrays:
    return {**log, "propensity": np.full(len(log["action"]), 1.0 / 6.0)}


def money(log: Arrays) -> Arrays:
    return {**log, "reward": 1700.0 * np.asarray(log["reward"], dtype=float) + np.asarray(log["slot"])}


def one_row_in_every_window_of_a_segment(log: Arrays) -> Arrays:
    keep = np.ones(len(log["action"]), dtype=bool)
    for segment in range(4):
        for window in (0, 1):
            rows = np.flatnonzero((log["segment"] == segment) & (log["window"] == window))
            keep[rows[1:]] = False
    return {
        name: value[keep] if value.ndim and len(value) == len(keep) else value for name, value in log.items()
    }


BAD_LOGS: list[Callable[[Arrays], Arrays]] = [
    no_reward,
    every_reward,
    one_action,
    an_action_never_shown,
    equal_propensities,
    money,
    one_row_in_every_window_of_a_segment,
]


@pytest.mark.parametrize("bad", BAD_LOGS, ids=lambda bad: str(bad.__name__))
def test_no_log_makes_it_speak_nonsense(
    bad: Callable[[Arrays], Arrays], folder: Path, small_log: Arrays
) -> None:
    """Adapting is forced on, so that the posterior answers and not the fallback."""
    tasks = load_world(folder, bad(small_log))
    short = replace(QUICK, max_steps=3, evaluate_every=1)
    policy = replace(replace(LEARNER, sizes=(0, 1)).meta_train(SharedFits(tasks, short, 0)), is_adapting=True)
    assert all(bool(value.isfinite().all()) for value in policy.numbers().values())
    assert np.isfinite([policy.validation_value, policy.validation_gain]).all()
    for segment in range(tasks.n_segments):
        support = tasks.window("training", [segment])
        for rows in (support, support.select(torch.arange(1)), support.select(torch.arange(0))):
            chosen = probabilities(policy.adapt(rows), tasks.rounds)
            torch.testing.assert_close(chosen.sum(-1), torch.ones_like(chosen[:, 0]))


def test_what_is_no_number_is_refused_with_a_sentence(
    opposite: tuple[World, Tasks, BayesianMetaPolicy],
) -> None:
    _, tasks, policy = opposite
    support = tasks.window("training", [0])
    broken = replace(support, context=torch.full_like(support.context, float("nan")))
    assert "isn't a finite number" in (policy.refusal(broken) or "")
    assert torch.equal(
        probabilities(policy.adapt(broken), support), probabilities(policy.zero_shot(), support)
    )
    assert "outside 0..1" in (policy.refusal(replace(support, reward=support.reward * 7.0)) or "")
    assert policy.refusal(support.select(torch.arange(0))) == (
        "The support is empty: there is nothing to adapt to."
    )
    assert policy.refusal(support.select(torch.arange(1))) is None


def test_divergence_is_a_sentence_with_what_to_change(folder: Path, small_log: Arrays) -> None:
    tasks = load_world(folder, small_log)
    for rate in (1e3, float("inf")):
        with pytest.raises(MetacartError, match=r"diverged at step \d+: lower its rates"):
            replace(LEARNER, rate=rate).meta_train(SharedFits(tasks, QUICK, 0))


def test_money_that_differs_by_segment_is_adapted_to(folder: Path) -> None:
    """Rewards of 0 or 1700 are money, adapted to by the linear model.

    The read-out is soft here (the pooled model gave no reason to be greedy), and keeps a quarter on the other
    item.
    """
    world = opposite_world()
    tasks = load_world(folder, money(log_rounds(world, 200)))
    policy = LEARNER.meta_train(SharedFits(tasks, QUICK, 0))
    assert not policy.is_binary
    unseen = tasks.split("meta_test")
    logged, best = np.mean([world.reference_values(g, 1000) for g in unseen], axis=0)
    adapted = [world.value(policy.adapt(tasks.window("training", [g])), g, 1000) for g in unseen]
    assert np.mean(adapted) > logged + 0.5 * (best - logged)
