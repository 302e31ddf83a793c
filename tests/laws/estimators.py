"""What every off-policy estimator obeys, whatever its mathematics."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from offline_rl.ope.bootstrap import percentile_interval
from offline_rl.ope.estimator import Estimator
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from tests.offline_rl.ope.worlds import World


def value(estimator: Estimator, rounds: EvaluationRounds) -> float:
    return float(estimator.value(estimator.terms(rounds).sum(axis=0)))


def agreeing_policies_return_a_constant_reward(estimator: Estimator) -> None:
    rounds = World().log(200, seed=1)
    constant = np.full(rounds.n, 3.5)
    agreed = EvaluationRounds.of_logging_policy(
        reward=constant,
        propensity=rounds.propensity,
        cluster=rounds.cluster,
        segment=rounds.segment,
        q_logged=constant,
    )
    assert np.isclose(value(estimator, agreed), 3.5, rtol=1e-12)


def agreeing_policies_return_the_sample_mean(estimator: Estimator) -> None:
    rounds = World().log(200, seed=2)
    agreed = replace(rounds, evaluation_prob=rounds.propensity, q_policy=rounds.q_logged)
    column = rounds.q_logged if estimator.rests_on_model else rounds.reward
    assert np.isclose(value(estimator, agreed), np.mean(column), rtol=1e-12)


def scaled_rewards_scale_the_value(estimator: Estimator) -> None:
    rounds = World().log(200, seed=3)
    in_cents = replace(
        rounds,
        reward=100 * rounds.reward,
        q_logged=100 * rounds.q_logged,
        q_policy=100 * rounds.q_policy,
    )
    assert np.isclose(value(estimator, in_cents), 100 * value(estimator, rounds), rtol=1e-12)


def order_of_rounds_is_irrelevant(estimator: Estimator) -> None:
    rounds = World().log(200, seed=4)
    shuffled = rounds.select(np.random.default_rng(0).permutation(rounds.n))
    assert np.isclose(value(estimator, shuffled), value(estimator, rounds), rtol=1e-12)


def shards_add_to_the_whole(estimator: Estimator) -> None:
    rounds = World().log(200, seed=5)
    early = np.arange(rounds.n) < 37
    sums = estimator.terms(rounds.select(early)).sum(axis=0) + estimator.terms(rounds.select(~early)).sum(
        axis=0
    )
    assert np.isclose(estimator.value(sums), value(estimator, rounds), rtol=1e-12)


def a_log_read_twice_says_the_same(estimator: Estimator) -> None:
    rounds = World().log(200, seed=6)
    twice = rounds.select(np.tile(np.arange(rounds.n), 2))
    assert np.isclose(value(estimator, twice), value(estimator, rounds), rtol=1e-12)


def leading_dimensions_of_sums_are_kept(estimator: Estimator) -> None:
    terms = estimator.terms(World().log(60, seed=7))
    stacked = terms.reshape(3, 4, 5, -1).sum(axis=2)
    values = estimator.value(stacked)
    assert values.shape == (3, 4)
    assert np.isclose(values[1, 2], estimator.value(stacked[1, 2]), rtol=1e-15)


def more_rounds_narrow_the_interval(estimator: Estimator) -> None:
    widths = []
    for n in (400, 6400):
        evaluation = evaluate({"new": World().log(n, seed=8)}, [estimator], n_resamples=200)
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
