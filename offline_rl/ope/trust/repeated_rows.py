"""Rows that repeat: more often than chance allows, as if a log had been delivered twice.

Legitimate rows repeat too. Of a binary reward in a few contexts there are a dozen kinds of rows, and nothing
but chance decides how often each occurs. So repeats are held against chance, in four ways that each call
fewer than one correct log in a million doubtful (LEVEL):

| way | what chance says |
|---|---|
| whole | a log that is one stretch of rows, two to MOST_COPIES times over: less than Σ p²  per row |
| in a row | rows 0 and 1, 2 and 3, and so on are always equal, but rows 1 and 2, 3 and 4 are not |
| even | a kind of row occurs an even number of times with a chance of at most ½ |
| pairs | this many kinds that occur twice don't fit with this few that occur once and three times |

The first two use the order of rows, and work with few kinds of rows too. The others find rows that were
delivered twice and shuffled, or only some of them, where there are many kinds. What can't be found: few kinds
of rows, shuffled; and a small share of a log, which hardly shortens an interval.

Where rounds of a cluster may depend on each other, a user who sees the same again and again is not a fault.
There the rows are compared inside each cluster that has at least two kinds of them, and `pairs` is not used.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, pdtr

from offline_rl.ope.records import Ints

LEVEL = 1e-6

MOST_COPIES = 10
"""Most copies of a stretch of rows that a repeated delivery explains; more are by design."""

FEWEST_DIFFERENT = 30
"""Fewest neighbors that must differ for their order to be tested."""

Way = Literal["whole", "in a row", "even", "pairs"]
Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Repetition:
    """n_repeated of n_rows are the same as an earlier row; in what way that is beyond chance, None if not.

    n_copies: how many times a log that repeats as a whole does.
    """

    n_rows: int
    n_repeated: int
    way: Way | None
    n_copies: int = 0


def repetition(key: Keys, cluster: Ints | None = None) -> Repetition:
    """Compare rows with chance.

    key: [n], equal for rows that are equal in every column, in the order of the log. cluster: [n], whose
    rounds may depend on each other; None where all rounds are taken as independent.

    >>> delivered = np.random.default_rng(0).integers(0, 8, 200).astype(np.uint64)
    >>> repetition(delivered).way is None, repetition(np.tile(delivered, 2))
    (True, Repetition(n_rows=400, n_repeated=392, way='whole', n_copies=2))
    """
    n = len(key)
    kinds, kind, times = np.unique(key, return_inverse=True, return_counts=True)
    n_repeated = n - len(kinds)
    if not n_repeated:
        return Repetition(n, 0, None)
    copies = _copies(kind)
    if copies:
        return Repetition(n, n_repeated, "whole", copies)
    if _in_a_row(kind, cluster):
        return Repetition(n, n_repeated, "in a row")
    if cluster is not None:
        return Repetition(n, n_repeated, "even" if _even_in_clusters(kind, cluster) else None)
    if _too_many_even(int((times % 2 == 0).sum()), len(kinds)):
        return Repetition(n, n_repeated, "even")
    once, twice, thrice = (int((times == k).sum()) for k in (1, 2, 3))
    return Repetition(n, n_repeated, "pairs" if _pairs_without_triples(once, twice, thrice) else None)


def _copies(kind: Ints) -> int:
    """Return how many times a log is the same stretch of rows; 0 where it is not, or by design."""
    n = len(kind)
    divisors = 2 + np.flatnonzero(n % np.arange(2, n + 1) == 0)
    counts = [k for k in divisors.tolist() if _repeats_after(n // k, kind)]
    if not counts or max(counts) > MOST_COPIES:
        return 0
    stretch = kind[: n // max(counts)]
    collision = float(np.square(np.bincount(stretch) / len(stretch)).sum())
    return max(counts) if len(stretch) * log(collision) < log(LEVEL) else 0


def _repeats_after(period: int, kind: Ints) -> bool:
    # A thousand rows are enough to clear most logs.
    first = slice(period, min(period + 1000, len(kind)))
    same = np.array_equal(kind[: first.stop - period], kind[first])
    return same and np.array_equal(kind[:-period], kind[period:])


def _in_a_row(kind: Ints, cluster: Ints | None) -> bool:
    """Return whether rows 2i and 2i + 1 are always equal, and rows 2i + 1 and 2i + 2 often are not."""
    n = len(kind)
    if n % 2 or (kind[::2] != kind[1::2]).any():
        return False
    differs = kind[1:-1:2] != kind[2::2]
    if cluster is not None:
        differs &= cluster[1:-1:2] == cluster[2::2]
    return int(differs.sum()) >= FEWEST_DIFFERENT


def _too_many_even(n_even: int, n_kinds: int) -> bool:
    """Return whether even numbers of occurrences are too many for a coin, by the sign test.

    For independent rows P(even, not 0) − P(odd) = e^(−2μ) − e^(−μ) < 0 at a mean of μ occurrences, so a fair
    coin is on the safe side.
    """
    return n_even > 0 and float(bdtrc(n_even - 1, n_kinds, 0.5)) < LEVEL


def _even_in_clusters(kind: Ints, cluster: Ints) -> bool:
    """Return whether too many of the clusters with two kinds of rows or more have an even number of each.

    A cluster of m draws has that with a chance of at most ½, given that it has two kinds; a user who always
    sees the same has one kind, and says nothing.
    """
    _, position = np.unique(cluster, return_inverse=True)
    pairs, times = np.unique(position * (int(kind.max()) + 1) + kind, return_counts=True)
    of = pairs // (int(kind.max()) + 1)
    n_kinds = np.bincount(of)
    n_odd = np.bincount(of, times % 2)
    several = n_kinds > 1
    return _too_many_even(int((n_odd[several] == 0).sum()), int(several.sum()))


def _pairs_without_triples(once: int, twice: int, thrice: int) -> bool:
    """Return whether kinds that occur three times are too few, given those that occur once and twice.

    For independent rows the expected numbers f_k of kinds that occur k times obey f_3 ≥ 2 f_2² / (3 f_1), by
    the inequality of Cauchy and Schwarz, however rare or frequent each kind is. f_1 and f_2 are taken four
    standard deviations to the safe side.
    """
    few_twice, many_once = twice - 4 * sqrt(twice), once + 4 * sqrt(once) + 4
    if few_twice <= 0:
        return False
    return float(pdtr(thrice, 2 * few_twice**2 / (3 * many_once))) < LEVEL
