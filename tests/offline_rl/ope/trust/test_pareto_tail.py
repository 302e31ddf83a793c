from math import exp, floor, inf, isnan, log, log1p, sqrt

import numpy as np
import pytest

from offline_rl.ope.records import Floats
from offline_rl.ope.trust.pareto_tail import pareto_k, tail_index, tail_size, top_weight_share


def generalized_pareto(k: float, n: int, seed: int) -> Floats:
    """Draws with distribution function 1 − (1 + k x)^(−1/k)."""
    uniform = np.random.default_rng(seed).random(n)
    return -np.log(uniform) if k == 0 else (uniform**-k - 1) / k


def plainly_fitted(weight: Floats) -> float:
    """Zhang & Stephens 2009 with the prior of Vehtari et al. 2024, written down line by line."""
    descending = sorted(weight.tolist(), reverse=True)
    size = tail_size(len(descending))
    x = sorted(value - descending[size] for value in descending[:size])
    n, m = len(x), 30 + floor(sqrt(len(x)))
    quartile = x[floor(n / 4 + 0.5) - 1]
    candidates = [1 / x[-1] + (1 - sqrt(m / (j - 0.5))) / (3 * quartile) for j in range(1, m + 1)]
    shapes = [sum(log1p(-b * value) for value in x) / n for b in candidates]
    profile = [n * (log(-b / k) - k - 1) for b, k in zip(candidates, shapes, strict=True)]
    weights = [1 / sum(exp(min(other - own, 700)) for other in profile) for own in profile]
    b = sum(w * b for w, b in zip(weights, candidates, strict=True))
    k = sum(log1p(-b * value) for value in x) / n
    return (n * k + 10 * 0.5) / (n + 10)


@pytest.mark.parametrize("k", [-0.3, 0.0, 0.3, 0.7, 1.2])
def test_the_index_of_simulated_tails_is_recovered(k: float) -> None:
    found = [pareto_k(generalized_pareto(k, 20_000, seed)) for seed in range(40)]
    # The prior's 10 of 435 observations draw k = 1.2 down by 0.02, and k = -0.3 up by as much.
    assert np.mean(found) == pytest.approx(k, abs=0.06)
    # The asymptotic standard deviation of the maximum likelihood estimate is (1 + k) / √size (Smith 1987).
    assert np.std(found) < 1.3 * (1 + k) / sqrt(tail_size(20_000)) + 0.01


@pytest.mark.parametrize("n", [40, 900, 5000])
@pytest.mark.parametrize("k", [-0.3, 0.2, 0.9])
def test_the_fit_is_that_of_the_paper(k: float, n: int) -> None:
    weight = generalized_pareto(k, n, seed=n)
    assert pareto_k(weight) == pytest.approx(plainly_fitted(weight), rel=1e-9)


def test_the_unit_and_the_order_of_weights_are_irrelevant() -> None:
    weight = np.random.default_rng(1).lognormal(0, 2, 3000)
    for scale in (1e-200, 1e-3, 7.0, 1e200):
        assert pareto_k(scale * weight) == pytest.approx(pareto_k(weight), rel=1e-9)
    assert pareto_k(weight[::-1]) == pareto_k(weight)


def test_the_largest_weights_are_all_it_takes() -> None:
    weight = np.random.default_rng(2).lognormal(0, 2, 3000)
    kept = np.sort(weight)[-tail_size(3000) - 1 :]
    assert tail_index(kept) == pareto_k(weight)


def test_heavier_weights_have_a_larger_index() -> None:
    normal = np.random.default_rng(3).normal(size=10_000)
    indices = [pareto_k(np.exp(spread * normal)) for spread in (0.5, 1, 2, 4)]
    assert indices == sorted(indices)
    assert indices[1] < 0.5 and indices[-1] > 1


@pytest.mark.parametrize(
    "weight",
    [np.ones(1000), np.zeros(1000), np.r_[np.zeros(900), np.full(100, 80.0)], np.ones(1)],
    ids=["equal", "no overlap", "one large value for all of the tail", "a single round"],
)
def test_a_tail_that_is_a_wall_is_not_heavy(weight: Floats) -> None:
    assert pareto_k(weight) == -inf


def test_rounding_is_not_a_tail() -> None:
    rounded = 1 + 1e-7 * np.random.default_rng(4).normal(size=1000)
    assert pareto_k(rounded) == -inf


def test_ties_within_the_tail_are_fitted() -> None:
    # 120 weights of 50 above a bulk of ones: the grid of 40 candidates then holds b = 0.
    assert pareto_k(np.r_[np.ones(9880), np.full(110, 50.0)]) < 0
    assert pareto_k(np.r_[np.ones(9880), np.full(60, 50.0), np.full(60, 51.0)]) < 0


def test_a_handful_of_large_weights_is_too_few_to_know() -> None:
    assert isnan(pareto_k(np.r_[np.ones(996), [2.0, 3.0, 4.0, 5.0]]))
    assert not isnan(pareto_k(np.r_[np.ones(995), [2.0, 3.0, 4.0, 5.0, 6.0]]))
    assert isnan(pareto_k(np.array([1.0, 2.0])))


@pytest.mark.parametrize(("n", "size"), [(1, 1), (25, 5), (225, 45), (900, 90), (1_000_000, 3000)])
def test_the_tail_grows_with_the_root_of_the_log(n: int, size: int) -> None:
    assert tail_size(n) == size


def test_the_share_of_the_largest_hundredth() -> None:
    assert top_weight_share(np.ones(1000)) == pytest.approx(0.01)
    assert top_weight_share(np.r_[np.zeros(999), 5.0]) == 1
    assert top_weight_share(np.array([1.0, 3.0])) == 0.75
    assert top_weight_share(np.zeros(10)) == 0
