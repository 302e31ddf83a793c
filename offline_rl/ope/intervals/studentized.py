"""The studentized bootstrap interval, or bootstrap-t."""

import numpy as np

from offline_rl.ope.bootstrap import Interval, percentile_interval
from offline_rl.ope.records import Floats


def studentized_interval(
    value: float, standard_error: float, resampled: Floats, resampled_errors: Floats, confidence: float
) -> Interval:
    """Return bootstrap-t interval [V − t_{1−α/2} SE, V − t_{α/2} SE], t the quantiles of (V_b − V) / SE_b.

    resampled, resampled_errors: value and standard error of each resample, shape [B]. Every resample is
    measured with its own yardstick, as the log is with its own. In small logs with heavy tails a resample
    that lacks the large weights has a tiny one, and the interval becomes very wide.

    Resamples without a value or a standard error above 0 are left out and counted. Ends are NaN where no
    value or standard error is left. Raises ValueError unless 0 < confidence < 1.
    Source: Efron & Tibshirani 1993, section 12.5; Hall 1988.

    >>> studentized_interval(1.0, 0.5, np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.0, 2.0]), 0.5)
    Interval(lower=0.875, upper=1.5, n_undefined=0)
    """
    if standard_error == 0:
        # Without a spread in the log there is none in its resamples.
        return percentile_interval(value, resampled, confidence)
    usable = np.isfinite(resampled) & (resampled_errors > 0)
    scores = (resampled[usable] - value) / resampled_errors[usable]
    scaled = percentile_interval(0.0, scores, confidence)
    return Interval(
        value - scaled.upper * standard_error,
        value - scaled.lower * standard_error,
        int(len(resampled) - usable.sum()),
    )
