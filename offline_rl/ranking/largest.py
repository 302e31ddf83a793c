"""The largest entries of each row of a sparse table, the same ones on every machine."""

from itertools import pairwise

import numpy as np
from scipy import sparse

from offline_rl.interactions import Ints


def largest_of_rows(table: sparse.csr_array, n: int) -> Ints:
    """Return the places of the n largest stored values of each row, row by row, the largest first.

    Of equal values the one in the lower column comes first. Places count the entries of `table.data`; a row
    with fewer entries gives what it has. Sorted columns within each row are required.

    >>> table = sparse.csr_array(np.array([[0.0, 5.0, 7.0, 7.0], [1.0, 0.0, 0.0, 0.0]]))
    >>> table.indices[largest_of_rows(table, 2)].tolist()
    [2, 3, 0]
    """
    kept = [np.zeros(0, dtype=np.int64)]
    data, ends = table.data, table.indptr.tolist()
    for start, end in pairwise(ends):
        values = data[start:end]
        if n <= 0 or start == end:
            continue
        places = np.arange(len(values))
        if len(values) > n:
            # All that tie with the last one are kept, so that the column decides and not the partition.
            least = np.partition(values, len(values) - n)[len(values) - n]
            places = np.flatnonzero(values >= least)
        first = np.argsort(-values[places], kind="stable")[:n]
        kept.append(start + places[first])
    return np.concatenate(kept)
