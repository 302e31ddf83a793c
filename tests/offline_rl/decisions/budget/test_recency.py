"""How long a memory predicts best."""

import numpy as np

from offline_rl.decisions.budget.recency import HALF_LIVES, best_half_life


def test_a_return_that_stands_still_is_remembered_for_ever() -> None:
    chosen = []
    for seed in range(10):
        expected = np.random.default_rng(seed).uniform(500, 1500, (1, 56))
        earned = np.random.default_rng(seed + 50).poisson(expected * 2).astype(np.float64)
        chosen.append(best_half_life(earned, expected))
    assert np.median(chosen) >= 28


def test_a_return_that_fell_two_weeks_ago_is_forgotten_within_days() -> None:
    expected = np.full((1, 56), 1000.0)
    earned = expected * np.where(np.arange(56) < 42, 2.0, 1.0)
    assert best_half_life(earned, expected) == min(HALF_LIVES)


def test_less_than_three_weeks_have_nothing_to_judge_by() -> None:
    assert best_half_life(np.arange(1.0, 21.0)[None], np.ones((1, 20))) == np.inf


def test_the_unit_of_money_and_rows_without_anything_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    expected = rng.uniform(1, 2, (2, 40))
    earned = expected * np.exp(rng.normal(0, 0.2, 40).cumsum())
    empty = np.zeros((1, 40))
    larger = best_half_life(np.vstack([earned, empty]) * 1e6, np.vstack([expected, empty]) * 1e6)
    assert larger == best_half_life(earned, expected)
