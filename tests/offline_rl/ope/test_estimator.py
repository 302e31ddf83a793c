"""Every estimator obeys the laws of the family; each has its own besides."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.clipped_ips import ClippedIPS
from offline_rl.ope.direct_method import DirectMethod
from offline_rl.ope.doubly_robust import DoublyRobust
from offline_rl.ope.estimator import Estimator
from offline_rl.ope.ips import IPS
from offline_rl.ope.named_estimators import PLAIN, WITH_HYPERPARAMETER, from_name
from offline_rl.ope.self_normalized_dr import SelfNormalizedDR
from offline_rl.ope.snips import SNIPS
from tests.laws.estimators import LAWS, value
from tests.offline_rl.ope.worlds import World, coin_log

NAMES = [*PLAIN, *(f"{family}:10" for family in WITH_HYPERPARAMETER)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_law(law: Callable[[Estimator], None], name: str) -> None:
    law(from_name(name))


@pytest.mark.parametrize("name", NAMES)
def test_worth_of_a_coin(name: str) -> None:
    # Of 8 rounds, 4 paid; weights are 2 × 0.75 for those and 2 × 0.25 for the others: 4 × 1.5 / 8.
    assert value(from_name(name), coin_log(8, play_one=0.75)) == (0.0 if name == "dm" else 0.75)


def test_clip_cuts_the_weight() -> None:
    # Weight 2 × 0.9 = 1.8 becomes 1: half of the rounds pay 1.
    assert value(ClippedIPS(1.0), coin_log(8, play_one=0.9)) == 0.5
    assert value(DoublyRobust(1.0), coin_log(8, play_one=0.9)) == 0.5


@pytest.mark.parametrize(("with_model", "without"), [("dr", "ips"), ("dr:2", "ips:2"), ("sndr", "snips")])
def test_a_silent_model_leaves_the_weighted_rewards(with_model: str, without: str) -> None:
    rounds = World().log(100, seed=0)
    silent = replace(rounds, q_logged=np.zeros(rounds.n), q_policy=np.zeros(rounds.n))
    assert value(from_name(with_model), silent) == value(from_name(without), silent)


@pytest.mark.parametrize("estimator", [SNIPS(), SelfNormalizedDR()], ids=lambda e: e.name)
def test_self_normalized_values_move_with_the_reward(estimator: Estimator) -> None:
    rounds = World().log(100, seed=0)
    raised = replace(rounds, reward=rounds.reward + 5)
    assert np.isclose(value(estimator, raised), value(estimator, rounds) + 5, rtol=1e-12)
    assert not np.isclose(value(IPS(), raised), value(IPS(), rounds) + 5, rtol=1e-3)


def test_an_exact_model_makes_wrong_propensities_harmless() -> None:
    rounds = coin_log(8, play_one=0.75, q_logged=np.arange(8) % 2.0, q_policy=np.full(8, 0.75))
    wrong = replace(rounds, propensity=np.full(8, 0.1))
    assert value(DoublyRobust(), wrong) == 0.75
    assert value(IPS(), wrong) != 0.75


def test_direct_method_ignores_what_was_earned() -> None:
    rounds = World().log(100, seed=0)
    assert value(DirectMethod(), replace(rounds, reward=-rounds.reward)) == value(DirectMethod(), rounds)


@pytest.mark.parametrize("name", ["snips", "sndr"])
def test_no_overlap_identifies_nothing(name: str) -> None:
    assert np.isnan(value(from_name(name), coin_log(8, play_one=0.5, evaluation_prob=np.zeros(8))))


@pytest.mark.parametrize("name", ["dm", "dr", "dr:10", "sndr"])
def test_a_missing_reward_model_is_named(name: str) -> None:
    rounds = replace(coin_log(8, 0.5), q_logged=None, q_policy=None)
    with pytest.raises(ValueError, match=rf"^estimator {name} needs a reward model"):
        from_name(name).terms(rounds)


@pytest.mark.parametrize("name", ["ips", "ips:10", "dr", "sndr", "snips"])
def test_unbiased_with_exact_weights_and_a_wrong_model(name: str) -> None:
    world, estimator = World(), from_name(name)
    values = np.array([value(estimator, world.log(1000, seed)) for seed in range(200)])
    standard_error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - world.truth) < 3.5 * standard_error
    # The test can fail: the wrong model alone is dozens of standard errors away.
    assert abs(value(DirectMethod(), world.log(1000, 0)) - world.truth) > 10 * standard_error
