"""The daily spend log as arrays, and what each cell spends today.

A day without a row means one of three things, and they are kept apart:

* the channel's log ends before the shop's and lacks a weekday that it usually has: not known yet, so the
  cell's days end there too;
* the cell has rows before and after, or its channel goes on without it: a pause, nothing was spent;
* before the cell's first row it did not exist.

Days on which the shop logged nothing at all are no days. Revenue of a day without spend belongs to the last
day with spend, if that was at most a week before: orders follow ads, and the weekend's would else be lost.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.errors import InputDataError
from offline_rl.decisions.budget.largest_remainder import Cents, whole_cents
from offline_rl.decisions.budget.log_weeks import WEEK
from offline_rl.decisions.budget.response_curves import SpendHistory
from offline_rl.decisions.budget_settings import BudgetSettings

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CELL_KEY = ["campaign_id", "channel", "segment_id"]


@dataclass(frozen=True)
class SpendLog:
    """The log of the last days; cells in the order of their keys, days oldest first.

    days: the dates that stand for the columns of `history`. conversions: of the whole log, [cells].
    first_day, last_day: index of the first and last day that the cell's log knows, [cells].
    current_cents: mean spend of a day now, days without spend included, over the cell's last known days; the
    sum is what the shop spends a day. n_active, n_current: how many of these days have spend, and how many
    they are; current_cents · n_current / n_active is the spend of a day on which the cell spends.
    """

    keys: pl.DataFrame
    days: tuple[date, ...]
    history: SpendHistory
    conversions: Array
    first_day: Index
    last_day: Index
    current_cents: Cents
    n_active: Index
    n_current: Index

    @property
    def active_share(self) -> Array:
        """Share of each cell's last known days with spend, [cells]."""
        return np.asarray(self.n_active / self.n_current)

    @property
    def days_late(self) -> list[int]:
        """Days by which each cell's log ends before the shop's."""
        return [(self.days[-1] - until).days for until in self.logged_until]

    @property
    def last_spent(self) -> list[date | None]:
        """Last day with spend of each cell, None where it never spent."""
        is_spent = self.history.spend > 0
        last = is_spent.shape[1] - 1 - is_spent[:, ::-1].argmax(1)
        return [self.days[day] if is_spent[cell, day] else None for cell, day in enumerate(last.tolist())]

    @property
    def logged_until(self) -> list[date]:
        """Last day that each cell's log knows."""
        return [self.days[day] for day in self.last_day.tolist()]


def read_spend_log(spend_frame: pl.DataFrame, as_of: date, settings: BudgetSettings) -> SpendLog:
    """Return the last `history_days` up to `as_of`.

    spend_frame: rows of `AdSpendDaily`. Raises InputDataError where none of these days has a row.
    """
    first = as_of - timedelta(days=settings.history_days - 1)
    logged = spend_frame.filter(pl.col("date").is_between(first, as_of))
    if logged.is_empty():
        raise InputDataError(
            f"No ad spend is logged from {first} to {as_of}: the log holds {spend_frame['date'].min()!s} to "
            f"{spend_frame['date'].max()!s}. Ingest newer logs or choose another as_of."
        )
    days = logged.select(pl.col("date").unique().sort()).with_row_index("day")
    keys = logged.select(CELL_KEY).unique().sort(CELL_KEY).with_row_index("cell")
    placed = logged.join(days, on="date").join(keys, on=CELL_KEY)
    at = (placed["cell"].to_numpy(), placed["day"].to_numpy())

    def by_day(name: str) -> Array:
        table = np.zeros((keys.height, days.height))
        np.add.at(table, at, placed[name].to_numpy().astype(np.float64))
        return table

    spend = by_day("spend_cents")
    channel = keys["channel"].rank("dense").to_numpy().astype(np.int64) - 1
    dates = tuple(days["date"].to_list())
    first_day, last_day = _known_days(at, channel, dates, settings.late_days)
    current, n_active, n_current = _spend_now(spend, first_day, last_day, settings.current_days)
    return SpendLog(
        keys=keys.drop("cell"),
        days=dates,
        history=SpendHistory(spend, _credited(by_day("revenue_cents"), spend), channel),
        conversions=by_day("conversions").sum(1),
        first_day=first_day,
        last_day=last_day,
        current_cents=whole_cents(
            current, round(current.sum()), np.zeros(len(spend), np.int64), np.ceil(current).astype(np.int64)
        ),
        n_active=n_active,
        n_current=n_current,
    )


def _credited(revenue: Array, spend: Array) -> Array:
    """Move revenue of days without spend to the cell's last day with spend, up to a week back."""
    day = np.arange(spend.shape[1])
    last_spent = np.maximum.accumulate(np.where(spend > 0, day, -1), axis=1)
    cell, late = np.nonzero((spend == 0) & (revenue > 0) & (last_spent >= 0) & (day - last_spent <= WEEK))
    credited = revenue.copy()
    np.add.at(credited, (cell, last_spent[cell, late]), revenue[cell, late])
    credited[cell, late] = 0.0
    return credited


def _known_days(
    at: tuple[NDArray[Any], NDArray[Any]], channel: Index, dates: tuple[date, ...], late_days: int
) -> tuple[Index, Index]:
    """First and last known day of each cell, as indices."""
    cell, day = (index.astype(np.int64) for index in at)
    first = np.full(len(channel), len(dates), np.int64)
    np.minimum.at(first, cell, day)
    ends = [
        _last_known(np.unique(day[channel[cell] == which]), dates, late_days)
        for which in range(int(channel.max()) + 1)
    ]
    return first, np.array(ends, np.int64)[channel]


def _last_known(logged: Index, dates: tuple[date, ...], late_days: int) -> int:
    """Last day that a channel's log knows, given the days that it has rows of.

    Silence up to the shop's last day is a pause where the channel usually has no rows on these weekdays, or
    where it lasts so long that the channel has stopped.
    """
    last, first = int(logged[-1]), int(logged[0])
    has_row = set(logged.tolist())
    if (dates[-1] - dates[last]).days > late_days:
        return len(dates) - 1
    for missing in range(last + 1, len(dates)):
        alike = [day for day in range(first, last + 1) if dates[day].weekday() == dates[missing].weekday()]
        # A weekday that the channel has never lived through says nothing: late is the cautious answer.
        if 2 * sum(day in has_row for day in alike) >= len(alike):
            return last
    return len(dates) - 1


def _spend_now(spend: Array, first: Index, last: Index, current_days: int) -> tuple[Array, Index, Index]:
    """Mean spend a day, days with spend and days, over the last days that each cell's log knows."""
    day = np.arange(spend.shape[1])
    since = np.maximum(first, last - current_days + 1)
    is_now = (day >= since[:, None]) & (day <= last[:, None])
    n_days = is_now.sum(1)
    return (spend * is_now).sum(1) / n_days, ((spend > 0) & is_now).sum(1), n_days
