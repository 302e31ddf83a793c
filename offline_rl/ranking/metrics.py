"""Metrics of ranked lists, by user: binary relevance, an item is what a user went for later, or it is not.

| metric | of a list's first k places |
|---|---|
| recall | share of the user's relevant items that stand there |
| precision | share of the k places that hold a relevant item; empty places count |
| ndcg | sum over relevant places r of 1 / log2(r + 1), over that of the best possible list |
| hit_rate | 1 where at least one relevant item stands there |
| mrr | 1 / place of the first relevant item, 0 without one |
| popularity_rank | mean rank of its items by popularity, 1 is the most popular: the larger, the more novel |
| coverage | of all users together: share of the items that could be shown that stand in any list |

Source: Jaervelin & Kekaelaeinen 2002, "Cumulated gain-based evaluation of IR techniques"; Herlocker et al.
2004, "Evaluating collaborative filtering recommender systems", for coverage and novelty.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy import sparse

from offline_rl.interactions import Bools, Floats, Ints
from offline_rl.ranking.top_items import NO_ITEM


def hits(top: Ints, relevant: sparse.csr_array) -> Bools:
    """Return which places of the lists [b, k] hold an item that is relevant to their user, bool [b, k].

    relevant: [b, I], an entry for each relevant item.

    >>> hits(np.array([[2, 0, -1]]), sparse.csr_array(np.array([[1.0, 0.0, 0.0]]))).tolist()
    [[False, True, False]]
    """
    n_items = relevant.shape[1]
    table = relevant.tocoo()
    held = np.sort(table.row.astype(np.int64) * n_items + table.col)
    key = np.arange(len(top))[:, None] * n_items + top
    place = np.searchsorted(held, key)
    found: Bools = (np.append(held, -1)[place] == key) & (top != NO_ITEM)
    return found


def recall(hit: Bools, n_relevant: Ints) -> Floats:
    """Return recall of each list [b].

    >>> recall(np.array([[False, True, True]]), np.array([4])).tolist()
    [0.5]
    """
    return np.asarray(hit.sum(axis=1) / n_relevant, dtype=np.float64)


def precision(hit: Bools, n_relevant: Ints) -> Floats:  # noqa: ARG001 one signature for all metrics
    """Return precision of each list [b].

    >>> precision(np.array([[False, True, False, False]]), np.array([4])).tolist()
    [0.25]
    """
    return np.asarray(hit.mean(axis=1), dtype=np.float64)


def ndcg(hit: Bools, n_relevant: Ints) -> Floats:
    """Return the normalized discounted cumulative gain of each list [b].

    One of two relevant items at place 3, worth 1 / log2(4), where places 1 and 2 could be had:

    >>> found = ndcg(np.array([[False, False, True]]), np.array([2]))
    >>> found.round(6).tolist() == [round(0.5 / (1 + 1 / np.log2(3)), 6)]
    True
    """
    k = hit.shape[1]
    gain = 1.0 / np.log2(np.arange(2, k + 2))
    best = np.cumsum(gain)[np.minimum(n_relevant, k) - 1]
    found: Floats = (hit @ gain) / best
    return found


def hit_rate(hit: Bools, n_relevant: Ints) -> Floats:  # noqa: ARG001
    """Return whether each list has a hit, 0 or 1, [b].

    >>> hit_rate(np.array([[False, True], [False, False]]), np.array([4, 4])).tolist()
    [1.0, 0.0]
    """
    return np.asarray(hit.any(axis=1), dtype=np.float64)


def mrr(hit: Bools, n_relevant: Ints) -> Floats:  # noqa: ARG001
    """Return the reciprocal rank of each list's first hit [b].

    >>> mrr(np.array([[False, True], [False, False]]), np.array([4, 4])).tolist()
    [0.5, 0.0]
    """
    return np.asarray(np.where(hit.any(axis=1), 1.0 / (hit.argmax(axis=1) + 1), 0.0), dtype=np.float64)


METRICS: Mapping[str, Callable[[Bools, Ints], Floats]] = {
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "hit_rate": hit_rate,
    "mrr": mrr,
}
"""Metrics of relevant items, each from 0 to 1, by their names in tables."""


def popularity_rank(top: Ints, rank: Ints) -> Floats:
    """Return the mean popularity rank of each list's items [b]; NaN for an empty list.

    rank: int64 [I], 1 for the most popular item (`popularity_ranks`).

    >>> popularity_rank(np.array([[0, 2], [1, -1]]), np.array([3, 2, 1])).tolist()
    [2.0, 2.0]
    """
    is_item = top != NO_ITEM
    total = np.where(is_item, rank[top], 0).sum(axis=1)
    count = is_item.sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(top), np.nan), where=count > 0)
    return mean


def popularity_ranks(counts: Floats) -> Ints:
    """Return the rank of each item by its count, 1 for the largest; of equal counts the lower index first.

    >>> popularity_ranks(np.array([1.0, 5.0, 1.0])).tolist()
    [2, 1, 3]
    """
    ranks = np.empty(len(counts), dtype=np.int64)
    ranks[np.argsort(-counts, kind="stable")] = np.arange(1, len(counts) + 1)
    return ranks


def coverage(top: Ints, n_shown: int) -> float:
    """Return share of the items that could be shown that stand in any of the lists; NaN where none could.

    >>> coverage(np.array([[0, 1], [1, -1]]), n_shown=4)
    0.5
    """
    n_listed = len(np.unique(top[top != NO_ITEM]))
    return n_listed / n_shown if n_shown else float("nan")
