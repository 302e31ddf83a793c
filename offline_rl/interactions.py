"""Interactions: who did what with which item, when, and how strongly; all that most shops log.

Nothing says what had been shown, so nothing here can be evaluated off-policy: rankers learn from earlier
interactions and are measured by later ones (`offline_rl.ranking`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAY = 86_400_000_000
"""Microseconds of a day."""


@dataclass(frozen=True, eq=False)
class Interactions:
    """Columns of n acts, sorted by user, moment, item and weight: the order of a file changes no result.

    user: int64 [n], 0 .. n_users - 1. item: int64 [n], 0 .. n_items - 1.
    weight: float64 [n], above 0: strength of the act; the caller says what a purchase counts beside a view.
    moment: int64 [n], microseconds since 1970-01-01 UTC.
    is_purchase: bool [n], acts that recommendations are meant to bring about; None: every act is one.

    Raises ValueError naming the column, and the first offending row (counted from 0): columns of different
    lengths or types, an index out of range, a weight that is not a finite number above 0.

    >>> acts = Interactions(np.array([1, 0]), np.array([0, 2]), np.ones(2), np.array([5, 9]), 2, 3)
    >>> acts.user.tolist(), acts.item.tolist(), acts.is_purchase.tolist()
    ([0, 1], [2, 0], [True, True])
    """

    user: Ints
    item: Ints
    weight: Floats
    moment: Ints
    n_users: int
    n_items: int
    is_purchase: Bools | None = None

    def __post_init__(self) -> None:
        if self.n_users < 0 or self.n_items < 0:
            raise ValueError(f"{self.n_users} users and {self.n_items} items: neither may be negative.")
        n = len(self.user)
        columns: dict[str, NDArray[Any]] = {
            "user": _indices("user", self.user, n, self.n_users),
            "item": _indices("item", self.item, n, self.n_items),
            "weight": _weights(self.weight, n),
            "moment": _whole("moment", self.moment, n),
            "is_purchase": _purchases(self.is_purchase, n),
        }
        keys = [columns[name] for name in ("user", "moment", "item", "weight", "is_purchase")]
        order = None if _is_sorted(keys) else np.lexsort(keys[::-1])
        for name, column in columns.items():
            stored = (column if order is None else column[order]).view()
            stored.flags.writeable = False
            object.__setattr__(self, name, stored)

    @property
    def n(self) -> int:
        """Number of acts."""
        return len(self.user)

    @property
    def purchases(self) -> Bools:
        """Which acts are purchases, bool [n]."""
        assert self.is_purchase is not None, "filled in when made"
        return self.is_purchase

    def select(self, rows: Bools | Ints) -> "Interactions":
        """Return the acts where a mask is true, or at these places; users and items keep their numbers."""
        return Interactions(
            self.user[rows],
            self.item[rows],
            self.weight[rows],
            self.moment[rows],
            self.n_users,
            self.n_items,
            self.purchases[rows],
        )

    def between(self, start: int | None, end: int | None) -> "Interactions":
        """Return the acts with start <= moment < end, in microseconds; None: no bound on that side."""
        rows = np.ones(self.n, dtype=np.bool_)
        if start is not None:
            rows &= self.moment >= start
        if end is not None:
            rows &= self.moment < end
        return self.select(rows)

    def faded(self, now: int | Ints, half_life_days: float) -> Floats:
        """Return the weights [n] halved for every half-life between an act and `now`.

        >>> acts = Interactions(np.array([0]), np.array([0]), np.array([8.0]), np.array([0]), 1, 1)
        >>> acts.faded(3 * DAY, half_life_days=1.5).tolist()
        [2.0]
        """
        return self.weight * np.exp2((self.moment - now) / DAY / half_life_days)


def _is_sorted(keys: list[NDArray[Any]]) -> bool:
    """Return whether rows are in the order of the keys, the first one counting most."""
    is_tied = np.ones(max(len(keys[0]) - 1, 0), dtype=np.bool_)
    for key in keys:
        if bool((is_tied & (key[1:] < key[:-1])).any()):
            return False
        is_tied &= key[1:] == key[:-1]
    return True


def _column(name: str, column: NDArray[Any], n: int, kinds: str, wanted: str) -> NDArray[Any]:
    array = np.asarray(column)
    if array.shape != (n,):
        raise ValueError(f"{name} has shape {array.shape}, but there are {n} acts: give one value per act.")
    if array.dtype.kind not in kinds:
        raise ValueError(f"{name} holds {array.dtype} values: give {wanted}.")
    return array


def _whole(name: str, column: NDArray[Any], n: int) -> Ints:
    return _column(name, column, n, "iu", "whole numbers").astype(np.int64, copy=False)


def _indices(name: str, column: NDArray[Any], n: int, limit: int) -> Ints:
    indices = _whole(name, column, n)
    _refuse(name, indices, (indices < 0) | (indices >= limit), f"It must lie in 0..{limit - 1}.")
    return indices


def _weights(column: NDArray[Any], n: int) -> Floats:
    weights = _column("weight", column, n, "fiu", "numbers").astype(np.float64, copy=False)
    is_wrong = ~(np.isfinite(weights) & (weights > 0))
    _refuse("weight", weights, is_wrong, "It must be a finite number above 0: leave out acts of no weight.")
    return weights


def _purchases(column: NDArray[Any] | None, n: int) -> Bools:
    if column is None:
        return np.ones(n, dtype=np.bool_)
    return _column("is_purchase", column, n, "b", "True or False").astype(np.bool_, copy=False)


def _refuse(name: str, numbers: NDArray[Any], is_wrong: Bools, what_next: str) -> None:
    if is_wrong.any():
        row = int(np.argmax(is_wrong))
        raise ValueError(f"row {row}: {name} is {numbers[row]:g}. {what_next}")
