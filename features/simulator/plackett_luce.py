"""Filling slots one after another without replacement, and the exact chance of each item in each slot."""

import numpy as np
from numpy.typing import NDArray


def slot_marginals(weights: NDArray[np.float64], slots: int) -> NDArray[np.float64]:
    """Exact probability of item i in slot l, float64[L, A], when slots are filled in order.

    Each slot draws from `weights`, restricted to the items not placed yet and renormalized:

        m1(i) = p(i)
        m2(i) = p(i) * sum over j != i of p(j) / (1 - p(j))
        m3(i) = p(i) * sum over j != k, both != i, of p(j) p(k) / ((1 - p(j)) (1 - p(j) - p(k)))

    The double sum of m3 is the total over all pairs less the row and the column of i: O(A^2), not O(A^3).
    weights: float64[A], positive, sum 1, more items than slots.
    Raises ValueError for more than three slots, or weights that are no such distribution.
    Source: Plackett 1975, "The analysis of permutations"; Luce 1959.

    >>> slot_marginals(np.array([0.5, 0.25, 0.25]), 2).round(4)
    array([[0.5   , 0.25  , 0.25  ],
           [0.3333, 0.3333, 0.3333]])
    """
    if not 1 <= slots <= 3:
        raise ValueError(f"The exact marginals are written out for 1 to 3 slots, not {slots}.")
    if weights.ndim != 1 or len(weights) <= slots or (weights <= 0).any() or not np.isclose(weights.sum(), 1):
        raise ValueError(f"Weights must be positive, sum to 1 and be more than {slots}: got {weights}.")
    first = weights / weights.sum()
    marginals = np.empty((slots, len(first)))
    marginals[0] = first
    then = first / (1 - first)
    if slots >= 2:
        marginals[1] = first * (then.sum() - then)
    if slots == 3:
        rest = 1 - first[:, None] - first[None, :]
        np.fill_diagonal(rest, np.inf)  # j = k can't be: the pair gets weight 0
        pairs = then[:, None] * first[None, :] / rest
        marginals[2] = first * (pairs.sum() - pairs.sum(axis=1) - pairs.sum(axis=0))
    return marginals


def draw_slates(
    weights: NDArray[np.float64], rounds: int, slots: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Draw slates, int64[rounds, slots]: different items, first slot first.

    The largest keys log p(i) + Gumbel noise, in falling order, are such a draw (the Gumbel top-k trick), so
    that all rounds are filled at once.
    Source: Kool, van Hoof & Welling 2019, "Stochastic beams and where to find them", section 2.3.
    """
    keys = np.log(weights) + random.gumbel(size=(rounds, len(weights)))
    top = np.argpartition(-keys, slots - 1, axis=1)[:, :slots]
    falling = np.argsort(-np.take_along_axis(keys, top, axis=1), axis=1)
    return np.take_along_axis(top, falling, axis=1).astype(np.int64)
