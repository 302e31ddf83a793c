"""Held-out weeks: predicted from the days before, beside two plain predictions."""

from datetime import date, timedelta

import numpy as np
import pytest

from features.contracts.budget import BudgetBacktest
from offline_rl.decisions.budget.backtest import backtest, backtest_rows, predicts_better
from offline_rl.decisions.budget.response_curves import SpendHistory
from tests.offline_rl.decisions.budget.test_response_curves import simulated

ONE = np.zeros(1, np.int64)


def test_plain_predictions_on_paper() -> None:
    """Last week: 100 a day earn 200. The held-out week spends 50 on four days and earns 90 on each."""
    spend = np.full((1, 28), 100.0)
    revenue = np.where(np.arange(28) < 14, 300.0, 200.0)[None]
    spend[0, 21:] = [50, 0, 50, 0, 50, 0, 50]
    revenue[0, 21:] = np.where(spend[0, 21:] > 0, 90.0, 0.0)
    newest, before = backtest(SpendHistory(spend, revenue, ONE), seed=0)
    assert (newest.first, newest.last, before.first) == (21, 27, 14)
    assert newest.earned.tolist() == [360.0]
    assert newest.predicted["same_revenue"].tolist() == [800.0]
    assert newest.predicted["same_return"].tolist() == [400.0]
    assert newest.miss("same_return") == 40.0


def test_what_comes_after_the_fit_does_not_change_the_prediction() -> None:
    history, _ = simulated(0, n_cells=6)
    later = history.revenue.copy()
    later[:, -7:] *= 5
    plain, changed = (
        backtest(SpendHistory(history.spend, revenue, history.channel), seed=0)[0]
        for revenue in (history.revenue, later)
    )
    assert (plain.predicted["curves"] == changed.predicted["curves"]).all()
    assert changed.earned == pytest.approx(5 * plain.earned)


def test_where_curves_hold_they_predict_better_than_either_rival() -> None:
    history, _ = simulated(1)
    assert predicts_better(backtest(history, seed=0))


def test_where_revenue_has_nothing_to_do_with_spend_last_week_predicts_better() -> None:
    rng = np.random.default_rng(4)
    spend = rng.lognormal(9, 0.5, (8, 42))
    revenue = np.repeat(rng.lognormal(10, 0.5, (8, 1)), 42, axis=1)
    assert not predicts_better(backtest(SpendHistory(spend, revenue, np.zeros(8, np.int64)), seed=0))


@pytest.mark.parametrize("n_days", [1, 7, 20])
def test_a_short_log_holds_nothing_out(n_days: int) -> None:
    history = SpendHistory(np.full((1, n_days), 9.0), np.full((1, n_days), 9.0), ONE)
    assert backtest(history, seed=0) == ()
    assert not predicts_better(())
    assert backtest_rows((), ()).is_empty()


def test_a_cell_that_began_in_the_held_out_week_is_not_judged_there() -> None:
    history, _ = simulated(2, n_cells=4)
    history.spend[3, :-5] = 0.0
    weeks = backtest(history, seed=0)
    assert weeks[0].is_compared.tolist() == [True, True, True, False]


def test_rows_are_means_per_day_and_satisfy_the_contract() -> None:
    history, _ = simulated(3, n_cells=5)
    weeks = backtest(history, seed=0)
    days = tuple(date(2026, 1, 1) + timedelta(days=day) for day in range(42))
    rows = backtest_rows(weeks, days)
    assert rows.height == 3 * len(weeks) == 12
    newest = rows.row(0, named=True)
    assert (newest["held_out_from"], newest["held_out_to"]) == (date(2026, 2, 5), date(2026, 2, 11))
    assert newest["earned_revenue_cents"] == pytest.approx(history.revenue[:, -7:].sum() / 7, rel=0.2)
    miss = rows["predicted_revenue_cents"] / rows["earned_revenue_cents"] - 1
    assert (miss - rows["miss_share"]).abs().max() < 1e-3
    assert set(rows.columns) <= set(BudgetBacktest.column_names())
