"""Bounds of the marginal sensitivity model: exact by brute force, right in a world with a hidden cause."""

from itertools import pairwise, product

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sensitivity.marginal_sensitivity import Bounds, LevelSums
from offline_rl.ope.sensitivity.resampled_bounds import Compared


def rounds_of(reward: Floats, propensity: Floats, evaluation_prob: Floats) -> EvaluationRounds:
    n = len(reward)
    return EvaluationRounds(
        reward=np.asarray(reward, dtype=float),
        propensity=np.asarray(propensity, dtype=float),
        evaluation_prob=np.asarray(evaluation_prob, dtype=float),
        cluster=np.arange(n),
        segment=np.zeros(n, dtype=np.int64),
    )


def value_bounds(rounds: EvaluationRounds, factor: float) -> Bounds:
    lower, upper = LevelSums.of(rounds).bounds(factor)
    return Bounds(float(lower), float(upper))


def difference_bounds(new: EvaluationRounds, old: EvaluationRounds | None, factor: float) -> Bounds:
    return Compared.on(new, old, n_resamples=1).difference(factor)


def by_brute_force(rounds: EvaluationRounds, factor: float) -> tuple[float, float]:
    """Least and largest Hajek value over all corners of the box of weights."""
    found = []
    for corner in product((1 / factor, factor), repeat=rounds.n):
        weight = rounds.evaluation_prob * (1 + (1 / rounds.propensity - 1) * np.array(corner))
        found.append((weight * rounds.reward).sum() / weight.sum())
    return min(found), max(found)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("factor", [1.0, 1.3, 4.0])
def test_the_bounds_are_those_of_all_corners(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    n = 4 + seed
    # Some rewards are equal, some below zero: any order of cuts is met.
    reward = rng.choice([-1.0, 0.0, 0.5, 2.0], n) if seed % 2 else rng.normal(size=n)
    rounds = rounds_of(reward, rng.uniform(0.05, 1.0, n), rng.uniform(0.0, 1.0, n))
    assert value_bounds(rounds, factor) == pytest.approx(by_brute_force(rounds, factor), rel=1e-12)


def test_odds_that_are_right_leave_one_value_which_is_snips() -> None:
    rng = np.random.default_rng(1)
    rounds = rounds_of(rng.integers(0, 2, 500), rng.uniform(0.1, 0.9, 500), rng.uniform(0, 1, 500))
    evaluated = evaluate({"new": rounds}, [from_name("snips")], n_resamples=2)
    lower, upper = value_bounds(rounds, 1.0)
    assert lower == upper
    assert lower == pytest.approx(evaluated.value("new", "snips"), rel=1e-14)


def test_a_larger_factor_never_narrows_the_bounds() -> None:
    rng = np.random.default_rng(2)
    rounds = rounds_of(rng.gamma(1.0, size=200), rng.uniform(0.02, 0.9, 200), rng.uniform(0, 1, 200))
    found = [value_bounds(rounds, factor) for factor in (1.0, 1.01, 1.5, 3.0, 10.0, 500.0)]
    assert all(later.lower <= earlier.lower for earlier, later in pairwise(found))
    assert all(later.upper >= earlier.upper for earlier, later in pairwise(found))
    assert all(rounds.reward.min() <= each.lower and each.upper <= rounds.reward.max() for each in found)


def hidden_world(n: int, seed: int, odds_ratio: float) -> tuple[EvaluationRounds, float]:
    """A policy of two actions that looks at a hidden coin, and its log with the chances without the coin.

    With heads action 1 has odds √G, with tails 1/√G; of all rounds it has a half, odds 1. So the true odds
    of each logged action are √G or 1/√G times those of the estimate. Action 1 pays 0.2 with tails, 0.8 with
    heads: it was shown where it pays. The policy that always plays it is worth 0.5 in truth.
    """
    rng = np.random.default_rng(seed)
    heads = rng.integers(0, 2, n)
    odds = np.where(heads == 1, odds_ratio**0.5, odds_ratio**-0.5)
    action = (rng.random(n) < odds / (1 + odds)).astype(int)
    reward = (rng.random(n) < np.where(action == 1, np.where(heads == 1, 0.8, 0.2), 0.3)).astype(float)
    return rounds_of(reward, np.full(n, 0.5), (action == 1).astype(float)), 0.5


@pytest.mark.parametrize("odds_ratio", [4.0, 9.0])
def test_a_hidden_cause_is_covered_from_its_own_factor_on(odds_ratio: float) -> None:
    rounds, truth = hidden_world(40_000, 3, odds_ratio)
    own = odds_ratio**0.5
    wrong = value_bounds(rounds, 1.0)
    assert wrong.lower > truth + 0.05
    for factor in (1.02 * own, 2 * own):
        lower, upper = value_bounds(rounds, factor)
        assert lower <= truth <= upper
    # No factor much below that of the world explains it: the bounds are not wide for nothing.
    assert value_bounds(rounds, own**0.5).lower > truth


def test_against_the_log_itself_only_the_policy_is_unsure() -> None:
    rng = np.random.default_rng(4)
    rounds = rounds_of(rng.integers(0, 2, 50), rng.uniform(0.1, 0.9, 50), rng.uniform(0, 1, 50))
    own, difference = value_bounds(rounds, 2.0), difference_bounds(rounds, None, 2.0)
    assert difference.lower == pytest.approx(own.lower - rounds.reward.mean())
    assert difference.upper == pytest.approx(own.upper - rounds.reward.mean())


def test_two_policies_are_each_taken_at_their_worst_which_holds_every_corner() -> None:
    rng = np.random.default_rng(5)
    n, factor = 8, 1.7
    reward, propensity = rng.normal(size=n), rng.uniform(0.1, 0.9, n)
    new, old = (rounds_of(reward, propensity, rng.uniform(0, 1, n)) for _ in range(2))
    lower, upper = difference_bounds(new, old, factor)
    for corner in product((1 / factor, factor), repeat=n):
        inverse = 1 + (1 / propensity - 1) * np.array(corner)
        of_new, of_old = (rounds.evaluation_prob * inverse for rounds in (new, old))
        shared = (of_new @ reward) / of_new.sum() - (of_old @ reward) / of_old.sum()
        assert lower - 1e-12 <= shared <= upper + 1e-12
    exact = difference_bounds(new, old, 1.0)
    assert exact.lower == pytest.approx(exact.upper, abs=1e-15)


def test_a_policy_that_plays_nothing_of_the_log_has_no_bounds() -> None:
    rounds = rounds_of(np.ones(3), np.full(3, 0.5), np.zeros(3))
    assert np.isnan(value_bounds(rounds, 2.0)).all()


@pytest.mark.parametrize("factor", [0.99, 0.0, float("nan"), float("inf")])
def test_a_factor_is_at_least_one(factor: float) -> None:
    rounds = rounds_of(np.ones(3), np.full(3, 0.5), np.ones(3))
    with pytest.raises(ValueError, match="from 1 on"):
        value_bounds(rounds, factor)
