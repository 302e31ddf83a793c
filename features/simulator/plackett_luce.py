"""The Plackett-Luce model: slots filled without replacement, and the exact probability of each item and slot.

Each slot draws from the weights of the items not placed yet. The same slates come from a race: item i arrives
after an exponential time with rate w(i), and the first to arrive gets the first slot.
Source: Plackett 1975, "The analysis of permutations"; Luce 1959; for the race Yellott 1977.
"""

import numpy as np
from numpy.typing import NDArray

_CLOSED_FORM_SLOTS = 3
_LOG_STEP = 0.25
_NEGLIGIBLE = 40.0  # exp(-40) is below the rounding of a double


def slot_marginals(weights: NDArray[np.float64], slots: int) -> NDArray[np.float64]:
    """Return the exact probability of item i in slot l, float64[L, A], when slots are filled in order.

    weights: float64[A], sum 1; 0 for what can't be shown, positive for more items than slots.
    Raises ValueError for weights that are not such a distribution, and for less than one slot.

    >>> slot_marginals(np.array([0.5, 0.25, 0.25]), 2).round(4)
    array([[0.5   , 0.25  , 0.25  ],
           [0.3333, 0.3333, 0.3333]])
    """
    if slots < 1:
        raise ValueError(f"A slate has 1 or more slots, not {slots}.")
    possible = weights > 0
    if (
        weights.ndim != 1
        or (weights < 0).any()
        or possible.sum() <= slots
        or not np.isclose(weights.sum(), 1)
    ):
        raise ValueError(f"Weights must sum to 1 and be positive for more than {slots} items: got {weights}.")
    marginals = np.zeros((slots, len(weights)))
    find = by_closed_form if slots <= _CLOSED_FORM_SLOTS else by_arrival_times
    marginals[:, possible] = find(weights[possible] / weights.sum(), slots)
    return marginals


def by_closed_form(weights: NDArray[np.float64], slots: int) -> NDArray[np.float64]:
    """Return the marginals of at most three slots, float64[L, A], in O(A^2).

        m1(i) = p(i)
        m2(i) = p(i) * sum over j != i of p(j) / (1 - p(j))
        m3(i) = p(i) * sum over j != k, both != i, of p(j) p(k) / ((1 - p(j)) (1 - p(j) - p(k)))

    The double sum of m3 is the total over all pairs less the row and the column of i.
    weights: float64[A], positive, sum 1, more items than slots.
    """
    marginals = np.empty((slots, len(weights)))
    marginals[0] = weights
    then = weights / (1 - weights)
    if slots >= 2:
        marginals[1] = weights * (then.sum() - then)
    if slots == 3:
        rest = 1 - weights[:, None] - weights[None, :]
        np.fill_diagonal(rest, np.inf)  # j = k is impossible: the pair gets weight 0
        pairs = then[:, None] * weights[None, :] / rest
        marginals[2] = weights * (pairs.sum() - pairs.sum(axis=1) - pairs.sum(axis=0))
    return marginals


def by_arrival_times(weights: NDArray[np.float64], slots: int) -> NDArray[np.float64]:
    """Return the marginals of any number of slots, float64[L, A], in O(A L^2) for each of about 200 times.

        m_l(i) = integral over t of  w(i) exp(-w(i) t) P(l - 1 of the others have arrived by t)

    The count of arrivals is Poisson-binomial; leaving one item out joins the counts of the items before it
    and after it, which loses no digits as dividing one item out of the whole would. The integrand falls
    exponentially in log t to the left and doubly so to the right, and is analytic around the line between.
    So the plain trapezoidal rule in log t is exact to rounding (Trefethen & Weideman 2014, section 5).

    weights: float64[A], positive, sum 1, more items than slots.
    """
    slowest = np.sort(weights)[: len(weights) - slots + 1].sum()
    times = np.exp(np.arange(-_NEGLIGIBLE, np.log(_NEGLIGIBLE / slowest), _LOG_STEP))
    waiting = np.exp(-weights[:, None] * times)
    before = np.zeros((len(weights) + 1, slots, len(times)))
    after = np.zeros_like(before)
    before[0, 0] = after[-1, 0] = 1.0
    for i in range(len(weights)):
        before[i + 1] = _with_one_more(before[i], waiting[i])
        last = len(weights) - 1 - i
        after[last] = _with_one_more(after[last + 1], waiting[last])
    marginals = np.empty((slots, len(weights)))
    arrives = weights[:, None] * waiting * times * _LOG_STEP
    for count in range(slots):
        others = sum(before[:-1, early] * after[1:, count - early] for early in range(count + 1))
        marginals[count] = (arrives * others).sum(axis=1)
    return marginals


def _with_one_more(counts: NDArray[np.float64], waiting: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution of the number of arrivals, [L, times], after adding an item.

    waiting: [times], probability that the item has not arrived.
    """
    joined = counts * waiting
    joined[1:] += counts[:-1] * (1 - waiting)
    return joined


def draw_slates(
    weights: NDArray[np.float64], rounds: int, slots: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Draw slates, int64[rounds, slots]: different items, first slot first; all rounds at once by the race.

    weights: float64[A], positive for at least as many items as slots; the others never arrive.
    """
    items = np.flatnonzero(weights > 0)
    arrival = random.standard_exponential((rounds, len(items))) / weights[items]
    first = np.argpartition(arrival, slots - 1, axis=1)[:, :slots]
    in_order = np.argsort(np.take_along_axis(arrival, first, axis=1), axis=1)
    return np.asarray(items[np.take_along_axis(first, in_order, axis=1)], dtype=np.int64)
