"""Weeks of a daily log, counted back from its last day: the last week is whole, the first may be short."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

WEEK = 7


def week_starts(n_days: int) -> Index:
    """Return the first day of each week, oldest first.

    >>> week_starts(16).tolist(), week_starts(14).tolist(), week_starts(3).tolist()
    ([0, 2, 9], [0, 7], [0])
    """
    starts = np.arange(n_days % WEEK, n_days, WEEK, dtype=np.int64)
    return starts if starts.size and starts[0] == 0 else np.concatenate([np.zeros(1, np.int64), starts])


def sums_of_weeks(values: Array) -> Array:
    """Return the sums of [..., days] over each week, [..., weeks].

    >>> sums_of_weeks(np.ones(16)).tolist()
    [2.0, 7.0, 7.0]
    """
    return np.asarray(np.add.reduceat(values, week_starts(values.shape[-1]), axis=-1))


def on_each_day(of_weeks: Array, n_days: int) -> Array:
    """Give each day the value of its week: [..., weeks] becomes [..., days]."""
    lengths = np.diff(np.append(week_starts(n_days), n_days))
    return np.asarray(np.repeat(of_weeks, lengths, axis=-1))
