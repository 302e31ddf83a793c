"""Contenders are the policies that predict the validation rewards better than the pooled model."""

from dataclasses import replace

import pytest
import torch

from features.errors import InputDataError
from offline_rl.meta.choice import (
    ContenderChoice,
    choose_contenders,
    contenders_by_validation,
    likelihood_gains,
)
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedEffects, MixedMetaPolicy
from offline_rl.meta.policy_validation import validate
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.pooled_two_tower import PooledTwoTower
from offline_rl.meta.random_effects import RandomEffects
from offline_rl.meta.reinforce import Reinforce
from offline_rl.meta.shared_fits import SharedFits
from tests.laws.learners import load_world, log_rounds, opposite_world

QUICK = LearningSettings(max_steps=10, patience=2, hidden=8, rows_per_task=128)


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> SharedFits:
    tasks = load_world(tmp_path_factory.mktemp("choice"), log_rounds(opposite_world(), 200))
    return SharedFits(tasks, QUICK, seed=0)


def test_a_learner_that_tells_rewards_better_asks_and_the_pooled_model_does_not(fits: SharedFits) -> None:
    start = fits.warm_start
    pooled, effects = (learner.meta_train(fits) for learner in (PooledTwoTower(), RandomEffects()))

    gains = likelihood_gains([pooled, effects], pooled, start)

    assert gains["pooled_two_tower"] == 0.0
    assert gains["random_effects"] > 0.0
    assert contenders_by_validation([pooled, effects], pooled, start) == ["random_effects"]


def test_the_surest_gain_asks_first(fits: SharedFits) -> None:
    start = fits.warm_start
    pooled, *learned = (learner.meta_train(fits) for learner in (PooledTwoTower(), Maml(), RandomEffects()))

    gains = likelihood_gains(learned, pooled, start)

    assert contenders_by_validation(learned, pooled, start) == sorted(gains, key=lambda name: -gains[name])


def test_a_policy_gradient_predicts_no_reward_and_comes_after_those_that_do(fits: SharedFits) -> None:
    start = fits.warm_start
    policy = Reinforce().meta_train(fits)
    effects = RandomEffects().meta_train(fits)
    pooled = PooledTwoTower().meta_train(fits)
    convinced = replace(policy, validation_value=validate(pooled, start).value + 3.0, validation_gain=2.0)

    assert policy.name not in likelihood_gains([policy], pooled, start)
    assert contenders_by_validation([convinced, effects], pooled, start) == ["random_effects", "reinforce"]
    hardly = replace(convinced, validation_gain=1.0)
    assert contenders_by_validation([hardly, effects], pooled, start) == ["random_effects"]


def test_a_value_that_is_surely_lower_is_a_veto(fits: SharedFits) -> None:
    start = fits.warm_start
    effects = RandomEffects().meta_train(fits)
    pooled = PooledTwoTower().meta_train(fits)
    lower = validate(pooled, start).value - 0.3
    three_errors = replace(effects, validation_value=lower, validation_gain=-0.4)
    one_error = replace(effects, validation_value=lower, validation_gain=-0.6)

    assert contenders_by_validation([three_errors], pooled, start) == []
    assert contenders_by_validation([one_error], pooled, start) == ["random_effects"]


@pytest.fixture(scope="module")
def unfitted(fits: SharedFits) -> SharedFits:
    """Fits of nothing but the future: no policy takes steps, so no start may be fitted."""
    return replace(fits, tasks=replace(fits.tasks, window_code=torch.full_like(fits.tasks.window_code, 2)))


def test_where_nobody_takes_steps_no_start_is_fitted(unfitted: SharedFits) -> None:
    with pytest.raises(InputDataError):
        assert unfitted.mixed_start


def led(policy: MetaPolicy, name: str, lead: float, *, value: float = 0.0) -> MetaPolicy:
    """The policy under another name, with these results of the time split; its value has an error of 0.01."""
    assert isinstance(policy, MixedMetaPolicy)
    return replace(policy, name=name, lead=lead, validation_value=value, validation_gain=value - 0.01)


@pytest.fixture(scope="module")
def pooled(fits: SharedFits) -> MetaPolicy:
    return led(PooledRewardModel().meta_train(fits), "pooled_reward_model", 0.0)


def test_segments_own_effects_are_a_contender_where_they_lead_by_an_error(
    fits: SharedFits, unfitted: SharedFits, pooled: MetaPolicy
) -> None:
    learned = MixedEffects().meta_train(fits)
    assert isinstance(learned, MixedMetaPolicy)
    assert learned.lead > 5.0  # even and odd segments like opposite items
    assert choose_contenders([learned], pooled, unfitted) == ContenderChoice(
        ("mixed_effects",), "pooled_reward_model"
    )


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        ({"a": 0.9, "b": -3.0}, ContenderChoice((), "pooled_reward_model")),
        ({"a": 1.1, "b": 3.0}, ContenderChoice(("b", "a"), "pooled_reward_model")),
        ({"popularity": 2.5, "a": 1.2}, ContenderChoice(("a",), "pooled_reward_model")),
        ({"popularity": 3.5, "a": 2.0}, ContenderChoice((), "popularity")),
        ({"popularity": 3.5, "a": 4.0}, ContenderChoice(("a",), "popularity")),
    ],
)
def test_the_clearest_lead_asks_first_and_the_list_is_the_floor(
    leads: dict[str, float], expected: ContenderChoice, unfitted: SharedFits, pooled: MetaPolicy
) -> None:
    policies = [led(pooled, name, lead) for name, lead in leads.items()]
    assert choose_contenders(policies, pooled, unfitted) == expected


def test_a_lead_in_likelihood_does_not_excuse_a_value_that_is_surely_lower(
    unfitted: SharedFits, pooled: MetaPolicy
) -> None:
    assert choose_contenders([led(pooled, "a", 4.0, value=-0.03)], pooled, unfitted).learners == ()
    assert choose_contenders([led(pooled, "a", 4.0, value=-0.01)], pooled, unfitted).learners == ("a",)
