"""Histories: the most recent acts of each user, so that no user can be more than that many acts."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from offline_rl.interactions import Floats, Interactions, Ints


@dataclass(frozen=True, eq=False)
class CappedHistories:
    """acts: what is kept. n_cut: acts that are not. n_users_cut: users who lost any."""

    acts: Interactions
    n_cut: int
    n_users_cut: int


def capped_histories(known: Interactions, cap: int) -> CappedHistories:
    """Return the `cap` most recent acts of each user; of equal moments those of higher item numbers.

    A robot with a million acts has a million times a million pairs of items: capped, a log of n acts has at
    most n * cap.

    >>> acts = Interactions(np.zeros(3, int), np.array([5, 6, 7]), np.ones(3), np.array([1, 3, 2]), 1, 8)
    >>> cut = capped_histories(acts, 2)
    >>> cut.acts.item.tolist(), cut.n_cut, cut.n_users_cut
    ([7, 6], 1, 1)
    """
    count = np.bincount(known.user, minlength=known.n_users)
    after = np.cumsum(count)[known.user] - np.arange(known.n)  # this act and those that follow it
    is_kept = after <= cap
    return CappedHistories(known.select(is_kept), int((~is_kept).sum()), int((count > cap).sum()))


def own_acts(acts: Interactions, half_life_days: float) -> sparse.csr_array:
    """Return w, the table of users and items: log2(1 + sum of the pair's acts, faded to the user's last act).

    acts: capped histories. What is done again and again counts more, and a hundred views of one item do not
    silence all others. An act of average weight counts 1, so that `blend` means the same in a log of views
    as in one of purchases.

    >>> acts = Interactions(np.zeros(4, int), np.array([0, 0, 0, 1]), np.ones(4), np.zeros(4, int), 1, 2)
    >>> own_acts(acts, half_life_days=30.0).toarray().tolist()
    [[2.0, 1.0]]
    """
    last = np.zeros(acts.n_users, dtype=np.int64)
    last[acts.user] = acts.moment  # a user's acts are in order of time
    faded = acts.faded(last[acts.user], half_life_days) / average_weight(acts)
    shape = (acts.n_users, acts.n_items)
    table = sparse.csr_array((faded, (acts.user, acts.item)), shape=shape)
    table.sum_duplicates()
    table.data = np.log2(1.0 + table.data)
    return table


def average_weight(acts: Interactions) -> float:
    """Return the mean weight of the acts, 1 where there are none: the unit in which acts are counted."""
    return float(acts.weight.mean()) if acts.n else 1.0


def session_acts(items: Ints, weights: Floats, n_items: int) -> sparse.csr_array:
    """Return one row of own acts: of a visitor who is known by the items of the session alone.

    items: int64 [s], weights: float64 [s], 1 for an act of average weight. Raises ValueError for an item that
    is not one of the log's.
    """
    if len(items) and not (int(items.min()) >= 0 and int(items.max()) < n_items):
        raise ValueError(
            f"a session holds an item outside 0..{n_items - 1}: give numbers of the log's items."
        )
    total = np.bincount(items, weights, minlength=n_items)
    return sparse.csr_array(np.log2(1.0 + total)[None, :])
