"""What every slate estimator obeys, whatever it assumes about users."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.slates.estimator import SlateEstimator
from offline_rl.ope.slates.named_estimators import ESTIMATORS, from_name
from offline_rl.ope.slates.records import SlateRounds
from tests.offline_rl.ope.slates.slate_worlds import log, value

EVERY = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)


def slates(rounds: SlateRounds, order: np.ndarray) -> SlateRounds:
    """The rounds of the slates at these positions, in that order."""
    return rounds.select((2 * order[:, None] + [0, 1]).ravel())


@EVERY
def test_the_logging_policy_earns_the_mean_slate(estimator: SlateEstimator) -> None:
    rounds = log(200, seed=1).logging_policy()
    assert np.isclose(value(estimator, rounds), rounds.reward.sum() / 200, rtol=1e-12)


@EVERY
def test_scaled_rewards_scale_the_value(estimator: SlateEstimator) -> None:
    rounds = log(200, seed=2)
    in_cents = replace(
        rounds, reward=100 * rounds.reward, q_logged=100 * rounds.q_logged, q_policy=100 * rounds.q_policy
    )
    assert np.isclose(value(estimator, in_cents), 100 * value(estimator, rounds), rtol=1e-12)


@EVERY
def test_the_order_of_slates_is_irrelevant(estimator: SlateEstimator) -> None:
    rounds = log(200, seed=3)
    shuffled = slates(rounds, np.random.default_rng(0).permutation(200))
    assert np.isclose(value(estimator, shuffled), value(estimator, rounds), rtol=1e-12)


@EVERY
def test_shards_add_to_the_whole(estimator: SlateEstimator) -> None:
    rounds = log(200, seed=4)
    shards = [slates(rounds, np.arange(37)), slates(rounds, np.arange(37, 200))]
    sums = sum(estimator.terms(shard).sum(axis=0) for shard in shards)
    assert np.isclose(estimator.value(sums), value(estimator, rounds), rtol=1e-12)


@EVERY
def test_leading_dimensions_of_sums_are_kept(estimator: SlateEstimator) -> None:
    terms = estimator.terms(log(120, seed=5))
    stacked = terms.reshape(3, 4, 20, -1).sum(axis=2)
    values = estimator.value(stacked)
    assert values.shape == (3, 4)
    assert np.isclose(values[1, 2], estimator.value(stacked[1, 2]), rtol=1e-15)


@EVERY
def test_an_empty_log_identifies_nothing(estimator: SlateEstimator) -> None:
    empty = log(5, seed=6).select(np.zeros(10, dtype=bool))
    assert np.isnan(value(estimator, empty))


@EVERY
def test_self_normalized_values_move_with_the_reward(estimator: SlateEstimator) -> None:
    rounds = log(200, seed=7)
    raised = replace(rounds, reward=rounds.reward + 5)
    moves = np.isclose(value(estimator, raised), value(estimator, rounds) + 10, rtol=1e-12)
    assert moves == estimator.name.startswith("sn")


@EVERY
def test_a_missing_column_is_named(estimator: SlateEstimator) -> None:
    bare = replace(
        log(5, seed=8),
        whole=None,
        position=None,
        cascade=None,
        q_logged=None,
        q_policy=None,
    )
    with pytest.raises(ValueError, match=rf"^estimator {estimator.name} needs .*do not carry"):
        estimator.terms(bare)


def test_names_are_those_of_the_estimators() -> None:
    assert all(from_name(name).name == name for name in ESTIMATORS)
    with pytest.raises(ValueError, match=r"no slate estimator is called 'ips'. Known are cascade_dr"):
        from_name("ips")
