"""What every off-policy estimator obeys, whatever its mathematics."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from offline_rl.ope.bootstrap import percentile_interval
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from tests.offline_rl.ope.worlds import World


def value(estimator: Estimator, rounds: EvaluationRounds) -> float:
    return float(estimator.value(estimator.terms(rounds).sum(axis=0)))


def full_log(n: int, seed: int) -> EvaluationRounds:
    """A log of `World` with all columns that any estimator asks for."""
    rounds = World().log(n, seed)
    tempered = (1 + rounds.weight) / 2
    return replace(
        rounds,
        q_logged_mrdr=rounds.q_logged + 0.1,
        q_policy_mrdr=rounds.q_policy + 0.1,
        density_ratio=tempered,
        marginal_weight=tempered,
        logger=rounds.cluster % 2,
        balanced_propensity=rounds.propensity,
    )


def agreeing_policies_return_a_constant_reward(estimator: Estimator) -> None:
    rounds = full_log(200, seed=1)
    constant = np.full(rounds.n, 3.5)
    agreed = EvaluationRounds.of_logging_policy(
        reward=constant,
        propensity=rounds.propensity,
        cluster=rounds.cluster,
        segment=rounds.segment,
        q_logged=constant,
        q_logged_mrdr=constant,
        logger=rounds.logger,
    )
    assert np.isclose(value(estimator, agreed), 3.5, rtol=1e-12)


def agreeing_policies_return_the_sample_mean(estimator: Estimator) -> None:
    rounds = full_log(200, seed=2)
    agreed = EvaluationRounds.of_logging_policy(
        reward=rounds.reward,
        propensity=rounds.propensity,
        cluster=rounds.cluster,
        segment=rounds.segment,
        q_logged=rounds.q_logged,
        q_logged_mrdr=rounds.q_logged_mrdr,
        logger=np.zeros(rounds.n, dtype=int),
    )
    earned, modeled = np.mean(rounds.reward), np.mean(rounds.q_logged)
    # Optimistic shrinkage alone shrinks a weight of 1 as well, to λ / (1 + λ).
    family, _, number = estimator.name.partition(":")
    trust = float(number) / (1 + float(number)) if family == "dr_os" else 1.0
    expected = modeled if estimator.rests_on_model else modeled + trust * (earned - modeled)
    assert np.isclose(value(estimator, agreed), expected, rtol=1e-12)


def scaled_rewards_scale_the_value(estimator: Estimator) -> None:
    rounds = full_log(200, seed=3)
    money = ("reward", "q_logged", "q_policy", "q_logged_mrdr", "q_policy_mrdr")
    in_cents = replace(rounds, **{column: 100 * getattr(rounds, column) for column in money})
    assert np.isclose(value(estimator, in_cents), 100 * value(estimator, rounds), rtol=1e-12)


def order_of_rounds_is_irrelevant(estimator: Estimator) -> None:
    rounds = full_log(200, seed=4)
    shuffled = rounds.select(np.random.default_rng(0).permutation(rounds.n))
    assert np.isclose(value(estimator, shuffled), value(estimator, rounds), rtol=1e-12)


def shards_add_to_the_whole(estimator: Estimator) -> None:
    rounds = full_log(200, seed=5)
    early = np.arange(rounds.n) < 37
    sums = estimator.terms(rounds.select(early)).sum(axis=0) + estimator.terms(rounds.select(~early)).sum(
        axis=0
    )
    assert np.isclose(estimator.value(sums), value(estimator, rounds), rtol=1e-12)


def a_log_read_twice_says_the_same(estimator: Estimator) -> None:
    rounds = full_log(200, seed=6)
    twice = rounds.select(np.tile(np.arange(rounds.n), 2))
    assert np.isclose(value(estimator, twice), value(estimator, rounds), rtol=1e-12)


def leading_dimensions_of_sums_are_kept(estimator: Estimator) -> None:
    terms = estimator.terms(full_log(180, seed=7))
    stacked = terms.reshape(3, 4, 15, -1).sum(axis=2)
    values = estimator.value(stacked)
    assert values.shape == (3, 4)
    # The root of an equation may differ in its last places with what else is solved beside it.
    assert np.isclose(values[1, 2], estimator.value(stacked[1, 2]), rtol=1e-12)


def more_rounds_narrow_the_interval(estimator: Estimator) -> None:
    widths = []
    for n in (400, 6400):
        evaluation = evaluate({"new": full_log(n, seed=8)}, [estimator], n_resamples=200)
        interval = percentile_interval(evaluation.values[0, 0, 0], evaluation.resampled[0, 0, 0], 0.95)
        widths.append(interval.upper - interval.lower)
    # Sixteen times the rounds quarter the width, give or take the resampling noise of both ends.
    assert 0.15 < widths[1] / widths[0] < 0.4


LAWS: list[Callable[[Estimator], None]] = [
    agreeing_policies_return_a_constant_reward,
    agreeing_policies_return_the_sample_mean,
    scaled_rewards_scale_the_value,
    order_of_rounds_is_irrelevant,
    shards_add_to_the_whole,
    a_log_read_twice_says_the_same,
    leading_dimensions_of_sums_are_kept,
    more_rounds_narrow_the_interval,
]
