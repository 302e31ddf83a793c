"""Rankers: what orders items for users, as learned from all interactions before a moment."""

from typing import Protocol

import numpy as np
from scipy import sparse

from offline_rl.interactions import Bools, Floats, Interactions, Ints
from offline_rl.ranking.top_items import TopItems


class Ranker(Protocol):
    """Lists of items for users of the log that it was fitted on."""

    def top(self, users: Ints, n: int, is_shown: Bools | None = None) -> TopItems:
        """Return the top n items of each user, by number; one without history has the list of all."""
        ...


class Recipe(Protocol):
    """A named way to make a ranker, so that the same way can be fitted before any moment."""

    @property
    def name(self) -> str:
        """Name in tables."""
        ...

    def fit(self, known: Interactions, now: int) -> Ranker:
        """Fit to what is known at `now`, microseconds; every act lies before it."""
        ...


def check_known(known: Interactions, now: int) -> None:
    """Raise ValueError if an act lies at or after the moment at which it would have to be known."""
    if known.n and int(known.moment.max()) >= now:
        raise ValueError(
            f"an act at {int(known.moment.max())} can't be known at {now}: cut the log by `between` first."
        )


def pairs_of(acts: Interactions, value: Floats) -> sparse.csr_array:
    """Return the table of users and items: of each pair that has acts, the largest of their values [n]."""
    key = acts.user * acts.n_items + acts.item
    order = np.lexsort((value, key))
    sorted_key = key[order]
    is_last = np.append(sorted_key[1:] != sorted_key[:-1], True)[: len(key)]
    last = order[is_last]
    first = np.concatenate([[0], np.cumsum(np.bincount(acts.user[last], minlength=acts.n_users))])
    return sparse.csr_array((value[last], acts.item[last], first), shape=(acts.n_users, acts.n_items))


def bought(acts: Interactions) -> sparse.csr_array:
    """Return the table of users and items with 1 where a user has bought an item."""
    purchases = acts.select(acts.purchases)
    return pairs_of(purchases, np.ones(purchases.n))
