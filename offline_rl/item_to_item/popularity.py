"""Popularity: one list of items for everybody, and what any other ranker must beat."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from offline_rl.interactions import DAY, Bools, Floats, Interactions, Ints
from offline_rl.item_to_item.history import capped_histories
from offline_rl.ranking.ranker import Ranker, bought, check_known
from offline_rl.ranking.row_blocks import row_blocks
from offline_rl.ranking.top_items import CELLS_AT_ONCE, TopItems, top_items


def decayed_popularity(known: Interactions, now: int, half_life_days: float) -> Floats:
    """Return the sum of each item's acts, halved for every half-life of their age: float64 [I].

    Raises ValueError unless the half-life is above 0.

    >>> acts = Interactions(np.array([0, 1]), np.array([0, 1]), np.ones(2), np.array([0, 7 * DAY]), 2, 2)
    >>> decayed_popularity(acts, 7 * DAY, half_life_days=7.0).tolist()
    [0.5, 1.0]
    """
    if not half_life_days > 0:
        raise ValueError(f"a half-life of {half_life_days:g} days: give a number above 0.")
    counts = np.bincount(known.item, known.faded(now, half_life_days), minlength=known.n_items)
    return counts.astype(np.float64, copy=False)


def best_seller_counts(known: Interactions, now: int, days: float) -> Floats:
    """Return the sum of each item's acts in the last `days` days: float64 [I].

    Raises ValueError unless the number of days is above 0.

    >>> acts = Interactions(np.array([0, 1]), np.array([0, 1]), np.ones(2), np.array([0, 7 * DAY]), 2, 2)
    >>> best_seller_counts(acts, 8 * DAY, days=3).tolist()
    [0.0, 1.0]
    """
    if not days > 0:
        raise ValueError(f"best-sellers of {days:g} days: give a number above 0.")
    is_recent = known.moment >= now - days * DAY
    counts = np.bincount(known.item[is_recent], known.weight[is_recent], minlength=known.n_items)
    return counts.astype(np.float64, copy=False)


@dataclass(frozen=True)
class DecayedPopularity:
    """The recipe of popularity with time decay.

    history_cap: most recent acts of a user that count, so that a robot's items are not everybody's.
    leaves_out_bought: whether nobody is shown an item that he has bought.
    """

    half_life_days: float = 14.0
    history_cap: int = 200
    leaves_out_bought: bool = False
    name: str = "popularity"

    def fit(self, known: Interactions, now: int) -> Ranker:
        """Fit to what is known; raises ValueError for later acts, and for a half-life of 0 or less."""
        check_known(known, now)
        acts = capped_histories(known, self.history_cap).acts
        counts = decayed_popularity(acts, now, self.half_life_days)
        return OneList(counts, bought(known) if self.leaves_out_bought else None)


@dataclass(frozen=True)
class BestSellers:
    """The recipe of a plain best-seller list. leaves_out_bought: as in `DecayedPopularity`."""

    days: float = 30.0
    leaves_out_bought: bool = False
    name: str = "best_sellers"

    def fit(self, known: Interactions, now: int) -> Ranker:
        """Fit to what is known; raises ValueError for acts that lie later, and for 0 days or less."""
        check_known(known, now)
        counts = best_seller_counts(known, now, self.days)
        return OneList(counts, bought(known) if self.leaves_out_bought else None)


@dataclass(frozen=True, eq=False)
class OneList:
    """The same list for everybody. counts: float64 [I]. left_out: [users, I], what a user must not get."""

    counts: Floats
    left_out: sparse.csr_array | None = None

    def top(self, users: Ints, n: int, is_shown: Bools | None = None) -> TopItems:
        """Return the top n items of each user, a limited number of users at once."""
        if self.left_out is None:
            nobody = sparse.csr_array((1, len(self.counts)))
            one = top_items(self.counts, np.ones(1), nobody, n, is_shown=is_shown)
            return TopItems(np.repeat(one.item, len(users), axis=0), np.repeat(one.score, len(users), axis=0))
        parts = []
        cost = n + np.diff(self.left_out.indptr)[users].astype(np.int64)
        for rows in row_blocks(cost, CELLS_AT_ONCE):
            left_out = self.left_out[users[rows]]
            own = sparse.csr_array(left_out.shape)
            share = np.ones(len(users[rows]))
            parts.append(top_items(self.counts, share, own, n, is_shown=is_shown, left_out=left_out))
        return TopItems.joined(parts, n)
