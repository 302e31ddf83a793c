"""Item-to-item similarity: which items the same users acted on, drawn towards popularity where few did.

With x[u, i] the strongest faded act of user u on item i, in acts of average weight, over the fourth root of
the number of u's items,

    c[i, j] = sum_u x[u, i] x[u, j]                        i != j
    cosine:       s[i, j] = c[i, j] / sqrt(c[i, i] c[j, j])
    conditional:  s[i, j] = c[i, j] / c[i, i]
    kept:         k[i, j] = s[i, j] c[i, j] / (c[i, j] + shrinkage), the largest of each row
    neighbors:    S[i, j] = k[i, j] / K[i] * C[i] / (C[i] + shrinkage)

with K and C the sums of the kept k and c of a row. So a pair that few users share is drawn down among the
neighbors, and an item that few users share with any other leaves the rest of its row, which adds up to less
than 1, to popularity. (Left to popularity pair by pair, a row of fifty neighbors had too little against a
best-seller list.) The root holds down users of many items, who say less of any pair of them.

Sources: Sarwar, Karypis, Konstan & Riedl 2001, "Item-based collaborative filtering recommendation
algorithms"; Linden, Smith & York 2003, "Amazon.com recommendations: item-to-item collaborative filtering";
the conditional form and rows of sum 1, Deshpande & Karypis 2004; shrinkage, Bell & Koren 2007, "Improved
neighborhood-based collaborative filtering", section 4.

Memory. Capped histories of n acts have at most n * cap pairs of acts. Rows are made in blocks of at most
PAIRS_AT_ONCE stored entries (or one row, at most the number of items), and of each row `neighbors` entries
stay: of ten million acts on 100,000 items 120 MB for x, 200 MB for a block and as much while it is divided
by its norms, and 60 MB for the neighbors.
"""

import numpy as np
from scipy import sparse

from offline_rl.interactions import Floats, Interactions, Ints
from offline_rl.item_to_item.history import average_weight
from offline_rl.item_to_item.settings import ItemToItemSettings
from offline_rl.ranking.largest import largest_of_rows
from offline_rl.ranking.ranker import pairs_of
from offline_rl.ranking.row_blocks import row_blocks

PAIRS_AT_ONCE = 1 << 24
"""Most stored entries of a block of the co-occurrence table, in rows of more than one."""


def similarity(acts: Interactions, now: int, settings: ItemToItemSettings) -> sparse.csr_array:
    """Return S: float64 [I, I] with at most `neighbors` entries a row, each above 0, rows of at most 1.

    acts: capped histories (`history.capped_histories`), all known at `now`, microseconds.

    Two users who bought both items, and nothing else: each is the other's only neighbor.

    >>> user, item = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> acts = Interactions(user, item, np.ones(4), np.zeros(4, int), 2, 2)
    >>> similarity(acts, 0, ItemToItemSettings(shrinkage=0.0)).toarray().round(9).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    of_users = _scaled(acts, now, settings)
    of_items = sparse.csr_array(of_users.T)
    squares = np.asarray(of_items.multiply(of_items).sum(axis=1), dtype=np.float64)
    rows = [
        _neighbors(sparse.csr_array(of_items[block] @ of_users), block.start, squares, settings)
        for block in row_blocks(_most_entries(of_users, of_items), PAIRS_AT_ONCE)
    ]
    shape = (acts.n_items, acts.n_items)
    return sparse.csr_array(sparse.vstack(rows, format="csr")) if rows else sparse.csr_array(shape)


def _scaled(acts: Interactions, now: int, settings: ItemToItemSettings) -> sparse.csr_array:
    """Return x, float64 [users, I]."""
    faded = acts.faded(now, settings.pair_half_life_days) / average_weight(acts)
    table = pairs_of(acts, faded)
    n_items = np.diff(table.indptr)
    table.data = table.data / np.repeat(np.maximum(n_items, 1) ** 0.25, n_items)
    return table


def _most_entries(of_users: sparse.csr_array, of_items: sparse.csr_array) -> Ints:
    """Return for each item how many entries its row of co-occurrences may have, int64 [I]."""
    n_of_user = np.diff(of_users.indptr).astype(np.int64)
    pairs = np.concatenate([[0], np.cumsum(n_of_user[of_items.indices])])
    most: Ints = np.minimum(pairs[of_items.indptr[1:]] - pairs[of_items.indptr[:-1]], of_items.shape[0])
    return most


def _neighbors(
    together: sparse.csr_array, first: int, squares: Floats, settings: ItemToItemSettings
) -> sparse.csr_array:
    """Return rows of S of the items from `first` on, from their co-occurrences [b, I]."""
    together.sort_indices()
    row = np.repeat(np.arange(together.shape[0]), np.diff(together.indptr)) + first
    shared, other = together.data, together.indices
    own = squares[row]
    norm = own if settings.normalization == "conditional" else np.sqrt(own * squares[other])
    # An act so old that its square is 0 is not evidence; and an item is not its own neighbor.
    is_pair = (row != other) & (shared > 0) & (norm > 0)
    seen = np.divide(shared, norm, out=np.zeros_like(shared), where=is_pair)
    shrunk = np.divide(seen * shared, shared + settings.shrinkage, out=np.zeros_like(shared), where=is_pair)
    together.data = shrunk
    places = np.sort(largest_of_rows(together, settings.neighbors))
    places = places[shrunk[places] > 0]
    kept_row = row[places] - first
    total = np.bincount(kept_row, shrunk[places], minlength=together.shape[0])
    support = np.bincount(kept_row, shared[places], minlength=together.shape[0])
    # An item without neighbors has no row, and nothing of it to be believed.
    believed = support / np.where(support > 0, support + settings.shrinkage, 1.0)
    ends = np.concatenate([[0], np.cumsum(np.bincount(kept_row, minlength=together.shape[0]))])
    values = shrunk[places] / total[kept_row] * believed[kept_row]
    return sparse.csr_array((values, other[places], ends), shape=together.shape)
