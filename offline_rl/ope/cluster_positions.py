"""A place for each cluster, to sum by."""

import numpy as np

from offline_rl.ope.records import Ints


def cluster_positions(cluster: Ints) -> Ints:
    """Return a place from 0 for each cluster, some of them empty where indices have gaps.

    >>> cluster_positions(np.array([7, 9, 7])).tolist()
    [0, 2, 0]
    """
    first, last = int(cluster.min()), int(cluster.max())
    # Users are mostly numbered in a row, and counting is ten times faster than sorting.
    if last - first < 4 * len(cluster):
        return cluster - first
    return np.unique(cluster, return_inverse=True)[1]
