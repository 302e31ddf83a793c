"""Discounting of a session's rewards: the first step counts in full."""

import numpy as np

from offline_rl.ope.records import Floats


def check_discount(gamma: float) -> None:
    """Raise ValueError unless 0 <= gamma <= 1.

    >>> check_discount(0.9)
    """
    if not 0 <= gamma <= 1:
        raise ValueError(f"a discount gamma of {gamma:g} is none: give a number from 0 to 1, such as 1.")


def discounts(gamma: float, horizon: int) -> Floats:
    """Return γ^0, γ^1, …, γ^(T−1), shape [T]. γ = 0 keeps the first step alone, as 0^0 = 1.

    >>> discounts(0.5, 3).tolist(), discounts(0.0, 3).tolist()
    ([1.0, 0.5, 0.25], [1.0, 0.0, 0.0])
    """
    return np.power(float(gamma), np.arange(horizon))
