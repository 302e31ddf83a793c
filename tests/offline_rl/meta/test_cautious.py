"""The cautious policy: the same scores, followed less sharply, where that is shown by fewer rounds."""

from dataclasses import replace

import pytest

from offline_rl.meta.cautious import CAUTIOUS, cautious
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.time_split import TEMPERATURES
from offline_rl.policies.scored_policy import ScoredPolicy
from tests.laws.learners import load_world, log_rounds, make_world


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> SharedFits:
    world = make_world(segments=8, items=12, click_rate=0.1, heterogeneity=0.0, shared=0.4)
    tasks = load_world(tmp_path_factory.mktemp("world"), log_rounds(world, 200))
    return SharedFits(tasks, LearningSettings(), seed=0)


def pooled(fits: SharedFits, temperature: float) -> MixedMetaPolicy:
    learned = PooledRewardModel().meta_train(fits)
    assert isinstance(learned, MixedMetaPolicy)
    return replace(learned, temperature=temperature)


def test_it_has_the_same_scores_and_is_softer(fits: SharedFits) -> None:
    sharp = pooled(fits, TEMPERATURES[0])
    soft = cautious(sharp, fits)
    assert soft is not None
    assert (soft.name, soft.model) == (CAUTIOUS, sharp.model)
    assert soft.temperature > sharp.temperature


def test_there_is_none_where_the_pooled_policy_is_as_soft(fits: SharedFits) -> None:
    assert cautious(pooled(fits, TEMPERATURES[-1]), fits) is None


def test_four_times_the_gain_is_as_good_as_sixteen_times_the_rounds_and_both_are_sharper(
    fits: SharedFits,
) -> None:
    split = fits.time_split
    policy = ScoredPolicy("pooled", split.model.score(), 1.0)
    usual, believing = (split.read_out({}, policy, believed=share) for share in (1.0, 4.0))
    assert believing < usual
    many = replace(split, gate_rounds_per_query=16.0 * split.gate_rounds_per_query)
    assert many.read_out({}, policy) == believing
