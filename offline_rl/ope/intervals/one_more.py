"""Intervals whose ends allow for one more cluster like the largest in the log."""

import numpy as np

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.records import Floats


def reaching_one_more(interval: Interval, value: float, left_out: Floats) -> Interval:
    """Return interval with each end moved out by the largest move that one cluster makes in its direction.

        lower − max_g (V_(−g) − V)₊,   upper + max_g (V − V_(−g))₊.

    left_out: the value V_(−g) without each cluster in turn, shape [C]. No resample holds an order that the
    log does not hold, and what lies beyond the largest one can be about as much of the mean as the largest
    itself. Karampatziakis, Langford & Mineiro 2020, "Empirical likelihood for contextual bandits", reckon
    with one unseen round of the largest possible reward; where rewards have no bound, the largest that was
    seen takes its place. So this guarantees nothing: COVERAGE.md says what the ends hold. Of a mean over C
    clusters the upper end moves by (c_max − V) / (C − 1).

    Mean 2 of 0, 0, 0 and 8; without the 8 it is 0, without a 0 it is 8/3:

    >>> reaching_one_more(Interval(0.0, 6.0), 2.0, np.array([8 / 3, 8 / 3, 8 / 3, 0.0]))
    Interval(lower=-0.6666666666666665, upper=8.0, n_undefined=0)
    """
    moves = value - left_out[np.isfinite(left_out)]
    if len(moves) == 0 or not np.isfinite(interval.lower):
        return interval
    return Interval(
        interval.lower + min(float(moves.min()), 0.0),
        interval.upper + max(float(moves.max()), 0.0),
        interval.n_undefined,
    )
