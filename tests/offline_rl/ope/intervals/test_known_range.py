"""What all intervals obey that rest on true bounds, and what sets each apart."""

from dataclasses import replace
from math import inf, log, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import beta, f

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.clopper_pearson import weighted_clopper_pearson_interval
from offline_rl.ope.intervals.confidence_sequence import (
    coefficients,
    confidence_sequence,
    portfolios,
)
from offline_rl.ope.intervals.cressie_read import cressie_read_interval, profile_interval
from offline_rl.ope.intervals.empirical_bernstein import empirical_bernstein_interval
from offline_rl.ope.intervals.known_range import KnownRange
from offline_rl.ope.records import Floats
from tests.offline_rl.ope.coverage_study import ByBounds
from tests.offline_rl.ope.worlds import World, coin_log

WORLD = World()
MAX_WEIGHT = float((WORLD.evaluated / WORLD.logging).max())
BOUNDS = KnownRange(0, 1, MAX_WEIGHT)
ALL = [
    empirical_bernstein_interval,
    weighted_clopper_pearson_interval,
    cressie_read_interval,
    confidence_sequence,
]
every = pytest.mark.parametrize("interval", ALL, ids=lambda interval: interval.__name__)


@every
def test_it_holds_the_truth_and_narrows(interval: ByBounds) -> None:
    widths = []
    for n in (300, 3000):
        found = interval(WORLD.log(n, seed=1), BOUNDS, 0.95)
        assert found.lower < WORLD.truth < found.upper
        widths.append(found.upper - found.lower)
    assert widths[1] < 0.5 * widths[0]


@every
def test_more_confidence_is_wider(interval: ByBounds) -> None:
    rounds = WORLD.log(2000, seed=2)
    narrow, wide = interval(rounds, BOUNDS, 0.8), interval(rounds, BOUNDS, 0.99)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


@every
def test_rewards_in_another_unit_move_and_scale_the_interval(interval: ByBounds) -> None:
    rounds = WORLD.log(1000, seed=3)
    one = interval(rounds, BOUNDS, 0.95)
    other = interval(
        replace(rounds, reward=300 * rounds.reward - 100), KnownRange(-100, 200, MAX_WEIGHT), 0.95
    )
    assert (other.lower, other.upper) == pytest.approx((300 * one.lower - 100, 300 * one.upper - 100))


@every
def test_the_order_of_rounds_is_irrelevant(interval: ByBounds) -> None:
    rounds = WORLD.log(1500, seed=4)
    shuffled = rounds.select(np.random.default_rng(0).permutation(rounds.n))
    one, other = interval(rounds, BOUNDS, 0.95), interval(shuffled, BOUNDS, 0.95)
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), abs=1e-9)


@every
def test_the_range_is_the_callers_and_never_the_samples(interval: ByBounds) -> None:
    # Nobody earned a thing, so the sample's range is a point; the true one is not.
    rounds = coin_log(200, 0.5, reward=np.zeros(200))
    found = interval(rounds, KnownRange(0, 1, 8.0), 0.95)
    assert found.lower == 0
    assert found.upper > 0.01
    farther = interval(rounds, KnownRange(0, 1, 80.0), 0.95)
    assert farther.upper >= found.upper * (1 - 1e-12)


@every
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"reward": np.r_[np.zeros(7), 1.5]}, "^row 7: reward is 1.5, beyond the bound of 0 to 1"),
        ({"propensity": np.r_[0.001, np.full(7, 0.5)]}, "^row 0: weight is 500, beyond the bound of 4"),
        ({"cluster": np.arange(8) // 2}, "independent rounds"),
    ],
)
def test_rounds_that_break_an_assumption_are_refused(
    interval: ByBounds, columns: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        interval(coin_log(8, 0.5, **columns), KnownRange(0, 1, 4), 0.95)


@every
def test_one_round_and_no_confidence_are_refused(interval: ByBounds) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        interval(coin_log(1, 0.5), BOUNDS, 0.95)
    with pytest.raises(ValueError, match="share between 0 and 1"):
        interval(coin_log(8, 0.5), BOUNDS, 95)


@pytest.mark.parametrize("interval", ALL[:2], ids=lambda interval: interval.__name__)
def test_without_a_bound_on_the_weights_there_is_no_interval(interval: ByBounds) -> None:
    with pytest.raises(ValueError, match="needs a bound on the weights"):
        interval(coin_log(8, 0.5), KnownRange(0, 1, inf), 0.95)


@pytest.mark.parametrize("bounds", [(1, 1, 5), (2, 1, 5), (0, inf, 5), (0, 1, 0.5), (0, 1, np.nan)])
def test_bounds_that_bound_nothing_are_refused(bounds: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"has no range|max_weight"):
        KnownRange(*bounds)


def test_an_interval_beyond_all_rewards_is_none() -> None:
    assert np.isnan(KnownRange(0, 1, 5).scaled(Interval(1.2, 1.4)).lower)
    assert KnownRange(-2, 2, 5).scaled(Interval(-0.5, 0.5)) == Interval(-2.0, 0.0)


def test_empirical_bernstein_by_its_formula() -> None:
    rounds = WORLD.log(400, seed=5)
    z = rounds.weight * rounds.reward / MAX_WEIGHT
    half = sqrt(2 * z.var(ddof=1) * log(80) / 400) + 7 * log(80) / (3 * 399)
    found = empirical_bernstein_interval(rounds, BOUNDS, 0.95)
    assert found.lower == pytest.approx(max(0.0, MAX_WEIGHT * (z.mean() - half)))
    assert found.upper == pytest.approx(min(1.0, MAX_WEIGHT * (z.mean() + half)))
    # Of two slips made elsewhere, √(ln(2/δ)/2 · n) would span everything and the sample's maximum less.
    assert found.upper - found.lower < 1
    assert (rounds.weight * rounds.reward).max() < MAX_WEIGHT * (1 + 1e-9)


def test_clopper_pearson_of_weighted_successes() -> None:
    rounds = WORLD.log(400, seed=6)
    successes = float(rounds.weight @ rounds.reward) / MAX_WEIGHT
    found = weighted_clopper_pearson_interval(rounds, BOUNDS, 0.95)
    assert found.lower == pytest.approx(MAX_WEIGHT * beta.ppf(0.025, successes, 401 - successes))
    assert found.upper == pytest.approx(MAX_WEIGHT * beta.ppf(0.975, successes + 1, 400 - successes))


def worst_reweighting(w: Floats, wr: Floats, spendable: float | None, sign: int) -> float:
    """Least divergence Σ u², or with some to spend the least sign · Σ q w r, by a general optimizer."""
    mean_is_1: list[dict[str, object]] = [
        {"type": "eq", "fun": lambda u: u.sum()},
        {"type": "eq", "fun": lambda u: ((1 + u) * w).mean() - 1},
    ]
    closest = minimize(lambda u: u @ u, np.zeros(len(w)), constraints=mean_is_1, tol=1e-12)
    if spendable is None:
        return float(closest.fun)
    near = {"type": "ineq", "fun": lambda u: spendable - u @ u}
    worst = minimize(
        lambda u: sign * ((1 + u) * wr).mean(),
        closest.x,
        constraints=[*mean_is_1, near],
        tol=1e-12,
        options={"maxiter": 500},
    )
    return sign * float(worst.fun)


@pytest.mark.parametrize("seed", range(3))
def test_cressie_read_is_the_optimum_over_reweighted_logs(seed: int) -> None:
    rounds = WORLD.log(12, seed)
    ends = []
    for unseen_reward, sign in ((0.0, 1), (1.0, -1)):
        weights = [np.r_[rounds.weight, unseen] for unseen in (0.0, MAX_WEIGHT)]
        reward = np.r_[rounds.reward, unseen_reward]
        least = min(worst_reweighting(w, w * reward, None, sign) for w in weights)
        spendable = f.isf(0.05, 1, 12) + least
        ends.append(min(sign * worst_reweighting(w, w * reward, spendable, sign) for w in weights))
    interval = profile_interval(rounds.weight, rounds.reward, MAX_WEIGHT, 0.95)
    assert (interval.lower, interval.upper) == pytest.approx((ends[0], -ends[1]), abs=1e-5)


def test_cressie_read_of_a_log_without_a_click_is_no_point() -> None:
    found = cressie_read_interval(coin_log(200, 0.5, reward=np.zeros(200)), KnownRange(0, 1, 8.0), 0.95)
    assert (found.lower, found.upper) == (0.0, pytest.approx(1 - 0.025 ** (1 / 200)))


def test_cressie_read_needs_no_bound_on_the_weights() -> None:
    rounds = WORLD.log(2000, seed=7)
    limit = cressie_read_interval(rounds, KnownRange(0, 1, inf))
    large = cressie_read_interval(rounds, KnownRange(0, 1, 1e9))
    assert (limit.lower, limit.upper) == pytest.approx((large.lower, large.upper), abs=1e-5)
    assert limit.lower < WORLD.truth < limit.upper


@pytest.mark.parametrize("max_weight", [MAX_WEIGHT, 3 * MAX_WEIGHT, inf])
def test_no_portfolio_gains_on_average_at_the_truth(max_weight: float) -> None:
    factors = coefficients(portfolios(max_weight), max_weight, WORLD.truth)
    mean = np.zeros(len(factors))
    for x in range(3):
        for a in range(4):
            w, p = WORLD.evaluated[x, a] / WORLD.logging[x, a], WORLD.reward_probability[x, a]
            for r, chance in ((0, 1 - p), (1, p)):
                outcome = factors @ [1, w, w * r]
                assert (outcome > 0).all()
                mean += WORLD.logging[x, a] / 3 * chance * outcome
    # Ville's inequality requires exactly this, and nothing else.
    assert mean == pytest.approx(np.ones(len(factors)), rel=1e-12)


@pytest.mark.parametrize("v", [0.01, 0.3, 0.98])
@pytest.mark.parametrize("max_weight", [1.0, 2.5, inf])
def test_no_portfolio_can_lose_more_than_it_has(v: float, max_weight: float) -> None:
    factors = coefficients(portfolios(max_weight), max_weight, v)
    largest = min(max_weight, 1e6)
    for w in (0.0, largest):
        for r in (0.0, 1.0):
            assert (factors @ [1, w, w * r] > 0).all()


def test_following_few_portfolios_never_narrows_and_hardly_widens(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = World(level=0.3, logged_taste=4.0).log(3000, seed=8)
    few = confidence_sequence(rounds, KnownRange(0, 1, 60.0))
    monkeypatch.setattr("offline_rl.ope.intervals.confidence_sequence.SHORTLIST_ABOVE", 10_000)
    all_of_them = confidence_sequence(rounds, KnownRange(0, 1, 60.0))
    assert few.lower <= all_of_them.lower + 1e-3 * 0.25
    assert few.upper >= all_of_them.upper - 1e-3 * 0.25
    assert few.upper - few.lower < 1.1 * (all_of_them.upper - all_of_them.lower)


def test_weights_that_cannot_average_to_1_refute_every_value() -> None:
    too_heavy = coin_log(2000, 0.5, propensity=np.full(2000, 0.1))
    assert np.isnan(confidence_sequence(too_heavy, KnownRange(0, 1, 10.0)).lower)


def test_whoever_stops_when_it_suits_him_is_seldom_right() -> None:
    """Look after every round from the 20th to the 400th: a bettor's capital at the truth, all along."""
    v, factors = WORLD.truth, coefficients(portfolios(MAX_WEIGHT), MAX_WEIGHT, WORLD.truth)
    refuted_once, wald_once = 0, 0
    for seed in range(300):
        rounds = WORLD.log(400, seed)
        z = rounds.weight * rounds.reward
        path = np.log(factors @ np.stack([np.ones(400), rounds.weight, z])).cumsum(axis=1)
        log_capital = logsumexp(path, axis=0) - log(len(factors))
        refuted_once += bool((log_capital >= log(20)).any())
        n = np.arange(1, 401)
        mean = z.cumsum() / n
        spread = np.sqrt(np.maximum((z**2).cumsum() / n - mean**2, 0) / n)
        wald_once += bool((np.abs(mean - v) > 1.96 * spread)[19:].any())
    assert refuted_once / 300 <= 0.05
    assert wald_once / 300 > 0.15
