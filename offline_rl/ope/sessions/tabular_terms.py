"""Terms of tabular estimators: one row per session, nearly all zeros, and the way to place them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from offline_rl.ope.records import Floats, Ints


@dataclass(frozen=True, eq=False)
class Block:
    """A table of terms: where steps add what.

    shape: of the table, such as (T, S). rows: the steps that add something, as rows of the log.
    index: their places in the table, one integer vector per axis. amount: what each adds.
    """

    shape: tuple[int, ...]
    rows: Ints
    index: tuple[Ints, ...]
    amount: Floats

    @classmethod
    def of(cls, shape: tuple[int, ...], rows: Ints, index: Sequence[Ints], amount: Floats) -> Self:
        """The block of columns [n] of a log, at the given rows of it."""
        return cls(shape, rows, tuple(axis[rows] for axis in index), amount[rows])


def sparse_rows(blocks: Sequence[Block], position: Ints, n_sessions: int) -> csr_array:
    """Blocks side by side, each flattened, added up by session; shape [m, k].

    position: [n], the session of each row of the log.
    """
    sizes = [int(np.prod(block.shape)) for block in blocks]
    starts = np.cumsum([0, *sizes])
    columns = [
        start + np.ravel_multi_index(block.index, block.shape)
        for start, block in zip(starts[:-1].tolist(), blocks, strict=True)
    ]
    rows = [position[block.rows] for block in blocks]
    amounts = np.concatenate([block.amount for block in blocks])
    places = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((amounts, places), shape=(n_sessions, int(starts[-1])))


def tables(sums: Floats, shapes: Sequence[tuple[int, ...]]) -> list[Floats]:
    """Sums [..., k] of blocks side by side, cut and shaped back into tables [..., *shape].

    >>> [table.tolist() for table in tables(np.arange(6.0), [(2, 2), (2,)])]
    [[[0.0, 1.0], [2.0, 3.0]], [4.0, 5.0]]
    """
    sizes = [int(np.prod(shape)) for shape in shapes]
    parts = np.split(sums, np.cumsum(sizes)[:-1], axis=-1)
    return [part.reshape(*sums.shape[:-1], *shape) for part, shape in zip(parts, shapes, strict=True)]


def per_count(amounts: Floats, counts: Floats) -> Floats:
    """amounts / counts, 0 where nothing was counted; shapes broadcast.

    >>> per_count(np.array([1.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.25, 0.0]
    """
    quotient: Floats = np.divide(
        amounts, counts, out=np.zeros(np.broadcast_shapes(amounts.shape, counts.shape)), where=counts != 0
    )
    return quotient
