"""Predicted standard errors and powers, beside logs that are drawn again and again."""

import numpy as np
import pytest

from offline_rl.power.designs import Design, OffPolicy, TwoArms
from offline_rl.power.horizon import Traffic
from offline_rl.power.normal_test import Asked
from offline_rl.power.slate_exploration import explored_weights, logged_weights
from offline_rl.power.user_growth import UserGrowth
from tests.offline_rl.power.simulated_shops import Shop, difference, shows_gain

SHOP = Shop()
N_LOGS = 300
TRAFFIC = Traffic(SHOP.rate, SHOP.users * SHOP.slots, SHOP.growth)


def designed(exploration: float | None) -> Design:
    if exploration is None:
        return TwoArms(0.3)
    return OffPolicy(explored_weights(exploration, SHOP.available), slots=SHOP.slots)


def drawn(exploration: float | None, seed: int, shop: Shop = SHOP):
    rng = np.random.default_rng([seed, 7])
    return shop.two_arms(0.3, rng) if exploration is None else shop.explored_log(exploration, rng)


@pytest.mark.parametrize("exploration", [None, 0.1, 0.3, 1.0])
def test_the_standard_error_is_that_of_logs_drawn_again(exploration):
    estimates = np.array([difference(drawn(exploration, seed)) for seed in range(N_LOGS)])
    predicted = float(TRAFFIC.standard_error(designed(exploration), SHOP.lift, SHOP.days))

    # A standard deviation of n draws is known to 1 / √(2n), here 4 %.
    assert estimates.std(ddof=1) == pytest.approx(predicted, rel=3 / np.sqrt(2 * N_LOGS))
    assert abs(estimates.mean() - SHOP.rate * SHOP.lift) < 4 * predicted / np.sqrt(N_LOGS)


def test_users_taken_for_independent_rounds_would_promise_too_much():
    """The design effect is not decoration: without it the error of two arms is a fifth too small."""
    estimates = np.array([difference(drawn(None, seed)) for seed in range(N_LOGS)])
    spread = TwoArms(0.3).spread(SHOP.rate, SHOP.lift, SHOP.rho)
    naive = np.sqrt(spread.independent / (TRAFFIC.rounds_per_day * SHOP.days))

    assert estimates.std(ddof=1) > 1.1 * naive


@pytest.mark.parametrize("exploration", [None, 0.3])
def test_the_power_is_about_that_of_our_own_interval(exploration):
    n_logs = 20
    shown = np.mean([shows_gain(drawn(exploration, seed), seed, resamples=100) for seed in range(n_logs)])
    predicted = power(exploration)

    assert 0.5 < predicted < 0.95
    assert shown == pytest.approx(predicted, abs=3 * np.sqrt(predicted * (1 - predicted) / n_logs))


@pytest.mark.slow
@pytest.mark.parametrize("exploration", [None, 0.2, 0.3, 1.0])
def test_the_power_is_that_of_our_own_interval(exploration):
    n_logs = 500
    shown = np.mean([shows_gain(drawn(exploration, seed), seed) for seed in range(n_logs)])
    predicted = power(exploration)

    chance = 3 * np.sqrt(predicted * (1 - predicted) / n_logs)
    # Three standard errors of the frequency, and 3 points for a bootstrap of 200 resamples.
    assert shown == pytest.approx(predicted, abs=chance + 0.03)


def power(exploration: float | None) -> float:
    error = TRAFFIC.standard_error(designed(exploration), SHOP.lift, SHOP.days)
    return float(Asked().power_at(SHOP.rate * SHOP.lift, error))


def test_a_log_as_it_is_shows_what_its_own_propensities_allow():
    """Four items with propensities from 0.5 to 0.05, and a candidate that wants any of them in a round."""
    chances, n, rate = np.array([0.5, 0.3, 0.15, 0.05]), 4000, 0.3
    design = OffPolicy(logged_weights(float((1 / chances).mean())))
    traffic = Traffic(rate, n, UserGrowth.of_numbers(n, 1, 0.0, None))
    rng = np.random.default_rng(11)

    def estimate() -> float:
        wanted, logged = rng.integers(4, size=n), rng.choice(4, size=n, p=chances)
        reward = (rng.random(n) < np.where(wanted == logged, rate * 1.2, rate)).astype(float)
        weight = (wanted == logged) / chances[logged]
        # What is compared is the log itself, which shows what is wanted in a quarter of its rounds.
        return float(weight @ reward / weight.sum() - reward.mean())

    estimates = np.array([estimate() for _ in range(N_LOGS)])

    predicted = float(traffic.standard_error(design, 0.2, 1))
    assert estimates.std(ddof=1) == pytest.approx(predicted, rel=3 / np.sqrt(2 * N_LOGS))
