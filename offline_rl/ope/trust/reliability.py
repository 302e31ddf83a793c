"""Reliability of probabilities: are actions chosen as often as they are said to be?"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import norm, poisson

from offline_rl.ope.models.action_batches import PerAction, at_rows, batches
from offline_rl.ope.records import Ints
from offline_rl.ope.trust.square_root_z import square_root_z

EDGES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
"""Bins of probability, each with its upper edge and without its lower one."""


SPARSE = 100
"""Expected choices of a bin up to which a deficit is judged exactly."""


@dataclass(frozen=True)
class ReliabilityBin:
    """All pairs of a round and an action whose probability lies in (lower, upper].

    n_pairs: how many there are; expected: the sum of their probabilities; chosen: how many of the actions
    were logged; variance: that of chosen − expected, Σ_i P_i (1 − P_i) with P_i the probability that a
    round's action is in the bin, or the cluster-robust Σ_c (Σ_{i∈c} (chosen_i − P_i))² where rounds of a user
    repeat each other.
    """

    lower: float
    upper: float
    n_pairs: int
    expected: float
    chosen: int
    variance: float

    @property
    def z(self) -> float:
        """How far `chosen` is from `expected`, 2 (√chosen − √expected) / √(variance / expected).

        The variance is the promised one. That of the sample is nearly 0 where luck chose every action of a
        bin. Square roots are too bold about sparse bins, where none in place of five is z = -4.5 and has a
        chance of 0.7 %: there the deficit is judged by the Poisson distribution.
        """
        z = square_root_z(self.chosen, self.expected, dispersion=self.variance / self.expected)
        if z < 0 and self.expected < SPARSE:
            return max(z, float(norm.ppf(poisson.cdf(self.chosen, self.expected))))
        return z


@dataclass(frozen=True)
class Reliability:
    """Bins that hold any pair, in order, for n_rounds rounds."""

    bins: tuple[ReliabilityBin, ...]
    n_rounds: int

    @property
    def calibration_error(self) -> float:
        """Share of choices that are in another bin than promised, Σ_bins |chosen − expected| / (2 n), in
        0..1.

        >>> half = ReliabilityBin(0.3, 0.5, n_pairs=20, expected=10.0, chosen=4, variance=5.0)
        >>> rest = ReliabilityBin(0.5, 0.7, n_pairs=20, expected=10.0, chosen=16, variance=5.0)
        >>> Reliability((half, rest), n_rounds=20).calibration_error
        0.3
        """
        off = sum(abs(each.chosen - each.expected) for each in self.bins)
        return off / (2 * self.n_rounds)


def reliability(probabilities: PerAction, action: Ints, cluster: Ints, n_actions: int) -> Reliability:
    """Bins of the probabilities π(·∣x) that a log or a model gives, against the actions that were logged.

    probabilities: [n, A] or a function of row indices, read a batch at a time.
    Source: DeGroot & Fienberg 1983, "The comparison and evaluation of forecasters".
    """
    n, n_bins = len(action), len(EDGES) - 1
    clusters, position = np.unique(cluster, return_inverse=True)
    n_pairs, expected = np.zeros(n_bins, dtype=np.int64), np.zeros(n_bins)
    chosen = np.zeros(n_bins, dtype=np.int64)
    promised, off = np.zeros(n_bins), np.zeros((len(clusters), n_bins))
    for rows in batches(np.arange(n), n_actions):
        p = at_rows(probabilities, rows, n_actions, "probabilities").astype(np.float64)
        place = np.clip(np.searchsorted(EDGES, p, side="left") - 1, 0, n_bins - 1)
        row = np.arange(len(rows))
        logged = place[row, action[rows]]
        n_pairs += np.bincount(place[p > 0], minlength=n_bins)
        chosen += np.bincount(logged, minlength=n_bins)
        cell = (place + n_bins * row[:, np.newaxis]).ravel()
        in_bin = np.zeros((len(rows), n_bins))
        in_bin += np.bincount(cell, p.ravel(), in_bin.size).reshape(in_bin.shape)
        expected += in_bin.sum(axis=0)
        promised += (in_bin * (1 - in_bin)).sum(axis=0)
        in_bin[row, logged] -= 1.0
        np.subtract.at(off, position[rows], in_bin)
    variance = np.maximum(promised, np.square(off).sum(axis=0))
    return Reliability(
        bins=tuple(
            ReliabilityBin(
                lower, upper, int(n_pairs[b]), float(expected[b]), int(chosen[b]), float(variance[b])
            )
            for b, (lower, upper) in enumerate(pairwise(EDGES))
            if n_pairs[b] or chosen[b]
        ),
        n_rounds=n,
    )
