"""Controls that must show nothing: if one of them shows a gain, the protocol makes gains up."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from flows.simulations.studies.learners import LEARNERS, POOLED
from flows.simulations.studies.meta_test_split import (
    MetaTestSplit,
    SplitValues,
    evaluate_on_split,
    meta_test_split,
)
from flows.simulations.studies.study import Study, StudySettings, make_study
from offline_rl.comparison.inference import difference
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.choice import choose_contenders
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.policy import LogitPolicy
from offline_rl.user_history import UserHistory
from tests.flows.simulations.studies.synthetic import synthetic_study
from tests.laws.learners import World, make_world, opposite_world

QUICK = LearningSettings(hidden=4, max_steps=20)
ADAPTING = ("mixed_effects", "random_effects", "fine_tuned", "fomaml", "bayesian_last_layer")


@dataclass(frozen=True, eq=False)
class Trained:
    fits: SharedFits
    split: MetaTestSplit
    policies: dict[str, MetaPolicy]

    def value(self, name: str, support_of: dict[int, LoggedRounds] | None = None) -> SplitValues:
        policy = self.policies[name]
        supports = support_of or {part.segment: part.support for part in self.split.parts}
        return evaluate_on_split(lambda part: policy.adapt(supports[part.segment]), self.split)

    def contenders(self, name: str) -> tuple[str, ...]:
        """Its name if it would be a contender, else nothing."""
        return choose_contenders([self.policies[name]], self.policies[POOLED], self.fits).learners

    def gain(self, name: str, support_of: dict[int, LoggedRounds] | None = None) -> float:
        """In points of the gap over the pooled model."""
        share = self.split.share
        return 100 * (share(self.value(name, support_of).true) - share(self.value(POOLED).true))


def trained(study: Study, names: tuple[str, ...], fits: SharedFits | None = None) -> Trained:
    fits = fits or SharedFits(study.tasks(), QUICK, seed=0)
    policies = {name: LEARNERS[name].meta_train(fits) for name in (POOLED, *names)}
    pooled = policies[POOLED]
    assert isinstance(pooled, MixedMetaPolicy)
    return Trained(fits, meta_test_split(study, fits.tasks, pooled.model, exploration=0.0), policies)


@pytest.fixture(scope="module")
def opposite() -> Trained:
    """Even segments click on the first of two items only, odd ones on the second only."""
    return trained(synthetic_study(opposite_world(40), 120), ADAPTING)


@pytest.mark.parametrize("name", ADAPTING)
def test_a_segments_own_support_is_worth_nearly_everything(opposite: Trained, name: str) -> None:
    assert opposite.gain(name) > 60


@pytest.mark.parametrize("name", ADAPTING)
def test_the_support_of_a_segment_of_the_other_kind_costs_as_much(opposite: Trained, name: str) -> None:
    parts = opposite.split.parts
    wrong = {}
    for part in parts:
        stranger = next(other for other in parts if (other.segment - part.segment) % 2)
        wrong[part.segment] = stranger.support
    assert opposite.gain(name, wrong) < -60


@pytest.mark.parametrize("name", ADAPTING)
def test_permuted_rewards_teach_nothing(opposite: Trained, name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    permuted = {}
    for part in opposite.split.parts:
        order = torch.randperm(part.support.n, generator=generator)
        permuted[part.segment] = replace(part.support, reward=part.support.reward[order])
    # What is learned from noise is a coin's throw in each segment, 1 right and 1 wrong.
    assert abs(opposite.gain(name, permuted)) < 0.5 * opposite.gain(name)


def test_a_learner_against_itself_differs_by_exactly_nothing(opposite: Trained) -> None:
    study = synthetic_study(opposite_world(40), 120)
    again = trained(study, ("random_effects",))
    first, second = opposite.value("random_effects"), again.value("random_effects")
    assert (first.true == second.true).all()
    assert (first.terms == second.terms).all()
    found = difference([first.true - second.true])
    assert (found.mean, found.lower, found.upper, found.p_value) == (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class LoggingPolicy(LogitPolicy):
    """The world's own logging policy, in one segment."""

    world: World
    segment: int
    name: str = "logging"

    def action_logits(
        self,
        context: Tensor,
        slot: Tensor,
        item_features: Tensor,
        available: Tensor,
        history: UserHistory | None = None,
    ) -> Tensor:
        clicks = self.world.click_probability(
            context.double().numpy(), slot.numpy(), np.full(len(slot), self.segment)
        )
        return torch.from_numpy(self.world.logging_probability(clicks)).log()


def test_the_estimate_of_the_logging_policy_is_what_was_observed() -> None:
    world = replace(make_world(segments=12, click_rate=0.2), slot_effect=np.zeros(1))
    study = synthetic_study(world, 300)
    split = trained(study, ()).split
    values = evaluate_on_split(lambda part: LoggingPolicy(world, part.segment), split)
    np.testing.assert_allclose(values.weight, 1.0, atol=1e-5)
    np.testing.assert_allclose(values.true, split.logging, atol=1e-6)
    observed = torch.cat([part.holdout.reward for part in split.parts]).numpy()
    error = (values.terms - observed).std() / np.sqrt(len(observed))
    assert abs(values.terms.mean() - observed.mean()) < 3 * error


@pytest.mark.slow
def test_where_segments_are_alike_adapting_costs_little_and_claims_nothing() -> None:
    gains: dict[str, list[np.ndarray]] = {name: [] for name in ADAPTING}
    for seed in range(2):
        world = make_world(segments=50, click_rate=0.2, heterogeneity=0.0, shared=0.8, seed=seed)
        run = trained(synthetic_study(world, 100, seed), (*ADAPTING, "pooled_two_tower"))
        gap = (run.split.oracle - run.split.logging).mean()
        for name, found in gains.items():
            # Each against what it is without adapting: random effects start from the two-tower network.
            start = run.value("pooled_two_tower" if name in UPON_TWO_TOWERS else POOLED).true
            found.append(100 * (run.value(name).true - start) / gap)
    for name, found in gains.items():
        result = difference(found)
        assert result.mean > -1.5, name
        assert not result.lower > 0, name


UPON_TWO_TOWERS = ("random_effects", "bayesian_last_layer")


@pytest.fixture(scope="module")
def homogeneous() -> Study:
    return make_study(StudySettings("homogeneous", 100))


@pytest.fixture(scope="module")
def homogeneous_fits(homogeneous: Study) -> SharedFits:
    """Made once, so that its starts are fitted once."""
    return SharedFits(homogeneous.tasks(), LearningSettings(), seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in LEARNERS if name not in (POOLED, "per_segment")])
def test_in_the_homogeneous_shop_no_learner_that_is_to_ship_harms(
    homogeneous: Study, homogeneous_fits: SharedFits, name: str
) -> None:
    run = trained(homogeneous, (name,), homogeneous_fits)
    assert run.gain(name) > -1.5 or name not in run.contenders(name)
