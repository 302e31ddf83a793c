"""The item-to-item ranker: what a user's own items speak for, and popularity where they say little.

    score[u, j] = ( sum_i w[u, i] T[i, j] + blend p[j] ) / ( sum_i w[u, i] + blend )
    T[i, j] = repeats [i = j] + (1 - repeats) ( S[i, j] + (1 - sum_k S[i, k]) p[j] )

w: the user's acts with each item (`history.own_acts`); p: popularity as shares of 1; S: `similarity`. Rows of
T are shares of 1, so the score is a posterior mean: `blend` acts of popularity, and then the user's own acts.
A user without any has the list of everybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from offline_rl.interactions import Bools, Floats, Interactions, Ints
from offline_rl.item_to_item.history import average_weight, own_acts, session_acts
from offline_rl.item_to_item.popularity import decayed_popularity
from offline_rl.item_to_item.settings import ItemToItemSettings
from offline_rl.item_to_item.shared_similarity import SharedSimilarity
from offline_rl.ranking.ranker import bought, check_known
from offline_rl.ranking.row_blocks import row_blocks
from offline_rl.ranking.top_items import CELLS_AT_ONCE, TopItems, top_items


@dataclass(frozen=True)
class ItemToItem:
    """The recipe of item-to-item similarity. shared: what recipes of one list make once."""

    settings: ItemToItemSettings = field(default_factory=ItemToItemSettings)
    name: str = "item_to_item"
    shared: SharedSimilarity = field(default_factory=SharedSimilarity, compare=False, repr=False)

    def fit(self, known: Interactions, now: int) -> "ItemToItemRanker":
        """Fit to what is known; raises ValueError for acts that lie at or after `now`, microseconds."""
        check_known(known, now)
        settings = self.settings
        found = self.shared.of(known, now, settings)
        counts = decayed_popularity(found.histories.acts, now, settings.popularity_half_life_days)
        return ItemToItemRanker(
            settings=settings,
            popularity=counts / (counts.sum() or 1.0),
            neighbors=found.neighbors,
            own=own_acts(found.histories.acts, settings.history_half_life_days),
            left_out=bought(known) if settings.leaves_out_bought else None,
            average_weight=average_weight(found.histories.acts),
            n_cut=found.histories.n_cut,
            n_users_cut=found.histories.n_users_cut,
        )


@dataclass(frozen=True, eq=False)
class ItemToItemRanker:
    """A fitted ranker. popularity: p [I]. neighbors: S [I, I]. own: w [users, I].

    left_out: [users, I], what a user must not get. average_weight: of an act of the log. n_cut, n_users_cut:
    acts that were too old for the cap of their user's history, and users who lost any.
    """

    settings: ItemToItemSettings
    popularity: Floats
    neighbors: sparse.csr_array
    own: sparse.csr_array
    left_out: sparse.csr_array | None
    average_weight: float
    n_cut: int
    n_users_cut: int

    def top(self, users: Ints, n: int, is_shown: Bools | None = None) -> TopItems:
        """Return the top n items of each user, int64 [b, n] and float64 [b, n].

        is_shown: bool [I], items that can be shown; None: all.
        """
        parts = [
            self._top(self.own[some], n, is_shown, None if self.left_out is None else self.left_out[some])
            for some in self._blocks(users, n)
        ]
        return TopItems.joined(parts, n)

    def top_of_session(self, items: Ints, weights: Floats, n: int, is_shown: Bools | None = None) -> TopItems:
        """Return the top n items of a visitor who is known by a session alone, [1, n].

        items: int64 [s]. weights: float64 [s], as in the log that was learned from. They are not left
        out: nobody has bought them. Raises ValueError for an item that is not one of the log's.
        """
        own = session_acts(items, weights / self.average_weight, len(self.popularity))
        return self._top(own, n, is_shown, None)

    def _top(
        self, own: sparse.csr_array, n: int, is_shown: Bools | None, left_out: sparse.csr_array | None
    ) -> TopItems:
        """Return the top n items of users by their own acts [b, I]."""
        settings = self.settings
        to_others = 1.0 - settings.repeats
        total = own.sum(axis=1) + settings.blend
        to_popularity = own @ (1.0 - self.neighbors.sum(axis=1)) * to_others + settings.blend
        scores = sparse.csr_array((own @ self.neighbors) * to_others + own * settings.repeats)
        scores.data = scores.data / np.repeat(total, np.diff(scores.indptr))
        return top_items(
            self.popularity, to_popularity / total, scores, n, is_shown=is_shown, left_out=left_out
        )

    def _blocks(self, users: Ints, n: int) -> Iterator[Ints]:
        """Yield users, as many at once as have a limited number of items with scores."""
        reached = np.diff(self.neighbors.indptr).astype(np.float64) + 1.0
        entries = (np.ones_like(self.own.data), self.own.indices, self.own.indptr)
        pattern = sparse.csr_array(entries, shape=self.own.shape)
        cost = (pattern @ reached)[users].astype(np.int64) + n
        if self.left_out is not None:
            cost += np.diff(self.left_out.indptr)[users]
        for block in row_blocks(cost, CELLS_AT_ONCE):
            yield users[block]
