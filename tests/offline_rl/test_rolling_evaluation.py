"""Rolling evaluation: what was learned at an origin depends on nothing that came after it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

from offline_rl.champions.layers import LayeredPolicy, of_tonight
from offline_rl.logged_data import Tasks
from offline_rl.meta.fit_by_time import FittedPolicy
from offline_rl.meta.item_rates import ItemRates
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.mixed_effects import MixedEffects, MixedMetaPolicy
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.frequency_policy import FrequencyPolicy
from offline_rl.rolling_evaluation import Rolling, rolled
from offline_rl.serving import SegmentPolicies
from tests.laws.learners import load_world, log_rounds, make_world

SEGMENTS, EACH = 4, 120


def shop(folder: Path) -> Tasks:
    world = make_world(segments=SEGMENTS, items=4, click_rate=0.3, heterogeneity=0.5)
    tasks = load_world(folder, log_rounds(world, EACH))
    day = torch.arange(SEGMENTS * EACH) % EACH
    window = torch.bucketize(day, torch.tensor([60, 90]), right=True)
    origin = torch.bucketize(day, torch.tensor([30, 60, 90]), right=True)
    return replace(tasks, window_code=window, origin=origin)


@cache
def learned(folder: Path) -> tuple[Tasks, MixedMetaPolicy, list[FittedPolicy]]:
    tasks = shop(folder)
    training = tasks.to("cpu", torch.float32).window("training")

    def of_training(learner: MixedEffects | ItemRates) -> FittedPolicy:
        policy: FittedPolicy = learner.meta_train(SharedFits(tasks, LearningSettings(), 0))
        return policy.fitted_again(training, 0)

    pooled = of_training(PooledRewardModel())
    assert isinstance(pooled, MixedMetaPolicy)
    return tasks, pooled, [of_training(MixedEffects()), pooled, of_training(ItemRates())]


def evaluated(tasks: Tasks, folder: Path) -> Rolling:
    _, pooled, contenders = learned(folder)
    return rolled(tasks, contenders, pooled, logging_policy="logging", exploration=0.1, seed=0)


def test_every_policy_is_evaluated_on_the_rounds_of_every_origin(tmp_path: Path) -> None:
    tasks, *_ = learned(tmp_path)
    found = evaluated(tasks, tmp_path)
    assert found.n_origins == 3
    assert sorted(found.evaluated.tolist()) == torch.nonzero(tasks.origin).flatten().tolist()
    assert set(found.rounds) == {"logging", "mixed_effects", "pooled_reward_model", "popularity"}
    for rounds in found.rounds.values():
        np.testing.assert_array_equal(rounds.reward, tasks.rounds.reward[found.evaluated].double().numpy())
        np.testing.assert_array_equal(rounds.cluster, tasks.rounds.cluster[found.evaluated].numpy())
    assert (found.rounds["logging"].weight == 1.0).all()


def test_a_policy_of_an_origin_does_not_know_later_rewards(tmp_path: Path) -> None:
    tasks, *_ = learned(tmp_path)
    assert tasks.origin is not None
    for origin in (1, 2):
        reward = torch.where(tasks.origin >= origin, 1.0 - tasks.rounds.reward, tasks.rounds.reward)
        other = replace(tasks, rounds=replace(tasks.rounds, reward=reward))
        before, after = evaluated(tasks, tmp_path), evaluated(other, tmp_path)
        ours = (tasks.origin[before.evaluated] == origin).numpy()
        for name in before.rounds:
            for column in ("evaluation_prob", "q_logged", "q_policy"):
                old, new = (getattr(seen.rounds[name], column) for seen in (before, after))
                np.testing.assert_array_equal(old[ours], new[ours])


def test_early_policies_are_others_than_the_one_that_serves_and_the_last_is_that_one(tmp_path: Path) -> None:
    tasks, pooled, contenders = learned(tmp_path)
    assert tasks.origin is not None
    found = evaluated(tasks, tmp_path)
    settled = replace(tasks, origin=torch.where(tasks.origin > 0, 3, 0))  # the holdout's origin for all
    alone = rolled(settled, contenders, pooled, logging_policy="logging", exploration=0.1, seed=0)
    last = tasks.origin[found.evaluated] == 3
    of_one = {int(row): place for place, row in enumerate(alone.evaluated)}
    places = np.array([of_one[int(row)] for row in found.evaluated])
    old = found.rounds["pooled_reward_model"].evaluation_prob
    new = alone.rounds["pooled_reward_model"].evaluation_prob[places]
    np.testing.assert_array_equal(old[last.numpy()], new[last.numpy()])
    assert not np.array_equal(old[~last.numpy()], new[~last.numpy()])


def test_what_serves_today_is_evaluated_as_it_is(tmp_path: Path) -> None:
    tasks, pooled, _ = learned(tmp_path)
    shares = torch.tensor([[0.4, 0.3, 0.2, 0.1]], dtype=torch.float64).expand(tasks.rounds.n_slots, -1)
    today = SegmentPolicies("incumbent", {}, FrequencyPolicy(shares), fills_slates=False)
    serves = LayeredPolicy("incumbent", (of_tonight(today, tasks.rounds),), tasks.rounds)
    found = rolled(
        tasks, [], pooled, logging_policy="logging", serving_today=[serves], exploration=0.1, seed=0
    )
    shown = tasks.rounds.action[found.evaluated]
    np.testing.assert_allclose(found.rounds["incumbent"].evaluation_prob, shares[0, shown].numpy())
