"""Empirical likelihood and its closed-form sibling, the Cressie-Read estimator."""

import numpy as np
import pytest
from scipy.optimize import brentq

from offline_rl.ope.estimators.cressie_read import CressieRead
from offline_rl.ope.estimators.empirical_likelihood import EDGES, EmpiricalLikelihood, dual, exact
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds, Floats
from tests.laws.estimators import value
from tests.offline_rl.ope.worlds import World


def weighted_log(weight: Floats, reward: Floats) -> EvaluationRounds:
    n, largest = len(weight), max(1.0, float(weight.max()))
    return EvaluationRounds(
        reward=reward,
        propensity=np.full(n, 1 / largest),
        evaluation_prob=weight / largest,
        cluster=np.arange(n),
        segment=np.zeros(n, dtype=int),
    )


def heavy(seed: int, n: int = 4000) -> tuple[Floats, Floats]:
    """Lognormal weights of mean 1 and a maximum near 60, and clicks that go with them."""
    rng = np.random.default_rng(seed)
    weight = np.exp(rng.normal(-0.72, 1.2, n))
    return weight, (rng.random(n) < 0.3 + 0.4 * (weight > 1)).astype(float)


@pytest.mark.parametrize("seed", range(4))
def test_the_exact_value_is_that_of_the_likeliest_probabilities(seed: int) -> None:
    weight, reward = heavy(seed, 300)
    poles = -1 / (weight.max() - 1), -1 / (weight.min() - 1)
    width = poles[1] - poles[0]
    beta = brentq(
        lambda b: ((weight - 1) / (1 + b * (weight - 1))).sum(),
        poles[0] + 1e-9 * width,
        poles[1] - 1e-9 * width,
        xtol=1e-15,
    )
    probability = 1 / (1 + beta * (weight - 1)) / len(weight)
    assert probability.sum() == pytest.approx(1)
    assert probability @ weight == pytest.approx(1)
    assert exact(weight, reward) == pytest.approx(probability @ (weight * reward), rel=1e-9)


def test_a_weight_an_octave_is_exact() -> None:
    rng = np.random.default_rng(0)
    weight = rng.choice([0.0, 0.3, 0.7, 1.2, 3.0, 40.0], 500, p=[0.3, 0.2, 0.2, 0.2, 0.09, 0.01])
    reward = rng.normal(size=500)
    grouped = value(EmpiricalLikelihood(), weighted_log(weight, reward))
    assert grouped == pytest.approx(exact(weight, reward), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_octaves_cost_a_small_part_of_the_standard_error(seed: int) -> None:
    weight, reward = heavy(seed)
    rounds = weighted_log(weight, reward)
    snips = value(from_name("snips"), rounds)
    standard_error = np.sqrt(np.square(weight * (reward - snips)).sum()) / weight.sum()
    gap = abs(value(EmpiricalLikelihood(), rounds) - exact(weight, reward))
    assert gap < 0.05 * standard_error


@pytest.mark.parametrize("seed", range(5))
def test_values_stay_within_the_rewards(seed: int) -> None:
    weight, _ = heavy(seed, 40)
    reward = np.where(weight > 1, 5.0, 4.0)
    assert 4 <= value(EmpiricalLikelihood(), weighted_log(weight, reward)) <= 5


def test_likelihood_and_regression_agree_in_a_long_log() -> None:
    weight, reward = heavy(0, 100_000)
    rounds = weighted_log(weight, reward)
    likelihood, regression = value(EmpiricalLikelihood(), rounds), value(CressieRead(), rounds)
    assert abs(likelihood - regression) < 0.1 * abs(regression - value(from_name("ips"), rounds))


def test_regression_is_read_at_weight_1() -> None:
    weight, reward = heavy(1, 500)
    slope, at_zero = np.polyfit(weight, weight * reward, 1)
    assert value(CressieRead(), weighted_log(weight, reward)) == pytest.approx(at_zero + slope, rel=1e-9)


@pytest.mark.parametrize("estimator", [EmpiricalLikelihood(), CressieRead()], ids=lambda e: e.name)
def test_the_known_mean_weight_saves_variance(estimator: EmpiricalLikelihood | CressieRead) -> None:
    world = World(level=0.8, evaluated_taste=2.0)
    logs = [world.log(500, seed) for seed in range(150)]
    ours, ips = np.array([[value(e, log) for e in (estimator, from_name("ips"))] for log in logs]).T
    assert ours.std() < 0.7 * ips.std()


def test_no_probabilities_give_the_mean_weight_1() -> None:
    low = weighted_log(np.array([0.2, 0.5, 0.9]), np.ones(3))
    assert np.isnan(value(EmpiricalLikelihood(), low))
    assert np.isnan(value(CressieRead(), weighted_log(np.full(3, 0.5), np.ones(3))))


def test_equal_weights_of_1_leave_the_mean() -> None:
    rounds = weighted_log(np.ones(4), np.array([1.0, 2.0, 3.0, 6.0]))
    assert value(EmpiricalLikelihood(), rounds) == value(CressieRead(), rounds) == 3.0


def test_1_parts_two_octaves() -> None:
    # Else weights such as 0.9 and 1.1 would share a p and could not be tilted.
    assert 1.0 in EDGES
    rounds = weighted_log(np.array([0.9, 1.1, 1.1]), np.array([0.0, 1.0, 1.0]))
    # p = 1/2 for 0.9 and 1/4 for each 1.1.
    assert value(EmpiricalLikelihood(), rounds) == pytest.approx(0.55)


def test_the_dual_is_solved_next_to_its_poles() -> None:
    """One huge weight among many small ones."""
    excess = np.array([[-1.0, 1e6], [-1e-6, 1e6], [-0.5, 1e-6]])
    count = np.array([[1e6, 1.0], [10.0, 1.0], [1.0, 1e6]])
    tilt = dual(count, excess)
    gradient = (count * excess / (1 + tilt[:, np.newaxis] * excess)).sum(axis=1)
    scale = np.abs(count * excess / (1 + tilt[:, np.newaxis] * excess)).sum(axis=1)
    assert (np.abs(gradient) < 1e-6 * scale).all()
