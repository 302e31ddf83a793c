"""Back-test: fit on all but the last days, predict what their spend earned, and measure the miss.

Beside the curves stand two predictions that any spreadsheet makes, each from the cell's own last seven days
with spend before the predicted week:

* `same_revenue`: a day with spend earns what such a day earned last week, whatever is spent;
* `same_return`: a cent earns what a cent earned last week.

Where the curves don't predict better than these they have no claim to be followed far.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts.budget import BudgetBacktest
from offline_rl.decisions.budget.log_weeks import WEEK
from offline_rl.decisions.budget.response_curves import (
    ResponseCurves,
    SpendHistory,
    draw_response_curves,
    fit_response_curves,
)

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

CURVES, RIVALS = "curves", ("same_revenue", "same_return")

_WEEKS = 6
_FEWEST_DAYS = 2 * WEEK
_DRAWS = 100


@dataclass(frozen=True)
class WeekTested:
    """One held-out week: what was predicted and earned, cents per cell over its days with spend, [cells].

    first, last: the days held out, as indices. is_compared: cells that all three methods can predict.
    predicted: by method. variance: of what the curves predict, from the draws and from the noise of days.
    """

    first: int
    last: int
    is_compared: Mask
    earned: Array
    predicted: dict[str, Array]
    variance: Array
    variance_of_sum: float

    def miss(self, method: str) -> float:
        """Sum over cells of what the method missed, in cents."""
        return float(np.abs(self.predicted[method] - self.earned)[self.is_compared].sum())


def backtest(history: SpendHistory, *, seed: int) -> tuple[WeekTested, ...]:
    """Hold out each of the last six weeks in turn, the newest first, as far as two weeks are left to fit on.

    Weeks in which nothing was earned or no cell can be compared are left out.
    """
    n_days = history.spend.shape[1]
    ends = [n_days - WEEK * week for week in range(_WEEKS)]
    tested = (_tested(history, end, seed) for end in ends if end - WEEK >= _FEWEST_DAYS)
    return tuple(
        week for week in tested if week.is_compared.any() and week.earned[week.is_compared].sum() > 0
    )


def predicts_better(weeks: tuple[WeekTested, ...]) -> bool:
    """Whether the curves missed less than both rivals over all weeks; False where no week was tested."""
    misses = {method: sum(week.miss(method) for week in weeks) for method in (CURVES, *RIVALS)}
    return bool(weeks) and all(misses[CURVES] < misses[rival] for rival in RIVALS)


def backtest_rows(weeks: tuple[WeekTested, ...], days: tuple[date, ...]) -> pl.DataFrame:
    """Return one row per held-out week and method; money is a mean per day of the week."""
    rows = [
        {
            "method": method,
            "held_out_from": days[week.first],
            "held_out_to": days[week.last],
            "n_cells": int(week.is_compared.sum()),
            "predicted_revenue_cents": round(predicted / WEEK),
            "earned_revenue_cents": round(earned / WEEK),
            "miss_share": predicted / earned - 1.0,
            "cell_miss_share": week.miss(method) / earned,
        }
        for week in weeks
        for method in (CURVES, *RIVALS)
        for predicted in [float(week.predicted[method][week.is_compared].sum())]
        for earned in [float(week.earned[week.is_compared].sum())]
    ]
    schema = {name: kind.dtype for name, kind in BudgetBacktest.columns().items() if name in _COLUMNS}
    return pl.DataFrame(rows, schema=schema)


_COLUMNS = (
    "method",
    "held_out_from",
    "held_out_to",
    "n_cells",
    "predicted_revenue_cents",
    "earned_revenue_cents",
    "miss_share",
    "cell_miss_share",
)


def _tested(history: SpendHistory, end: int, seed: int) -> WeekTested:
    start = end - WEEK
    before = SpendHistory(history.spend[:, :start], history.revenue[:, :start], history.channel)
    spend = history.spend[:, start:end]
    earned = np.where(spend > 0, history.revenue[:, start:end], 0.0).sum(1)
    fit = fit_response_curves(before)
    drawn = _revenue_of_week(draw_response_curves(before, fit, n_draws=_DRAWS, seed=seed), spend)
    curves = _revenue_of_week(fit.curves, spend)
    is_compared = np.logical_and((before.spend > 0).any(1), (spend > 0).any(1))
    noise = fit.dispersion * curves
    return WeekTested(
        first=start,
        last=end - 1,
        is_compared=is_compared,
        earned=earned,
        predicted={CURVES: curves, **_rivals(before, spend)},
        variance=drawn.var(0) + noise,
        variance_of_sum=float(drawn[:, is_compared].sum(1).var() + noise[is_compared].sum()),
    )


def _revenue_of_week(curves: ResponseCurves, spend: Array) -> Array:
    return np.asarray(sum(curves.revenue(spend[:, day]) for day in range(spend.shape[1])))


def _rivals(before: SpendHistory, spend: Array) -> dict[str, Array]:
    """Predictions from each cell's last seven days with spend."""
    is_spent = before.spend > 0
    # Days with spend, counted from the end: the last seven have counts 1 to 7.
    from_end = is_spent[:, ::-1].cumsum(1)[:, ::-1]
    recent = is_spent & (from_end <= WEEK)
    earned, spent = (before.revenue * recent).sum(1), (before.spend * recent).sum(1)
    n_days = np.maximum(recent.sum(1), 1)
    per_cent = np.divide(earned, spent, out=np.zeros_like(earned), where=spent > 0)
    return {
        "same_revenue": earned / n_days * (spend > 0).sum(1),
        "same_return": per_cent * spend.sum(1),
    }
