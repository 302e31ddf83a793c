"""Blocks of rows: how tables that would not fit into memory are made a part at a time."""

from collections.abc import Iterator

import numpy as np

from offline_rl.interactions import Ints


def row_blocks(cost: Ints, most: int) -> Iterator[slice]:
    """Yield consecutive rows whose costs add up to at most `most`; a row that costs more stands alone.

    >>> list(row_blocks(np.array([2, 2, 9, 1]), most=4))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    ends = np.cumsum(cost)
    start = 0
    while start < len(cost):
        spent = int(ends[start - 1]) if start else 0
        end = max(int(np.searchsorted(ends, spent + most, side="right")), start + 1)
        yield slice(start, end)
        start = end
