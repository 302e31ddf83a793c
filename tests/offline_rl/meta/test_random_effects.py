"""Random effects: nothing where segments are alike, more than the pooled model where they are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from offline_rl.meta.cross_fitting import cross_fitted_scores
from offline_rl.meta.effects_meta_policy import logged_pooled_score
from offline_rl.meta.learner import Learner
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.per_segment import PerSegment
from offline_rl.meta.pooled_two_tower import PooledTwoTower
from offline_rl.meta.random_effects import RandomEffects, estimate_segment_prior
from offline_rl.meta.shared_fits import SharedFits
from tests.laws.learners import World, chosen, load_world, log_rounds, make_world

QUICK = LearningSettings(hidden=8)


@pytest.fixture(scope="module")
def differing(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, SharedFits]:
    world = make_world(
        segments=60, items=6, contexts=4, click_rate=0.2, heterogeneity=0.3, item_deviation=0.8, shared=0.8
    )
    tasks = load_world(tmp_path_factory.mktemp("differing"), log_rounds(world, 200))
    return world, SharedFits(tasks, QUICK, seed=0)


def share_of_gap(learner: Learner, world: World, fits: SharedFits) -> float:
    """Part of the way from the logging policy to the best possible, by true value on unseen segments."""
    policy, tasks = learner.meta_train(fits), fits.tasks
    unseen = tasks.split("meta_test")
    logged, best = np.mean([world.reference_values(g, 1000) for g in unseen], axis=0)
    values = [world.value(policy.adapt(tasks.window("training", [g])), g, 1000) for g in unseen]
    return float((np.mean(values) - logged) / (best - logged))


def test_where_segments_differ_it_beats_pooled_and_alone(differing: tuple[World, SharedFits]) -> None:
    effects = share_of_gap(RandomEffects(), *differing)
    assert effects > share_of_gap(PooledTwoTower(), *differing) + 0.1
    assert effects > share_of_gap(PerSegment(), *differing)


def test_how_much_segments_differ_is_recovered(differing: tuple[World, SharedFits]) -> None:
    """Item deviations of variance 0.64; a linear model of a sigmoid sees most of it."""
    _, fits = differing
    prior, chosen_columns = estimate_segment_prior(fits.warm_start, fits.cross_fitted_scores)
    assert 0.3 < float(prior.action[0]) < 0.8
    assert chosen_columns == ()


def test_where_segments_are_alike_it_is_the_pooled_model(tmp_path: Path) -> None:
    world = make_world(segments=40, items=6, contexts=4, click_rate=0.2, heterogeneity=0.0, shared=0.8)
    tasks = load_world(tmp_path, log_rounds(world, 200))
    fits = SharedFits(tasks, QUICK, seed=0)
    prior, _ = estimate_segment_prior(fits.warm_start, fits.cross_fitted_scores)
    assert float(torch.cat([prior.shared, prior.action]).max()) < 0.05
    policy = RandomEffects().meta_train(fits)
    assert policy.validation_gain <= 0.005
    rounds = tasks.window("holdout")
    pooled = chosen(PooledTwoTower().meta_train(fits).zero_shot(), rounds)
    adapted = chosen(policy.adapt(tasks.window("training", [0])), rounds)
    assert float((adapted - pooled).abs().mean()) < 0.05
    if not policy.adapts:
        assert torch.equal(adapted, pooled)
        assert policy.notes[-1].code == "effects_off"


def test_scores_are_cross_fitted_by_segment(differing: tuple[World, SharedFits]) -> None:
    """Another reward in a segment leaves its own scores as they were."""
    _, fits = differing
    start, scores = fits.warm_start, fits.cross_fitted_scores
    assert not torch.equal(scores, logged_pooled_score(start.model.parameters, start.training))
    own = start.training.segment == start.segments[0]
    lied = start.training.reward.clone()
    lied[own] = 1.0 - lied[own]
    again = cross_fitted_scores(replace(start.training, reward=lied), start.model, seed=0)
    assert torch.equal(scores[own], again[own])
    assert not torch.equal(scores[~own], again[~own])


def test_another_segments_support_does_harm(differing: tuple[World, SharedFits]) -> None:
    world, fits = differing
    tasks, policy = fits.tasks, RandomEffects().meta_train(fits)
    unseen = tasks.split("meta_test")
    own, swapped = (
        np.mean(
            [
                world.value(policy.adapt(tasks.window("training", [unseen[i - shift]])), g, 1000)
                for i, g in enumerate(unseen)
            ]
        )
        for shift in (0, 1)
    )
    pooled = np.mean([world.value(policy.zero_shot(), g, 1000) for g in unseen])
    assert own > pooled > swapped


def test_caution_avoids_what_is_little_known(differing: tuple[World, SharedFits]) -> None:
    """Of two policies with the same means the cautious one moves towards the items with more rounds."""
    _, fits = differing
    tasks, bold = fits.tasks, RandomEffects().meta_train(fits)
    careful = RandomEffects("careful", caution=1.0).meta_train(fits)
    assert torch.equal(bold.prior.action, careful.prior.action)
    support = tasks.window("training", [0])
    rare = int(torch.bincount(support.action, minlength=6).argmin())
    without = support.select(support.action != rare)
    rounds = tasks.window("holdout")
    shares = [float(chosen(policy.adapt(without), rounds)[:, rare].mean()) for policy in (bold, careful)]
    assert shares[1] < shares[0]
