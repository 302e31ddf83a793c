"""Whole cents that add up: the method of largest remainders, within limits."""

import numpy as np
from numpy.typing import NDArray

Cents = NDArray[np.int64]


def whole_cents(amounts: NDArray[np.float64], total: int, lower: Cents, upper: Cents) -> Cents:
    """Round amounts to whole cents that sum to `total` exactly and stay within their limits.

    Each amount is rounded down and the missing cents go, one each, to the largest remainders that have room.
    amounts: float64 [n], between `lower` and `upper` and summing to `total` up to rounding.
    Raises ValueError where the limits can't hold the total.
    Source: Hamilton's method, Balinski & Young 1982, "Fair Representation".

    >>> whole_cents(np.array([1.6, 1.6, 0.8]), 4, np.zeros(3, np.int64), np.full(3, 9)).tolist()
    [2, 1, 1]
    """
    if not int(lower.sum()) <= total <= int(upper.sum()):
        raise ValueError(
            f"The limits hold {int(lower.sum())} to {int(upper.sum())} cents, not a total of {total}."
        )
    cents = np.clip(np.floor(amounts).astype(np.int64), lower, upper)
    by_remainder = np.argsort(cents - amounts, kind="stable")
    missing = total - int(cents.sum())
    while missing:
        step = 1 if missing > 0 else -1
        room = (cents < upper) if step > 0 else (cents > lower)
        # Cents to take back, where rounding went above the total, come from the smallest remainders.
        order = by_remainder[::step]
        given = order[room[order]][: abs(missing)]
        cents[given] += step
        missing -= step * len(given)
    return cents
