"""The first days of users and items that come after the first night."""

import numpy as np
from numpy.typing import NDArray

ARRIVAL_DAYS = 28
"""Newcomers are spread evenly over this many days. The number does not depend on `days`, so that more nights
don't change earlier ones."""


def first_days(total: int, newcomers: int) -> NDArray[np.int64]:
    """Return the first day of each of `total` users or items, int64[total], counted from 0, never falling.

    >>> first_days(6, 4)
    array([ 0,  0,  1,  8, 15, 22])
    """
    arrivals = 1 + np.arange(newcomers, dtype=np.int64) * ARRIVAL_DAYS // max(newcomers, 1)
    return np.concatenate([np.zeros(total - newcomers, dtype=np.int64), arrivals])
