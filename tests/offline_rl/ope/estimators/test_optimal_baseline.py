"""The optimal control variate: unbiased, exactly 0 for a policy and itself, and never a worse difference."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from tests.laws.estimators import full_log, value
from tests.offline_rl.ope.worlds import World, coin_log

IPS, DR, BETA_IPS, BETA_DR = (from_name(name) for name in ("ips", "dr", "beta_ips", "beta_dr"))

LIGHT, HEAVY = World(level=0.3), World(level=0.3, logged_taste=4.0)
HIGH = World(level=0.9)


def logging_value(world: World) -> float:
    return float((world.logging * world.reward_probability).sum(axis=1).mean())


def differences(estimator: Estimator, world: World, n: int) -> np.ndarray:
    """Value of the evaluated policy less the mean reward, in 4,000 logs of n rounds, cut from one."""
    log = world.log(4000 * n, seed=0)
    values = estimator.value(estimator.terms(log).reshape(4000, n, -1).sum(axis=1))
    return np.asarray(values - log.reward.reshape(4000, n).mean(axis=1))


@pytest.mark.parametrize("estimator", [BETA_IPS, BETA_DR], ids=lambda one: one.name)
def test_a_policy_less_itself_is_exactly_nothing(estimator: Estimator) -> None:
    log = full_log(400, seed=1)
    found = evaluate({"new": log, "same": log}, [estimator], n_resamples=100)
    lead = found.difference("new", "same", estimator.name)
    assert (lead.value, lead.lower, lead.upper) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("estimator", [BETA_IPS, BETA_DR], ids=lambda one: one.name)
@pytest.mark.parametrize("world", [LIGHT, HEAVY, HIGH], ids=["light", "heavy", "high reward"])
def test_no_bias_in_logs_of_thirty_rounds(world: World, estimator: Estimator) -> None:
    found = differences(estimator, world, 30)
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - (world.truth - logging_value(world))) < 4 * error


def test_a_ratio_of_the_same_weights_has_a_bias() -> None:
    found = differences(from_name("snips"), HEAVY, 30)
    assert abs(found.mean() - (HEAVY.truth - logging_value(HEAVY))) > 8 * found.std() / np.sqrt(len(found))


def test_where_rewards_are_high_most_of_the_noise_is_paid_for() -> None:
    plain, with_baseline = (differences(estimator, HIGH, 100).std() for estimator in (IPS, BETA_IPS))
    assert with_baseline < 0.5 * plain


def test_a_model_that_is_off_by_a_constant_is_mended() -> None:
    log = HIGH.log(500, seed=3)
    rewards = np.full(log.n, 0.9)
    right = replace(log, q_logged=rewards, q_policy=rewards)
    off = replace(log, q_logged=rewards - 5, q_policy=rewards - 5)
    assert value(BETA_DR, off) == pytest.approx(value(BETA_DR, right), rel=1e-12)
    assert value(DR, off) != pytest.approx(value(DR, right), rel=1e-2)


def test_a_baseline_solved_on_paper() -> None:
    # Weights 1.5 and 0.5, surplus ±0.5, d = W r: 0.5 or 0, on a line with slope 0.5 in whichever half.
    # Contributions are worth 4 × 1.5 = 6 of 8, the surplus adds up to 0.
    assert value(BETA_IPS, coin_log(8, play_one=0.75)) == pytest.approx(0.75, rel=1e-15)
    # Of six rounds, two of which paid, the second half has cluster 6 alone: its β is 0, that of the first
    # half is 0.5, and its own surplus is −0.5: (2 × 1.5 + 0.5 × 0.5) / 6.
    kept = coin_log(8, play_one=0.75).select(np.array([0, 2, 4, 5, 6, 7]))
    assert value(BETA_IPS, kept) == pytest.approx(3.25 / 6, rel=1e-15)


def test_what_the_log_could_not_show_is_expected_to_lack() -> None:
    # Half of the policy lies outside of the log: weights are 0.75 and 0.25, in the mean what is expected.
    log = coin_log(8, play_one=0.75)
    half = replace(log, evaluation_prob=log.evaluation_prob / 2, unsupported_mass=np.full(8, 0.5))
    assert value(BETA_IPS, half) == pytest.approx(value(IPS, half), rel=1e-15)


def test_one_cluster_has_the_plain_value() -> None:
    log = replace(full_log(200, seed=5), cluster=np.zeros(200, dtype=np.int64))
    assert value(BETA_DR, log) == pytest.approx(value(DR, log), rel=1e-12)


@pytest.mark.parametrize("world", [LIGHT, HIGH], ids=["light", "high reward"])
def test_intervals_of_differences_hold_the_truth(world: World) -> None:
    truth, holds = world.truth - logging_value(world), []
    for seed in range(20_000, 20_200):
        policies = {"new": world.log(200, seed), "log": world.log(200, seed, logged_log=True)}
        found = evaluate(policies, [BETA_IPS, BETA_DR], n_resamples=300, seed=seed)
        for name in ("beta_ips", "beta_dr"):
            lead = found.difference("new", "log", name)
            holds.append(lead.lower <= truth <= lead.upper)
    shares = np.array(holds).reshape(-1, 2).mean(axis=0)
    # .92 to .98, and three binomial standard deviations of 200 logs beyond .95 where that is wider.
    assert (shares > 0.95 - 0.047).all() and (shares < 0.95 + 0.047).all()
