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

    def first(self, n: int) -> "TopItems":
        """Return the first n places."""
        return TopItems(self.item[:, :n], self.score[:, :n])

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
    is_shown: bool [I], items that can be shown; None: all. left_out: [b, I], entries that a user must not get.
    Raises ValueError unless n is at least 1.

    >>> nothing = sparse.csr_array((1, 3))
    >>> top_items(np.array([0.2, 0.5, 0.0]), np.ones(1), nothing, 3).item.tolist()
    [[1, 0, -1]]
    """
    if n < 1:
        raise ValueError(f"a list of {n} items: ask for at least 1.")
    n_users, n_items = scores.shape
    shown = np.ones(n_items, dtype=np.bool_) if is_shown is None else is_shown
    # What a user must not get can stand before what he gets: his part of the list is longer by as much.
    n_left_out = np.zeros(n_users, dtype=np.int64) if left_out is None else np.diff(left_out.indptr)
    length = np.minimum(n + n_left_out, n_items).astype(np.int64)
    by_base = np.argsort(-np.where(shown, base, -1.0), kind="stable")
    listed_row, place = _ragged(length)
    scored = scores.tocoo()
    row = np.concatenate([scored.row.astype(np.int64), listed_row])
    item = np.concatenate([scored.col.astype(np.int64), by_base[place]])
    key, first = np.unique(row * n_items + item, return_index=True)
    of_item = np.concatenate([scored.data, np.zeros(len(listed_row))])[first]
    row, item = key // n_items, key % n_items
    value = share[row] * base[item] + of_item
    is_kept = shown[item] & (value > 0)
    if left_out is not None:
        is_kept &= ~_holds(left_out, key)
    table = _table(row[is_kept], item[is_kept], value[is_kept], (n_users, n_items))
    places = largest_of_rows(table, n)
    found_row, place = _ragged(np.minimum(np.diff(table.indptr), n).astype(np.int64))
    items = np.full((n_users, n), NO_ITEM, dtype=np.int64)
    found = np.zeros((n_users, n))
    items[found_row, place] = table.indices[places]
    found[found_row, place] = table.data[places]
    return TopItems(items, found)


def _ragged(length: Ints) -> tuple[Ints, Ints]:
    """Return row and place of every cell of rows of these lengths, row by row."""
    row = np.repeat(np.arange(len(length)), length)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)


def _table(row: Ints, item: Ints, value: Floats, shape: tuple[int, int]) -> sparse.csr_array:
    """Return a table of entries that come sorted by row and item."""
    first = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
    return sparse.csr_array((value, item, first), shape=shape)


def _holds(table: sparse.csr_array, key: Ints) -> Bools:
    """Return whether entries row * n_items + item are in a table."""
    coordinates = table.tocoo()
    held = np.sort(coordinates.row.astype(np.int64) * table.shape[1] + coordinates.col)
    place = np.searchsorted(held, key)
    return np.concatenate([held, [-1]])[place] == key
