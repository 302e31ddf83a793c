"""Refit: where contexts identify a segment, the pooled model learns its taste once it may see its rounds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from features.codes import Window
from offline_rl.logged_data import Tasks
from offline_rl.meta.item_rates import ItemRates
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.pooled_two_tower import PooledTwoTower
from offline_rl.meta.random_effects import RandomEffects
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import Refits, SharedFits
from tests.laws.learners import World, load_world, log_rounds, opposite_world

SETTINGS = LearningSettings(hidden=4, max_steps=2)


def told_by_context(world: World, folder: Path) -> Tasks:
    """The first context column is a mark of the segment: every one has a value of its own."""
    arrays = log_rounds(world, 400)
    mark = np.eye(world.n_segments, dtype=np.float32)[arrays["segment"]]
    return load_world(folder, {**arrays, "context": mark})


def share_of_the_best_item(fits: SharedFits, policy: RandomEffects | PooledTwoTower, *, refit: bool) -> float:
    """In the test segments, without adapting: even segments like item 0, odd ones item 1."""
    tasks, learned = fits.tasks, policy.meta_train(fits)
    served = (refitted(learned, Refits.before_holdout(fits)) if refit else learned).zero_shot()
    rounds = tasks.window("holdout", tasks.split("meta_test"))
    chances = served.action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability()
    )
    return float(chances.gather(1, (rounds.segment % 2).unsqueeze(1)).mean())


def test_the_pooled_model_learns_what_segments_told_only_before_the_holdout(tmp_path: Path) -> None:
    fits = SharedFits(told_by_context(opposite_world(), tmp_path), SETTINGS, seed=0)
    for learner in (PooledTwoTower(), RandomEffects()):
        assert 0.2 < share_of_the_best_item(fits, learner, refit=False) < 0.8
        assert share_of_the_best_item(fits, learner, refit=True) > 0.95


def test_a_policy_that_never_left_the_pooled_model_is_the_refitted_one_exactly(tmp_path: Path) -> None:
    fits = SharedFits(told_by_context(opposite_world(), tmp_path), SETTINGS, seed=0)
    policy = PooledTwoTower().meta_train(fits)
    moved = replace(policy, parameters={name: value + 1.0 for name, value in policy.parameters.items()})
    base, away = (refitted(one, Refits.before_holdout(fits)).numbers() for one in (policy, moved))
    assert all(not torch.equal(base[name], policy.parameters[name]) for name in ("level", "context_weight"))
    for name, value in base.items():
        torch.testing.assert_close(away[name], value + 1.0)


@pytest.mark.parametrize("learner", [PooledTwoTower(), Maml()], ids=lambda one: one.name)
def test_amounts_in_other_segments_leave_a_model_of_probabilities_one(
    learner: PooledTwoTower | Maml, tmp_path: Path
) -> None:
    """A test segment logs revenue where the others log clicks: it is left out, and the rest is refitted."""
    tasks = told_by_context(opposite_world(), tmp_path)
    odd, other = tasks.split("meta_test")[:2]
    amounts = torch.where(tasks.rounds.segment == odd, 250.0 * tasks.rounds.reward, tasks.rounds.reward)
    spoiled = replace(tasks, rounds=replace(tasks.rounds, reward=amounts))
    without = replace(tasks, window_code=torch.where(tasks.rounds.segment == odd, 3, tasks.window_code))
    first, second = (
        refitted(learner.meta_train(fits), Refits.before_holdout(fits)).numbers()
        for fits in (SharedFits(one, SETTINGS, seed=0) for one in (spoiled, without))
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert other in tasks.window("training").segment.tolist()


@pytest.mark.parametrize(
    "learner", [PooledRewardModel(), PooledTwoTower(), ItemRates(), Maml()], ids=lambda one: one.name
)
def test_only_the_last_fit_learns_from_the_holdout_and_from_gaps(
    learner: PooledRewardModel | PooledTwoTower | ItemRates | Maml, tmp_path: Path
) -> None:
    tasks = load_world(tmp_path, log_rounds(opposite_world(8), 60))
    window = tasks.window_code.clone()
    window[torch.nonzero(window == Window.HOLDOUT).flatten()[::4]] = Window.GAP
    window[torch.nonzero(window == Window.HOLDOUT).flatten()[::4]] = Window.OPEN

    def fitted(turned: Window) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Before the holdout and at last, where every reward of one window is turned round."""
        reward = torch.where(window == turned, 1.0 - tasks.rounds.reward, tasks.rounds.reward)
        logged = replace(tasks, window_code=window, rounds=replace(tasks.rounds, reward=reward))
        fits = SharedFits(logged, SETTINGS, seed=0)
        policy = learner.meta_train(fits)
        before = refitted(policy, Refits.before_holdout(fits)).numbers()
        return before, refitted(policy, Refits.last(fits)).numbers()

    before, last = fitted(Window.OPEN)
    for turned in (Window.HOLDOUT, Window.GAP):
        as_before, otherwise = fitted(turned)
        assert all(torch.equal(before[name], as_before[name]) for name in before)
        assert any(not torch.equal(last[name], otherwise[name]) for name in last)
    assert any(not torch.equal(before[name], last[name]) for name in last)
