"""Who asks to serve: whoever told the validation rewards best, and nobody who told them no better."""

from dataclasses import replace

import pytest

from offline_rl.logged_data import Tasks
from offline_rl.meta.choice import asking, likelihood_gains
from offline_rl.meta.judgement import pooled_value
from offline_rl.meta.learner import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.random_effects import RandomEffects
from offline_rl.meta.reinforce import Reinforce
from offline_rl.meta.warm_start import warm_start
from tests.laws.learners import load_world, log_rounds, opposite_world

QUICK = LearningSettings(max_steps=10, patience=2, hidden=8, rows_per_task=128)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Tasks:
    return load_world(tmp_path_factory.mktemp("choice"), log_rounds(opposite_world(), 200))


def test_a_learner_that_tells_rewards_better_asks_and_the_pooled_model_does_not(tasks: Tasks) -> None:
    start = warm_start(tasks, QUICK.hidden, 0)
    pooled, effects = (
        learner.meta_train(tasks, QUICK, seed=0) for learner in (PooledRewardModel(), RandomEffects())
    )

    gains = likelihood_gains([pooled, effects], start)

    assert gains["pooled_reward_model"] == 0.0
    assert gains["random_effects"] > 0.0
    assert asking([pooled, effects], start) == ["random_effects"]


def test_the_surest_gain_asks_first(tasks: Tasks) -> None:
    start = warm_start(tasks, QUICK.hidden, 0)
    learned = [learner.meta_train(tasks, QUICK, seed=0) for learner in (Maml(), RandomEffects())]

    gains = likelihood_gains(learned, start)

    assert asking(learned, start) == sorted(gains, key=lambda name: -gains[name])


def test_a_policy_gradient_predicts_no_reward_and_comes_after_those_that_do(tasks: Tasks) -> None:
    start = warm_start(tasks, QUICK.hidden, 0)
    policy = Reinforce().meta_train(tasks, QUICK, seed=0)
    effects = RandomEffects().meta_train(tasks, QUICK, seed=0)
    convinced = replace(policy, validation_value=pooled_value(start) + 3.0, validation_gain=2.0)

    assert policy.name not in likelihood_gains([policy], start)
    assert asking([convinced, effects], start) == ["random_effects", "reinforce"]
    hardly = replace(convinced, validation_gain=1.0)
    assert asking([hardly, effects], start) == ["random_effects"]


def test_a_value_that_is_surely_lower_is_a_veto(tasks: Tasks) -> None:
    start = warm_start(tasks, QUICK.hidden, 0)
    effects = RandomEffects().meta_train(tasks, QUICK, seed=0)
    lower = pooled_value(start) - 0.3
    three_errors = replace(effects, validation_value=lower, validation_gain=-0.4)
    one_error = replace(effects, validation_value=lower, validation_gain=-0.6)

    assert asking([three_errors], start) == []
    assert asking([one_error], start) == ["random_effects"]
