"""Importance weights by size: bands with their share of the rounds and of all weight."""

from itertools import pairwise

import numpy as np

from offline_rl.ope.records import Floats
from reports.summaries.policy_answer import WeightBand

ENDS = (0.0, 0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, np.inf)
"""Ends of the bands; the first band has the rounds whose action the policy never takes."""


def weight_bands(weight: Floats) -> tuple[WeightBand, ...]:
    """Return the bands up to the largest weight.

    >>> for band in weight_bands(np.array([0.0, 0.5, 1.5, 6.0])):
    ...     print(band.least, band.most, band.share_of_rounds, band.share_of_weight)
    0.0 0.0 0.25 0.0
    0.0 0.5 0.25 0.0625
    0.5 1.0 0.0 0.0
    1.0 2.0 0.25 0.1875
    2.0 5.0 0.0 0.0
    5.0 10.0 0.25 0.75
    """
    band_of_round = np.searchsorted(ENDS[1:], weight, side="left")
    n_bands = int(band_of_round.max()) + 1
    rounds = np.bincount(band_of_round, minlength=n_bands) / len(weight)
    held = np.bincount(band_of_round, weight, n_bands) / (weight.sum() or 1.0)
    return tuple(
        WeightBand(least, most, float(share), float(of_weight))
        for (least, most), share, of_weight in zip(pairwise(ENDS), rounds, held, strict=False)
    )
