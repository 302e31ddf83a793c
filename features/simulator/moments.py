"""Times of events on a day of the shop, and ids in their order."""

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

DAY_SECONDS = 24 * 60 * 60

# relative number of visits in each hour of the day, UTC: quiet nights, busy evenings
_VISITS_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 9, 8, 7, 7, 8, 9, 11, 13, 14, 12, 8, 4)


def draw_seconds(n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw the seconds of the day of n events, int64[n] in rising order, more of them in the evening."""
    hourly = np.array(_VISITS_BY_HOUR) / sum(_VISITS_BY_HOUR)
    hours = random.choice(len(hourly), n, p=hourly)
    return np.sort(hours * 3600 + random.integers(0, 3600, n))


def times(night: date, seconds: NDArray[np.int64]) -> pl.Series:
    """Return times of a day as UTC datetimes."""
    moments = np.datetime64(night.isoformat(), "us") + seconds * np.timedelta64(1_000_000, "us")
    return pl.Series(moments).dt.replace_time_zone("UTC")


def numbered(night: date, letter: str, numbers: NDArray[np.int64]) -> pl.Series:
    """Return ids such as 20260105-v000042: unique over all nights, and in order of time within a night."""
    digits = pl.Series(numbers).cast(pl.String).str.zfill(6)
    return f"{night:%Y%m%d}-{letter}" + digits
