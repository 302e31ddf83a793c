"""Folds for cross-fitting: whole clusters, whatever the order of the rows."""

import numpy as np

from offline_rl.ope.records import Ints


def folds_by_cluster(cluster: Ints, folds: int, seed: int) -> Ints:
    """Return the fold 0 .. folds − 1 of each round, shape [n]; all rounds of a cluster share one.

    Clusters are ordered by a hash of their index and the seed and dealt out in turn, so that folds differ by
    one cluster at most and the order of the rows is irrelevant.

    Raises ValueError for fewer than two folds, or more folds than clusters.

    >>> cluster = np.array([4, 9, 4, 2])
    >>> fold = folds_by_cluster(cluster, folds=3, seed=0)
    >>> bool(fold[0] == fold[2]), sorted(set(fold.tolist()))
    (True, [0, 1, 2])
    """
    clusters, position = np.unique(cluster, return_inverse=True)
    if folds < 2 or folds > len(clusters):
        raise ValueError(
            f"{len(clusters)} clusters can't be split into {folds} folds: give at least 2 folds, and at "
            "least as many clusters as folds."
        )
    rank = np.empty(len(clusters), dtype=np.int64)
    rank[np.lexsort((clusters, _mixed(clusters, seed)))] = np.arange(len(clusters))
    fold: Ints = (rank % folds)[position]
    return fold


def _mixed(keys: Ints, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """Return SplitMix64 of each key, started at the seed (Steele, Lea & Flood 2014)."""
    golden = 0x9E3779B97F4A7C15
    start = np.uint64(seed * golden % 2**64)
    mixed = keys.astype(np.uint64) + start + np.uint64(golden)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
