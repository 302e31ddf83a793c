"""When users and items that weren't there on the first day come in."""

import numpy as np
from numpy.typing import NDArray

ARRIVAL_DAYS = 28
"""Newcomers spread evenly over so many days, however many nights are written: nights stay independent of
`days`."""


def first_days(total: int, newcomers: int) -> NDArray[np.int64]:
    """The day, counted from 0, on which each of `total` first counts: int64[total], never falling.

    >>> first_days(6, 4)
    array([ 0,  0,  1,  8, 15, 22])
    """
    arrivals = 1 + np.arange(newcomers, dtype=np.int64) * ARRIVAL_DAYS // max(newcomers, 1)
    return np.concatenate([np.zeros(total - newcomers, dtype=np.int64), arrivals])
