"""Reliability of probabilities: are actions chosen as often as they are said to be?"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from offline_rl.ope.models.action_batches import PerAction, at_rows, batches
from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.trust.betting import among_the_first, log_e_value
from offline_rl.ope.trust.propensity_identities import TOO_LARGE, TOO_SMALL

EDGES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
"""Edges of the bins of probability; a bin includes its upper edge."""


@dataclass(frozen=True)
class ReliabilityBin:
    """All pairs of a round and an action whose probability lies in (lower, upper].

    n_pairs: how many there are; expected: the sum of their probabilities; chosen: how many of the actions
    were logged. log_e_value: evidence that these are too many or too few (`betting`), the larger of the two;
    one of up to 0.5 % is none.
    """

    lower: float
    upper: float
    n_pairs: int
    expected: float
    chosen: int
    log_e_value: float = 0.0


@dataclass(frozen=True)
class Reliability:
    """Bins that hold any pair, in order, for n_rounds rounds."""

    bins: tuple[ReliabilityBin, ...]
    n_rounds: int

    @property
    def calibration_error(self) -> float:
        """Share of choices that are in another bin than promised, Σ_bins |chosen − expected| / (2 n), in
        0..1.

        >>> half = ReliabilityBin(0.3, 0.5, n_pairs=20, expected=10.0, chosen=4)
        >>> rest = ReliabilityBin(0.5, 0.7, n_pairs=20, expected=10.0, chosen=16)
        >>> Reliability((half, rest), n_rounds=20).calibration_error
        0.3
        """
        off = sum(abs(each.chosen - each.expected) for each in self.bins)
        return off / (2 * self.n_rounds)


def reliability(probabilities: PerAction, action: Ints, cluster: Ints, n_actions: int) -> Reliability:
    """Compare the probabilities π(·∣x) of a log or a model, in bins, with the actions that were logged.

    probabilities: [n, A] or a function of row indices, read a batch at a time.
    Source: DeGroot & Fienberg 1983, "The comparison and evaluation of forecasters".
    """
    n, n_bins = len(action), len(EDGES) - 1
    _, position = np.unique(cluster, return_inverse=True)
    counted = among_the_first(position)
    n_pairs, expected = np.zeros(n_bins, dtype=np.int64), np.zeros(n_bins)
    chosen = np.zeros(n_bins, dtype=np.int64)
    took, promised = np.zeros((2, int(position.max()) + 1, n_bins))
    for rows in batches(np.arange(n), n_actions):
        p = at_rows(probabilities, rows, n_actions, "probabilities").astype(np.float64)
        place = np.clip(np.searchsorted(EDGES, p, side="left") - 1, 0, n_bins - 1)
        row = np.arange(len(rows))
        logged = place[row, action[rows]]
        n_pairs += np.bincount(place[p > 0], minlength=n_bins)
        chosen += np.bincount(logged, minlength=n_bins)
        cell = (place + n_bins * row[:, np.newaxis]).ravel()
        in_bin = np.bincount(cell, p.ravel(), len(rows) * n_bins).reshape(len(rows), n_bins)
        expected += in_bin.sum(axis=0)
        of_bet = counted[rows]
        np.add.at(promised, position[rows][of_bet], in_bin[of_bet])
        np.add.at(took, (position[rows][of_bet], logged[of_bet]), 1.0)
    most = float(np.bincount(position[counted]).max())
    return Reliability(
        bins=tuple(
            ReliabilityBin(
                lower,
                upper,
                int(n_pairs[b]),
                float(expected[b]),
                int(chosen[b]),
                _evidence(took[:, b], promised[:, b], most),
            )
            for b, (lower, upper) in enumerate(pairwise(EDGES))
            if n_pairs[b] or chosen[b]
        ),
        n_rounds=n,
    )


def _evidence(took: Floats, promised: Floats, most: float) -> float:
    """Return larger log e-value against choices that are not too many and not too few; both columns are [C].

    most: rounds that a cluster has at most, so choices, too.
    """
    too_many = log_e_value(took - TOO_LARGE * promised, TOO_LARGE * float(promised.max()))
    return max(too_many, log_e_value(TOO_SMALL * promised - took, most))
