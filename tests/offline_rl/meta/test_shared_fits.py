"""Shared fits: each is made once for all that use it, and is freed with the object."""

import re
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from offline_rl.logged_data import Tasks
from offline_rl.meta import cross_fitting, mixed_effects, shared_fits, time_split, warm_start
from offline_rl.meta.bayesian_last_layer import BayesianLastLayer
from offline_rl.meta.beta_binomial import BetaBinomial
from offline_rl.meta.cautious import cautious
from offline_rl.meta.choice import choose_contenders
from offline_rl.meta.item_rates import ItemRates
from offline_rl.meta.learner import Learner
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedEffects, MixedMetaPolicy
from offline_rl.meta.per_segment import PerSegment
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.pooled_two_tower import PooledTwoTower
from offline_rl.meta.random_effects import RandomEffects
from offline_rl.meta.refit import refitted
from offline_rl.meta.reptile import Reptile
from offline_rl.meta.shared_fits import Refits, SharedFits
from tests.laws.learners import chosen, load_world, log_rounds, opposite_world

README = Path(__file__).parents[3] / "offline_rl" / "README.md"
HASTY = LearningSettings(hidden=4, max_steps=0)


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return load_world(tmp_path, log_rounds(opposite_world(20), 60))


def learned_and_served(
    fits: SharedFits, learners: Sequence[Learner]
) -> tuple[list[MetaPolicy], list[MetaPolicy]]:
    """As a night does: the first is the baseline."""
    learned = [learner.meta_train(fits) for learner in learners]
    before = Refits.before_holdout(fits)
    served = [refitted(policy, before) for policy in learned]
    choose_contenders(learned[1:], learned[0], fits)
    pooled = served[0]
    assert isinstance(pooled, MixedMetaPolicy)
    cautious(pooled, fits)
    return learned, served


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each module has fitted a model."""
    found: Counter[str] = Counter()

    def counted(module: ModuleType, name: str) -> None:
        fit: Callable[..., Any] = getattr(module, name)

        def counting(*arguments: Any, **named: Any) -> Any:
            found[f"{module.__name__.rpartition('.')[2]}.{name}"] += 1
            return fit(*arguments, **named)

        monkeypatch.setattr(module, name, counting)

    for module in (time_split, shared_fits, mixed_effects):
        counted(module, "fit_model")
    counted(warm_start, "fit_reward_model")
    for module in (cross_fitting, shared_fits):
        counted(module, "refit_reward_model")
    return found


def test_the_pooled_model_is_fitted_once_on_support_training_and_all_rounds(
    tasks: Tasks, calls: Counter[str]
) -> None:
    learners = PooledRewardModel(), Maml(), Reptile(), ItemRates()
    learned_and_served(SharedFits(tasks, HASTY, seed=0), learners)
    assert calls == {"time_split.fit_model": 1, "shared_fits.fit_model": 2}


def test_segments_own_effects_are_fitted_for_themselves(tasks: Tasks, calls: Counter[str]) -> None:
    learned_and_served(SharedFits(tasks, HASTY, seed=0), [PooledRewardModel(), MixedEffects()])
    assert calls["mixed_effects.fit_model"] == 3


def test_the_two_tower_network_is_fitted_once_for_all_who_use_it(tasks: Tasks, calls: Counter[str]) -> None:
    fits = SharedFits(tasks, HASTY, seed=0)
    learners = PooledTwoTower(), RandomEffects(), BayesianLastLayer(sizes=(0,)), PerSegment(), BetaBinomial()
    before = Refits.before_holdout(fits)
    for learner in learners:
        refitted(learner.meta_train(fits), before)
    assert calls == {
        "warm_start.fit_reward_model": 2,  # of support rounds, then of all training rounds
        "cross_fitting.refit_reward_model": cross_fitting.FOLDS,
        "shared_fits.refit_reward_model": 1,
    }


def test_nothing_is_fitted_before_it_is_asked_for(tasks: Tasks, calls: Counter[str]) -> None:
    fits = SharedFits(tasks, HASTY, seed=0)
    assert not calls
    ItemRates().meta_train(fits)
    assert "shared_fits.fit_model" not in calls


def test_rounds_and_fits_go_with_the_object_and_policies_stay(tasks: Tasks) -> None:
    fits = SharedFits(tasks, HASTY, seed=0)
    learned, served = learned_and_served(
        fits, [PooledRewardModel(), Maml(), PooledTwoTower(), RandomEffects()]
    )
    held = [
        weakref.ref(one)
        for one in (
            fits,
            fits.time_split,
            fits.warm_start,
            fits.mixed_start,
            fits.training_rounds[0],
            fits.mixed_start.training.offset,
            fits.cross_fitted_scores,
        )
    ]
    assert all(one() is not None for one in held)
    del fits
    assert [one() for one in held] == [None] * len(held)
    rounds = tasks.window("holdout")
    for policy in (*learned, *served):
        assert bool(torch.isfinite(chosen(policy.zero_shot(), rounds)).all())


def test_the_example_of_the_readme_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("rounds_recommendation.npz", **log_rounds(opposite_world(8), 30))
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [text for text in examples if "SharedFits" in text]
    names: dict[str, Any] = {}
    exec(compile(example, README.name, "exec"), names)
    assert names["policy"].name == "maml"
