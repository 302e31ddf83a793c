"""Intervals of the bounds and the tipping factor, by the plain bootstrap and a world with a hidden cause."""

from math import inf

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.sensitivity import resampled_bounds
from offline_rl.ope.sensitivity.resampled_bounds import Compared
from tests.offline_rl.ope.sensitivity.test_marginal_sensitivity import hidden_world, rounds_of, value_bounds
from tests.offline_rl.ope.worlds import World


def test_without_errors_the_interval_is_the_plain_percentile_bootstrap_of_snips() -> None:
    world = World()
    policies = {"new": world.log(2000, 1), "logging": world.log(2000, 1, logged_log=True)}
    evaluated = evaluate(policies, [from_name("snips")], n_resamples=300, seed=5)
    plain = evaluated.difference("new", "logging", "snips", interval="percentile")
    found = Compared.on(policies["new"], n_resamples=300, seed=5).interval(1.0)
    assert (found.lower, found.upper) == pytest.approx((plain.lower, plain.upper), rel=1e-9)
    also = Compared.on(policies["new"], policies["logging"], n_resamples=300, seed=5).interval(1.0)
    assert (also.lower, also.upper) == pytest.approx((plain.lower, plain.upper), rel=1e-9)


def test_rounds_of_a_user_are_drawn_together() -> None:
    rounds = World().log(600, 2)
    doubled = rounds.select(np.repeat(np.arange(600), 2))
    once = Compared.on(rounds, n_resamples=200).interval(1.5)
    twice = Compared.on(doubled, n_resamples=200).interval(1.5)
    assert (once.lower, once.upper) == pytest.approx((twice.lower, twice.upper), rel=1e-9)


def test_intervals_grow_with_the_factor_and_hold_the_bounds() -> None:
    compared = Compared.on(World().log(800, 3), n_resamples=200)
    intervals = [compared.interval(factor) for factor in (1.0, 1.2, 2.0, 5.0)]
    assert np.all(np.diff([each.lower for each in intervals]) <= 0)
    assert np.all(np.diff([each.upper for each in intervals]) >= 0)
    for factor, each in zip((1.0, 1.2, 2.0, 5.0), intervals, strict=True):
        bounds = compared.difference(factor)
        assert each.lower <= bounds.lower <= bounds.upper <= each.upper


def test_amounts_of_many_sizes_are_binned_in_resamples_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    rounds = rounds_of(rng.gamma(0.5, size=900), rng.uniform(0.1, 0.9, 900), rng.uniform(0, 1, 900))
    binned = Compared.on(rounds, n_resamples=200)
    assert binned.resampled.base.shape[-1] == resampled_bounds.MOST_LEVELS
    monkeypatch.setattr(resampled_bounds, "MOST_LEVELS", 900)
    exact = Compared.on(rounds, n_resamples=200)
    assert binned.difference(2.0) == exact.difference(2.0)
    one, other = binned.interval(2.0), exact.interval(2.0)
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), rel=0.002)


def test_the_factor_of_a_hidden_cause_turns_a_gain_that_is_none() -> None:
    """Action 1 seems to earn 0.65 and is worth 0.5; what the log earned is that of a policy of 0.5 as well.

    On paper: the log earns 0.5 · 0.65 + 0.5 · 0.3 = 0.475 at G = 9, so in truth a gain of 0.025.
    """
    rounds, truth = hidden_world(20_000, 4, 9.0)
    compared = Compared.on(rounds, n_resamples=200)
    assert value_bounds(rounds, 1.0).lower == pytest.approx(0.65, abs=0.02)
    assert compared.difference(3.0).lower <= truth - rounds.reward.mean()
    tipping = compared.tipping_factor()
    assert 1.5 < tipping < 3.5
    assert compared.interval(tipping).lower > 0 >= compared.interval(1.001 * tipping).lower


def test_the_edges_of_the_tipping_factor() -> None:
    rng = np.random.default_rng(7)
    n = 400
    harmful = rounds_of((np.arange(n) % 2).astype(float), np.full(n, 0.5), (np.arange(n) % 2 == 0) * 1.0)
    assert Compared.on(harmful, n_resamples=100).tipping_factor() == 1.0
    # Both actions were certain where they were logged: no odds can be wrong, and the better one is played.
    certain = rounds_of((np.arange(n) % 2).astype(float), np.ones(n), (np.arange(n) % 2) * 1.0)
    assert Compared.on(certain, n_resamples=100).tipping_factor() == inf
    nothing = rounds_of(rng.random(n), np.full(n, 0.5), np.zeros(n))
    assert Compared.on(nothing, n_resamples=100).tipping_factor() == 1.0
    assert np.isnan(Compared.on(nothing, n_resamples=100).interval(2.0).lower)


def test_different_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="different rounds"):
        Compared.on(World().log(50, 1), World().log(50, 2))


def test_many_clusters_and_rounds_are_summed_once() -> None:
    """A hundred thousand users: grouped in the bootstrap, bounds of the log exact."""
    rounds: EvaluationRounds = World().log(100_000, 8)
    compared = Compared.on(rounds, n_resamples=20)
    assert compared.resampled.base.shape == (20, 2)
    lower, upper = value_bounds(rounds, 1.5)
    mean = rounds.reward.mean()
    assert compared.difference(1.5) == pytest.approx((lower - mean, upper - mean))
