"""Many clusters added up into few random groups, so that a bootstrap costs the same for any log."""

import numpy as np

from offline_rl.ope.records import Ints

MOST_GROUPS = 2**15
"""Units that a resample draws at most."""


def grouped(cluster: Ints, seed: int = 0, most: int = MOST_GROUPS) -> Ints:
    """Return a group for each round, clusters kept whole; the clusters if there are at most `most`.

    Groups are a random partition into parts of equal size (give or take one cluster). The bootstrap may then
    draw groups in the place of clusters. Let c_i be the C clusters' centered sums, Σ c_i = 0, and S_g their
    sums over G groups of m = C / G. Two given clusters share a group with probability (m − 1) / (C − 1), and
    Σ_{i≠j} c_i c_j = −Σ c_i²; three alike, with Σ c_i c_j c_k = 2 Σ c_i³ over distinct i, j, k. On average
    over partitions

        E Σ S_g² = Σ c_i² · (C − m) / (C − 1),
        E Σ S_g³ = Σ c_i³ · (C − m) (C − 2m) / ((C − 1) (C − 2)).

    These sums are the variance and the third cumulant of the resampled total. So the standard error of the
    bootstrap shrinks by about 1 / 2G and the skewness by 3 / 2G of itself: nothing at G = 32,768. A single
    partition scatters the variance by a share of about √(2 / G), 0.8 %; 1,000 resamples by 4.5 %. A cluster
    that outweighs the log still does so in its group.

    Raises ValueError unless most is at least 2.

    >>> groups = grouped(np.array([7, 7, 8, 9, 10, 10]), most=2)
    >>> bool(groups[0] == groups[1]), bool(groups[4] == groups[5]), np.unique(groups).tolist()
    (True, True, [0, 1])
    """
    if most < 2:
        raise ValueError(f"{most} groups can't show how much a log varies: give at least 2.")
    clusters, position = np.unique(cluster, return_inverse=True)
    if len(clusters) <= most:
        return cluster
    # A stream of its own: the resamples' draws begin with the seed itself.
    group: Ints = np.random.default_rng([seed, 1]).permutation(len(clusters)) % most
    return group[position]
