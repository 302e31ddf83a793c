"""Answers beside the plain estimate, each right where its assumption holds."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.robust_values import (
    delta_log_normal,
    log_smoothing_bound,
    robust_values,
    winsorized,
)
from tests.offline_rl.ope.money_study import MoneyWorld, gamma, log_normal, pareto


def test_the_bias_bound_is_met_where_contributions_are_none_or_twice_the_cap() -> None:
    # Of 1,000 rounds 40 earn 5, the cap, and 4 twice as much, of which capping leaves out 5 each. Each of the
    # 4 adds 10² / (4 · 5) = 5 to the bound: what it loses. The 40 lose nothing, and make the bound larger.
    c = np.zeros(1000)
    c[:4], c[4:44] = 10.0, 5.0
    found = winsorized(c, 1000, 0.95)
    left_out = float(c.mean()) - (found.value or 0.0)
    assert (found.cap, found.n_capped) == (5.0, 4)
    assert left_out == pytest.approx(4 * 100 / 1000 / (4 * 5.0))
    assert found.bias_bound == pytest.approx((4 * 100 + 40 * 25) / 1000 / (4 * 5.0))


@pytest.mark.parametrize("seed", range(5))
def test_no_more_is_left_out_than_the_bias_bound(seed: int) -> None:
    c = np.random.default_rng(seed).random(2000) ** -0.8 - 1.5
    found = winsorized(c, 2000, 0.95)
    assert found.bias_bound is not None
    assert abs(float(c.mean()) - (found.value or 0.0)) <= found.bias_bound


def test_one_whale_hardly_moves_the_winsorized_mean() -> None:
    log = MoneyWorld(3000, 0.05, *gamma(4)).log(0)
    whale = replace(log, reward=np.where(np.arange(log.n) == np.argmax(log.reward), 50_000.0, log.reward))
    before, after = (robust_values(rounds, 0.95)[0] for rounds in (log, whale))
    assert after.value == pytest.approx(before.value, rel=0.02)
    assert after.bias_bound > 100 * before.bias_bound


@pytest.mark.parametrize("k", [0.3, 0.8])
def test_the_lower_bound_holds_where_no_variance_exists(k: float) -> None:
    world = MoneyWorld(1000, 0.2, *pareto(k))
    bounds = [robust_values(world.log(seed), 0.95)[1] for seed in range(100)]
    # At most 2.5 % in the long run; four of a hundred would already be one case of ten.
    assert sum(bound.lower > world.truth for bound in bounds) <= 4
    assert all(bound.kind == "log_smoothing" and bound.upper is None for bound in bounds)
    assert np.median([bound.lower for bound in bounds]) > 0.3 * world.truth


def test_the_lower_bound_does_not_depend_on_the_unit() -> None:
    c = np.random.default_rng(1).random(500) ** -0.9
    in_euros, in_cents = log_smoothing_bound(c, 500, 0.95), log_smoothing_bound(1024 * c, 500, 0.95)
    assert in_cents.lower == pytest.approx(1024 * in_euros.lower)


def test_the_law_covers_where_baskets_follow_it() -> None:
    world = MoneyWorld(1200, 0.1, *log_normal(2.0))
    found = [robust_values(world.log(seed), 0.95)[2] for seed in range(100)]
    holds = [each.lower <= world.truth <= (each.upper or 0.0) for each in found]
    assert np.mean(holds) >= 0.88


def test_the_law_wants_rewards_that_are_not_negative() -> None:
    log = MoneyWorld(1200, 0.1, *log_normal(1.0)).log(0)
    refunded = replace(log, reward=np.where(np.arange(log.n) == 5, -10.0, log.reward))
    assert [each.kind for each in robust_values(log, 0.95)] == [
        "winsorized",
        "log_smoothing",
        "delta_log_normal",
    ]
    assert [each.kind for each in robust_values(refunded, 0.95)] == ["winsorized"]
    assert robust_values(log.select(np.array([0])), 0.95) == ()


def test_without_a_reward_nothing_is_known_from_below() -> None:
    log = MoneyWorld(1200, 0.1, *gamma(4)).log(0)
    nothing = robust_values(replace(log, reward=np.zeros(log.n)), 0.95)
    assert [(each.kind, each.lower) for each in nothing] == [("winsorized", 0.0), ("log_smoothing", 0.0)]
    assert nothing[0].bias_bound is None


def test_the_law_has_its_value_by_hand() -> None:
    c = np.exp(np.array([-1.0, 1.0] * 10))
    found = delta_log_normal(np.append(c, np.zeros(20)), 40, 0.95)
    assert found.value == pytest.approx(0.5 * np.exp(20 / 19 / 2))
