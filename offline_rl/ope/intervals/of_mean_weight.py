"""The interval of a policy's mean weight, which shows what the log lacks."""

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.contrast import Contrast
from offline_rl.ope.estimators.mean_weight import MeanWeight
from offline_rl.ope.intervals.choice import Replicated
from offline_rl.ope.intervals.linearization import resampled_standard_errors
from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.summed_log import SummedLog


def mean_weight_interval(
    log: SummedLog, place: Ints, row: int, confidence: float, *, value: float, resampled: Floats
) -> Interval:
    """Return the percentile interval of a mean weight; NaN from one cluster, at least Student's from few."""
    contrast = Contrast.of(MeanWeight(), place)
    replicated = Replicated(
        log,
        contrast,
        row,
        value,
        resampled,
        lambda: resampled_standard_errors(log, [contrast], [row])[0, 0],
    )
    return replicated.interval("percentile", confidence)
