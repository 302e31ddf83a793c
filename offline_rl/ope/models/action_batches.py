"""Per-action columns [n, A], read a batch of rows at a time, so that none need ever be held whole."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.records import Ints

NUMBERS_IN_MEMORY = 2**20
"""Numbers of a batch [m, A] (8 MB of float64)."""

PerAction = NDArray[Any] | Callable[[Ints], NDArray[Any]]
"""An array [n, A], or a function that returns rows by their indices [m], shape [m, A]."""


def batches(rows: Ints, n_actions: int) -> Iterator[Ints]:
    """Yield the rows in runs that are short enough for [m, A] numbers to stay in memory."""
    step = max(1, NUMBERS_IN_MEMORY // n_actions)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def at_rows(per_action: PerAction, rows: Ints, n_actions: int, name: str) -> NDArray[Any]:
    """Return the rows of a per-action column, shape [m, A].

    Raises ValueError where another shape comes back.
    """
    block = np.asarray(per_action(rows) if callable(per_action) else per_action[rows])
    if block.shape != (len(rows), n_actions):
        raise ValueError(
            f"{name} gave shape {block.shape} for {len(rows)} rounds and {n_actions} actions: give one "
            "number per round and action."
        )
    return block


def check_actions(action: Ints, n_actions: int) -> None:
    """Raise ValueError naming the first round whose action is not one of 0 .. n_actions − 1."""
    bad = (action < 0) | (action >= n_actions)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"row {row}: action is {action[row]}, but there are {n_actions} actions, counted from 0. Index "
            "the actions anew, or say that there are more."
        )
