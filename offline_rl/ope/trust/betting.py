"""Tests by betting: exact for any number of clusters, whatever rounds of one cluster do together.

Normal approximations need many clusters: from one, a variance is 0 and every deviation infinitely sure; from
three that all drew the same action, too. A bet needs no variance. Whoever stakes a share of its money on each
cluster of a sum that should be 0 wins nothing on average; so money that has grown by a factor E was luck with
a chance of 1 / E at most (Ville 1939), be there one cluster or a million.
"""

from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.records import Floats, Ints

STAKES = 0.9 * 0.5 ** np.arange(15)
"""Shares of the money that are staked, all side by side: large ones win from few clusters with large
deviations, small ones from many with small."""

AT_ONCE = 2**16
"""Clusters whose gains are computed together (8 MB)."""


def log_e_value(deviation: Floats, worst_loss: float, times: Ints | Floats | None = None) -> float:
    """Return log E of the hypothesis that independent deviations d_c ≥ −worst_loss have means of 0 at most,

        E = mean over stakes s of ∏_c (1 + s d_c / worst_loss).

    deviation: [k], each as often as `times` [k] says; None: once. By the hypothesis P(E ≥ x) ≤ 1 / x.
    Clusters may be of any size and their rounds as dependent as can be. 0, no evidence, where the deviations
    do not add up to more than 0; ∞ where they do and nothing could be lost.

    Source: Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting"; the mixture
    over stakes is Robbins's (1970).

    A fair coin that pays 1 or takes 1, and one that only ever pays:

    >>> coin = np.array([1.0, -1.0])
    >>> log_e_value(coin, 1.0, np.array([50, 50])), round(log_e_value(coin, 1.0, np.array([20, 0])), 1)
    (0.0, 10.1)
    """
    often = np.ones(len(deviation)) if times is None else times
    total = float(deviation @ often)
    if total <= 0:
        return 0.0
    if worst_loss <= 0:
        return inf
    of_stake = np.zeros(len(STAKES))
    for start in range(0, len(deviation), AT_ONCE):
        gain = deviation[start : start + AT_ONCE] / worst_loss
        of_stake += np.log1p(np.outer(STAKES, np.maximum(gain, -1.0))) @ often[start : start + AT_ONCE]
    return max(0.0, float(np.logaddexp.reduce(of_stake)) - float(np.log(len(STAKES))))


def among_the_first(position: Ints) -> NDArray[np.bool_]:
    """Return which rounds a bet counts, [n]: the first of each cluster, up to twice their mean number.

    No stake may exceed what the largest cluster can lose, so a few large ones would drown all others. Rounds
    are cut off by their place and not by what happened in them: a sum that averages 0 until the cluster
    leaves does so, too, where we stop looking earlier (optional stopping). position: [n], the cluster of
    each round, counted from 0.

    >>> among_the_first(np.array([0, 0, 0, 0, 0, 1, 2, 3])).tolist()
    [True, True, True, True, False, True, True, True]
    """
    n, sizes = len(position), np.bincount(position)
    most = ceil(2 * n / len(sizes))
    if sizes.max() <= most:
        return np.ones(n, dtype=bool)
    order = np.argsort(position, kind="stable")
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return place < most
