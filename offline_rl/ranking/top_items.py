"""The top N of each user: from scores of a few items, and a list that stands behind them for everybody.

A user's score of an item is

    share[user] * base[item] + score[user, item]

with base the same for all users and score sparse. So the top N are among the scored items and the first
items of the base list, and the table of users and items is never made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from offline_rl.interactions import Bools, Floats, Ints
from offline_rl.ranking.largest import largest_of_rows

NO_ITEM = -1
"""What stands in places of a list that has fewer items."""

CELLS_AT_ONCE = 1 << 22
"""Cells of users and items that are ranked at once: about 300 MB while they are sorted."""


@dataclass(frozen=True, eq=False)
class TopItems:
    """item: int64 [b, N], the best first, -1 where fewer exist. score: float64 [b, N], 0 there."""

    item: Ints
    score: Floats

    @classmethod
    def joined(cls, parts: Sequence["TopItems"], n: int) -> "TopItems":
        """Return the lists of all parts, one after another; n: places of a list."""
        items = [np.zeros((0, n), dtype=np.int64), *(part.item for part in parts)]
        scores = [np.zeros((0, n)), *(part.score for part in parts)]
        return cls(np.concatenate(items), np.concatenate(scores))


def top_items(
    base: Floats,
    share: Floats,
    scores: sparse.csr_array,
    n: int,
    *,
    is_shown: Bools | None = None,
    left_out: sparse.csr_array | None = None,
) -> TopItems:
    """Return the N items with the highest scores above 0; of equal ones the lower index comes first.

    base: float64 [I], at least 0. share: float64 [b], at least 0. scores: [b, I], at least 0.
    is_shown: bool [I], items that can be shown; None: all. left_out: [b, I], what a user must not get.
    Raises ValueError unless n is at least 1 and is_shown has the length of base.

    >>> nothing = sparse.csr_array((1, 3))
    >>> top_items(np.array([0.2, 0.5, 0.0]), np.ones(1), nothing, 3).item.tolist()
    [[1, 0, -1]]
    """
    if n < 1:
        raise ValueError(f"a list of {n} items: ask for at least 1.")
    n_items = scores.shape[1]
    shown = np.ones(n_items, dtype=np.bool_) if is_shown is None else is_shown
    if shown.shape != (n_items,):
        raise ValueError(
            f"is_shown has shape {shown.shape}, but there are {n_items} items: give one for each."
        )
    held = None if left_out is None else _keys(left_out)
    table = scores.copy()
    table.sort_indices()
    row = np.repeat(np.arange(len(share)), np.diff(table.indptr))
    is_out = ~shown[table.indices] | _is_held(held, row * n_items + table.indices)
    table.data = np.where(is_out, 0.0, table.data + share[row] * base[table.indices])
    row, item, value = _best_scored(table, n)
    listed_row, listed = _listed(base, n, shown, left_out, len(share))
    # A scored item that is listed too is taken once, with its score. One that its score leaves outside of the
    # first n may come back by the list, but with less than that score: n others stand before it.
    key, first = np.unique(
        np.concatenate([row, listed_row]) * n_items + np.concatenate([item, listed]), return_index=True
    )
    value = np.concatenate([value, share[listed_row] * base[listed]])[first]
    is_kept = shown[key % n_items] & (value > 0) & ~_is_held(held, key)
    return _filled(_table(key[is_kept], value[is_kept], scores.shape), n)


def _best_scored(table: sparse.csr_array, n: int) -> tuple[Ints, Ints, Floats]:
    """Return user, item and value of the n largest entries of each user."""
    places = largest_of_rows(table, n)
    row = np.repeat(np.arange(table.shape[0]), np.minimum(np.diff(table.indptr), n))
    return row, table.indices[places].astype(np.int64), table.data[places]


def _listed(
    base: Floats, n: int, shown: Bools, left_out: sparse.csr_array | None, n_users: int
) -> tuple[Ints, Ints]:
    """Return user and item of each user's part of the list of everybody.

    What a user must not get can stand before what he gets: his part is longer by as much.
    """
    n_left_out = np.zeros(n_users, dtype=np.int64) if left_out is None else np.diff(left_out.indptr)
    row, place = _ragged(np.minimum(n + n_left_out, len(base)).astype(np.int64))
    return row, np.argsort(-np.where(shown, base, -1.0), kind="stable")[place]


def _filled(table: sparse.csr_array, n: int) -> TopItems:
    places = largest_of_rows(table, n)
    row, place = _ragged(np.minimum(np.diff(table.indptr), n).astype(np.int64))
    items = np.full((table.shape[0], n), NO_ITEM, dtype=np.int64)
    found = np.zeros((table.shape[0], n))
    items[row, place] = table.indices[places]
    found[row, place] = table.data[places]
    return TopItems(items, found)


def _ragged(length: Ints) -> tuple[Ints, Ints]:
    """Return row and place of every cell of rows of these lengths, row by row."""
    row = np.repeat(np.arange(len(length)), length)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)


def _table(key: Ints, value: Floats, shape: tuple[int, int]) -> sparse.csr_array:
    """Return a table of entries by their keys, row * columns + column, in ascending order."""
    first = np.concatenate([[0], np.cumsum(np.bincount(key // shape[1], minlength=shape[0]))])
    return sparse.csr_array((value, key % shape[1], first), shape=shape)


def _keys(table: sparse.csr_array) -> Ints:
    """Return the keys of a table's entries, sorted, with one at the end that no entry has."""
    entries = table.tocoo()
    return np.append(np.sort(entries.row.astype(np.int64) * table.shape[1] + entries.col), -1)


def _is_held(held: Ints | None, key: Ints) -> Bools:
    """Return which keys are among those of `_keys`."""
    if held is None:
        return np.zeros(len(key), dtype=np.bool_)
    is_held: Bools = held[np.searchsorted(held[:-1], key)] == key
    return is_held
