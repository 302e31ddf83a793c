"""Gradient learners start from the pooled mixed model: theta_0 serves what it serves."""

from pathlib import Path

import pytest
import torch

from offline_rl.artifacts import load_policy, save_policy
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.fine_tuned import FineTuned
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.refit import refitted
from offline_rl.meta.reinforce import Reinforce
from offline_rl.meta.reptile import Reptile
from offline_rl.meta.shared_fits import Refits, SharedFits
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from tests.laws.learners import load_world, log_rounds, make_world, opposite_world

NO_STEPS = LearningSettings(hidden=4, max_steps=0)


def scores_of(policy: object, rounds: LoggedRounds) -> torch.Tensor:
    assert isinstance(policy, SoftmaxPolicy | ScoredPolicy)
    scores = policy.score(rounds.context, rounds.slot, rounds.item_features, rounds.history)
    return (scores - scores.mean(1, keepdim=True)).double()


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> SharedFits:
    """Segments that are alike, and traits that matter in a linear way: the mixed model says all there is."""
    world = make_world(segments=10, items=6, click_rate=0.2, heterogeneity=0.0, shared=0.8)
    tasks = load_world(tmp_path_factory.mktemp("alike"), log_rounds(world, 300))
    return SharedFits(tasks, NO_STEPS, seed=0)


@pytest.mark.parametrize("learner", [Maml(), Reptile(), Reinforce(), FineTuned()], ids=lambda one: one.name)
def test_before_any_step_the_pooled_model_serves(
    learner: Maml | Reptile | Reinforce | FineTuned, alike: SharedFits
) -> None:
    pooled = PooledRewardModel().meta_train(alike)
    policy = learner.meta_train(alike)
    rounds = alike.tasks.window("holdout")
    found, expected = (scores_of(one.zero_shot(), rounds) for one in (policy, pooled))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert policy.objective.temperature == pooled.temperature


def test_a_refitted_policy_uses_the_mixed_model_of_all_rounds(alike: SharedFits) -> None:
    policies: list[MetaPolicy] = [learner.meta_train(alike) for learner in (Maml(), PooledRewardModel())]
    refits = Refits.before_holdout(alike)
    maml, pooled = (refitted(policy, refits) for policy in policies)
    assert isinstance(pooled, MixedMetaPolicy)
    assert maml.offset is pooled.model  # type: ignore[attr-defined]


def test_what_is_stored_serves_the_same(tmp_path: Path) -> None:
    tasks = load_world(tmp_path, log_rounds(opposite_world(), 200))
    policy = Maml().meta_train(SharedFits(tasks, LearningSettings(hidden=4, max_steps=10), 0))
    again = load_policy(save_policy(policy, tmp_path))
    for segment in (0, 1):
        support = tasks.window("training", [segment])
        found, expected = (scores_of(one.adapt(support), support) for one in (again, policy))
        torch.testing.assert_close(found, expected)


def test_the_start_is_evaluated_on_rounds_it_has_not_seen(alike: SharedFits) -> None:
    start = alike.mixed_start
    assert not set(start.segments) & set(start.validation.segment.tolist())
    assert start.offset is not None
    assert start.training.offset is not None
    torch.testing.assert_close(
        start.training.offset.double(),
        start.offset.scores(start.training.context, start.training.slot, start.training.history),
        atol=1e-5,
        rtol=1e-5,
    )
