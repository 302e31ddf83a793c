"""Laws that every learner obeys, and what meta-learning is for, in worlds whose click rates are known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from features.errors import InputDataError
from offline_rl.logged_data import Tasks, load_tasks
from offline_rl.meta.bayesian_last_layer import BayesianLastLayer
from offline_rl.meta.beta_binomial import BetaBinomial
from offline_rl.meta.fine_tuned import FineTuned
from offline_rl.meta.learner import Learner
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedEffects
from offline_rl.meta.per_segment import PerSegment
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.pooled_two_tower import PooledTwoTower
from offline_rl.meta.random_effects import RandomEffects
from offline_rl.meta.reinforce import Reinforce
from offline_rl.meta.reptile import Reptile
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.policy import Policy
from reports.wording.sentences import say
from tests.laws.learners import (
    LAWS,
    SPOILED,
    Arrays,
    World,
    assert_sound,
    load_world,
    log_rounds,
    make_world,
    opposite_world,
    what_is_learned_is_sound,
)

META: list[Learner] = [
    Maml(),
    Maml("fomaml", first_order=True),
    Maml("anil", head_only=True),
    Maml("meta_sgd", learned_rates=True, learned_shrinkage=True),
    Reptile(),
]
SHRINKING: list[Learner] = [*META, FineTuned(), RandomEffects(), BayesianLastLayer()]
ADAPTING: list[Learner] = [*SHRINKING, PerSegment(), BetaBinomial()]
LEARNERS: list[Learner] = [*ADAPTING, Reinforce(), PooledTwoTower(), PooledRewardModel(), MixedEffects()]
"""Every learner there is: what obeys the laws is listed here."""

QUICK = LearningSettings(max_steps=20, patience=2, hidden=8, rows_per_task=128)


def named(learner: Learner) -> str:
    return learner.name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="module")
def small_tasks(folder: Path) -> Tasks:
    world = make_world(segments=8, items=6, features=3, contexts=3, click_rate=0.15, heterogeneity=0.8)
    return load_world(folder, log_rounds(world, 200))


@pytest.fixture(scope="module")
def opposite(folder: Path) -> tuple[World, SharedFits]:
    world = opposite_world()
    return world, SharedFits(load_world(folder, log_rounds(world, 400)), QUICK, seed=0)


def probabilities(policy: Policy, tasks: Tasks) -> torch.Tensor:
    rounds = tasks.window("holdout")
    return policy.action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability()
    )


def adapted_value(policy: MetaPolicy, world: World, tasks: Tasks, segments: list[int]) -> float:
    values = [world.value(policy.adapt(tasks.window("training", [g])), g, 1000) for g in segments]
    return sum(values) / len(values)


def zero_shot_value(policy: MetaPolicy, world: World, segments: list[int]) -> float:
    return sum(world.value(policy.zero_shot(), g, 1000) for g in segments) / len(segments)


# Laws go through all learners one after the other, so that they share the warm start of each log.
@pytest.mark.parametrize("learner", LEARNERS, ids=named)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_learner_obeys(law: Callable[[Learner, Path], None], learner: Learner, folder: Path) -> None:
    law(learner, folder)


@pytest.mark.parametrize("learner", LEARNERS, ids=named)
@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_every_learner_is_sound_on_a_log(
    spoil: Callable[[Arrays], Arrays], learner: Learner, folder: Path
) -> None:
    what_is_learned_is_sound(learner, folder, spoil)


@pytest.mark.parametrize("name", ["context", "reward", "propensity", "item_features"])
def test_what_is_not_a_number_is_refused_before_any_learner_sees_it(name: str, folder: Path) -> None:
    arrays = log_rounds(make_world(segments=3, items=4), 10)
    spoiled = arrays[name].copy()
    spoiled.reshape(-1)[-1] = np.nan
    with pytest.raises(InputDataError, match=f"{name} .* first at row"):
        load_world(folder, {**arrays, name: spoiled})


@pytest.mark.parametrize("learner", META, ids=named)
def test_without_inner_steps_nothing_adapts(learner: Learner, small_tasks: Tasks) -> None:
    policy = learner.meta_train(SharedFits(small_tasks, replace(QUICK, inner_steps=0), 0))
    support = small_tasks.window("training", [0])
    assert torch.equal(
        probabilities(policy.adapt(support), small_tasks), probabilities(policy.zero_shot(), small_tasks)
    )
    assert all(point.validation_value == point.zero_shot_value for point in policy.curve)


@pytest.mark.parametrize("learner", ADAPTING, ids=named)
def test_adapting_pays_where_segments_prefer_opposite_items(
    learner: Learner, opposite: tuple[World, SharedFits]
) -> None:
    """Half of the segments click on item 0 only, half on item 1: one policy for all can't win."""
    world, fits = opposite
    tasks, policy = fits.tasks, learner.meta_train(fits)
    assert policy.adapts
    unseen = tasks.split("meta_test")
    logged, best = np.mean([world.reference_values(g, 1000) for g in unseen], axis=0)
    assert zero_shot_value(policy, world, unseen) < logged + 0.6 * (best - logged)
    assert adapted_value(policy, world, tasks, unseen) > logged + 0.9 * (best - logged)


@pytest.mark.parametrize("learner", SHRINKING, ids=named)
def test_adapting_costs_little_where_all_segments_are_alike(learner: Learner, folder: Path) -> None:
    world = make_world(segments=10, items=8, click_rate=0.1, heterogeneity=0.0, shared=0.8)
    tasks = load_world(folder, log_rounds(world, 600))
    everyone = list(range(10))
    fits = SharedFits(tasks, QUICK, seed=0)
    policy, pooled = (one.meta_train(fits) for one in (learner, PooledTwoTower()))
    logged, best = np.mean([world.reference_values(g, 1000) for g in everyone], axis=0)
    loss = zero_shot_value(pooled, world, everyone) - adapted_value(policy, world, tasks, everyone)
    assert loss < 0.03 * (best - logged)


def test_another_segments_support_does_harm(opposite: tuple[World, SharedFits]) -> None:
    """The negative control: it is the segment's own log that helps, not adapting as such."""
    world, fits = opposite
    tasks, policy = fits.tasks, Maml().meta_train(fits)
    own, other = tasks.window("training", [0]), tasks.window("training", [1])
    assert world.value(policy.adapt(other), 0, 1000) < world.value(policy.zero_shot(), 0, 1000) + 0.01
    assert world.value(policy.adapt(own), 0, 1000) > world.value(policy.adapt(other), 0, 1000) + 0.3


def test_the_pooled_model_beats_the_logging_policy(folder: Path) -> None:
    world = make_world(segments=8, items=10, click_rate=0.08, heterogeneity=0.1, shared=0.8)
    tasks = load_world(folder, log_rounds(world, 800))
    policy = PooledTwoTower().meta_train(SharedFits(tasks, QUICK, 0))
    unseen = tasks.split("meta_test")
    logged, best = np.mean([world.reference_values(g, 1000) for g in unseen], axis=0)
    assert zero_shot_value(policy, world, unseen) > logged + 0.5 * (best - logged)


def test_a_thin_support_is_not_adapted_to(opposite: tuple[World, SharedFits]) -> None:
    _, fits = opposite
    tasks, policy = fits.tasks, Maml().meta_train(fits)
    support = tasks.window("support", [0])
    few = support.select(torch.arange(19))
    assert policy.refusal(few) == "19 rounds in the support, fewer than the 20 needed to adapt."
    assert torch.equal(probabilities(policy.adapt(few), tasks), probabilities(policy.zero_shot(), tasks))
    assert policy.refusal(support) is None
    greedy = replace(policy, minimum_ess=1e6)
    assert "effective sample size" in (greedy.refusal(support) or "")
    assert torch.equal(probabilities(greedy.adapt(support), tasks), probabilities(policy.zero_shot(), tasks))


def test_one_segment_alone_still_learns_and_says_so(folder: Path) -> None:
    arrays = log_rounds(make_world(segments=1, items=4, click_rate=0.2), 100)
    for split in range(4):
        alone = {**arrays, "segment_split": np.array([split], dtype=np.int8)}
        policy = Maml().meta_train(SharedFits(load_world(folder, alone), QUICK, 0))
        said = say(policy.notes)
        assert ("query rounds of the training segments" in said) == (split != 1)
        assert ("all segments were trained on" in said) == (split != 0)


def test_a_homogeneous_world_says_that_adaptation_is_off(folder: Path) -> None:
    world = make_world(segments=8, items=6, click_rate=0.02, heterogeneity=0.0, shared=0.0)
    policy = Maml().meta_train(SharedFits(load_world(folder, log_rounds(world, 200)), QUICK, 0))
    assert policy.inner_steps == 0
    assert any(note.code == "adaptation_off" for note in policy.notes)


def test_no_rounds_to_learn_from_are_a_sentence(folder: Path) -> None:
    arrays = log_rounds(make_world(segments=3, items=5), 30)
    learners = Maml(), PooledTwoTower()
    nothing = "No segment has rounds to learn from", "No segment has support rounds"
    for window, sentences in ((2, nothing), (0, ["both support and query"] * 2)):
        tasks = load_world(folder, {**arrays, "window": np.full(90, window, dtype=np.int8)})
        for learner, sentence in zip(learners, sentences, strict=True):
            with pytest.raises(InputDataError, match=sentence):
                learner.meta_train(SharedFits(tasks, QUICK, 0))


def test_divergence_keeps_the_best_and_is_a_sentence(small_tasks: Tasks) -> None:
    policy = Maml().meta_train(SharedFits(small_tasks, replace(QUICK, outer_lr=float("inf")), 0))
    assert any((note.code, note.subject) == ("diverged", "maml") for note in policy.notes)
    assert_sound(policy, small_tasks, [small_tasks.window("training", [0])])


def test_a_learned_policy_needs_no_file(folder: Path) -> None:
    """Tasks are read once; what is learned doesn't point back into the file."""
    arrays = log_rounds(make_world(segments=4, items=5, click_rate=0.2), 100)
    tasks = load_world(folder, arrays)
    policy = PooledTwoTower().meta_train(SharedFits(tasks, QUICK, 0))
    (folder / "rounds_world.npz").unlink()
    assert float(probabilities(policy.zero_shot(), tasks).sum()) > 0
    with pytest.raises(InputDataError):
        load_tasks(folder / "rounds_world.npz")
