"""What days have in common, on paper and in noise."""

import numpy as np
import pytest

from offline_rl.decisions.budget.daily_factor import factor_of_others, levels_and_factors, within_weeks
from offline_rl.decisions.budget.log_weeks import on_each_day, sums_of_weeks, week_starts


def test_weeks_end_with_the_log_and_their_sums_add_up() -> None:
    values = np.arange(30.0)
    assert week_starts(17).tolist() == [0, 3, 10]
    assert sums_of_weeks(values[:17]).tolist() == [3.0, 42.0, 91.0]
    assert on_each_day(np.array([1.0, 2.0]), 9).tolist() == [1.0] * 2 + [2.0] * 7


def test_levels_and_factors_are_found_where_cells_pause_on_different_days() -> None:
    rng = np.random.default_rng(0)
    level, factor = rng.uniform(1, 5, 6), rng.uniform(0.5, 2, 40)
    effective = rng.uniform(10, 90, (6, 40)) * (rng.random((6, 40)) > 0.3)
    found, days = levels_and_factors(level[:, None] * effective * factor, effective, np.ones(6))
    assert found / found[0] == pytest.approx(level / level[0], rel=1e-4)
    assert days / days[0] == pytest.approx(factor / factor[0], rel=1e-4)


def test_a_day_without_revenue_anywhere_has_factor_zero_and_one_without_spend_has_one() -> None:
    effective = np.array([[10.0, 10.0, 0.0]])
    _, factor = levels_and_factors(np.array([[20.0, 0.0, 0.0]]), effective, np.ones(1))
    assert factor[1:].tolist() == [0.0, 1.0]


def test_one_cell_has_no_others_to_learn_a_day_from() -> None:
    revenue = np.random.default_rng(1).uniform(50, 150, (1, 28))
    fitted = within_weeks(revenue, np.ones((1, 28)))
    assert factor_of_others(revenue, fitted, np.ones(1)).tolist() == [[1.0] * 28]


def test_a_good_day_of_the_others_is_seen() -> None:
    rng = np.random.default_rng(2)
    shock = np.exp(rng.normal(0, 0.3, 56))
    revenue = 1000 * shock * np.exp(rng.normal(0, 0.05, (30, 56)))
    fitted = within_weeks(revenue, np.ones_like(revenue))
    found = factor_of_others(revenue, fitted, np.full(30, 0.05**2 * 1000))
    assert found[0] == pytest.approx((revenue / fitted)[0], abs=0.2)
    assert np.corrcoef(found[0], shock / on_each_day(sums_of_weeks(shock) / 7, 56))[0, 1] > 0.98


def test_noise_that_cells_do_not_share_is_no_factor() -> None:
    revenue = 1000 * np.exp(np.random.default_rng(3).normal(0, 0.3, (30, 56)))
    fitted = within_weeks(revenue, np.ones_like(revenue))
    found = factor_of_others(revenue, fitted, np.full(30, 0.3**2 * 1000))
    assert np.abs(found - 1).mean() < 0.03
