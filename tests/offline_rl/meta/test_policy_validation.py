"""ValidationResult agrees with what the gradient learners see of themselves, and knows the pooled model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.policy_validation import log_likelihoods, validate, validation_tasks
from offline_rl.meta.pooled_two_tower import PooledTwoTower
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.warm_start import WarmStart
from offline_rl.policies.scored_policy import LevelScore, ScoredPolicy
from offline_rl.two_tower import TwoTowerScore
from offline_rl.user_history import ACTS
from tests.laws.learners import load_world, log_rounds, make_world, opposite_world

QUICK = LearningSettings(max_steps=10, patience=2, hidden=8, rows_per_task=128)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> WarmStart:
    folder = tmp_path_factory.mktemp("judgement")
    world = make_world(segments=8, items=6, features=3, contexts=3, click_rate=0.15)
    return SharedFits(load_world(folder, log_rounds(world, 200)), QUICK, 0).warm_start


def test_a_gradient_learner_s_own_value_is_that_of_the_common_rule(tmp_path: Path) -> None:
    tasks = load_world(tmp_path, log_rounds(opposite_world(), 200))
    fits = SharedFits(tasks, QUICK, seed=0)
    policy = Maml().meta_train(fits)
    seen = validate(policy, fits.mixed_start)
    assert policy.adapts
    assert seen.value == pytest.approx(policy.validation_value, abs=1e-5)
    assert seen.gain == pytest.approx(policy.validation_gain, abs=1e-5)
    assert seen.value > seen.zero_shot_value


def test_the_pooled_model_gains_nothing_over_itself(tmp_path: Path) -> None:
    tasks = load_world(tmp_path, log_rounds(make_world(segments=6, items=5), 100))
    fits = SharedFits(tasks, QUICK, seed=0)
    policy = PooledTwoTower().meta_train(fits)
    seen = validate(policy, fits.warm_start)
    assert seen.gain == 0.0
    assert seen.value == seen.zero_shot_value == pytest.approx(policy.validation_value, abs=1e-6)


def test_validation_tasks_hold_the_real_rounds_in_order(start: WarmStart) -> None:
    parts = validation_tasks(start)
    queries = [batch.query for batch in start.validation.batches]
    rewards = torch.cat([part.query.reward for part in parts])
    assert len(rewards) == len(start.validation.cluster)
    torch.testing.assert_close(rewards, torch.cat([query["reward"][query["mask"]] for query in queries]))
    assert all(bool(part.query.availability().all()) for part in parts)


def test_validation_tasks_keep_what_users_had_done(tmp_path: Path) -> None:
    arrays = log_rounds(make_world(segments=8, items=6), 40)
    n = len(arrays["action"])
    # A state of its own for every round, in which the item that it is about to show was touched.
    arrays |= {
        "history_state": np.arange(n),
        "touch_first": np.arange(n + 1),
        "touch_item": arrays["action"],
        "touch_amount": np.ones((n, len(ACTS)), dtype=np.float32),
    }
    tasks = load_world(tmp_path, arrays)
    start = SharedFits(tasks, QUICK, 0).warm_start
    for part in validation_tasks(start):
        for rounds in (part.support, part.query):
            assert rounds.history is not None
            row, entry = rounds.history.touches.entries_of(rounds.history.state)
            assert row.tolist() == list(range(rounds.n))
            assert torch.equal(rounds.history.touches.item[entry], rounds.action)


def test_what_segments_differ_in_as_wholes_is_no_gain(start: WarmStart) -> None:
    parts = validation_tasks(start)
    pooled = ScoredPolicy("pooled", TwoTowerScore(start.model.parameters), start.temperature)
    raised = ScoredPolicy("raised", lambda *rows: pooled.score(*rows) + 1.7, start.temperature)

    torch.testing.assert_close(
        log_likelihoods([raised] * len(parts), start),
        log_likelihoods([pooled] * len(parts), start),
        atol=1e-5,
        rtol=1e-5,
    )


def test_a_constant_score_tells_each_segments_rate_and_no_more(start: WarmStart) -> None:
    coin = ScoredPolicy("coin", LevelScore(0.0), 1.0)
    parts = validation_tasks(start)

    terms = log_likelihoods([coin] * len(parts), start)

    rates = torch.cat([part.query.reward.mean().expand(part.query.n) for part in parts])
    rewards = torch.cat([part.query.reward for part in parts])
    expected = torch.where(rewards == 1, rates, 1 - rates).log()
    torch.testing.assert_close(terms, expected, atol=1e-5, rtol=1e-5)
