"""How often the intervals of nights hold the truth, with an interval that knows that nights overlap.

The holdouts of two nights of one shop share days, so their intervals hit or miss together. Shops are
independent: with s_i the share of nights of shop i whose interval holds the truth,

    mean(s) ± t sd(s) / √shops,   t of shops - 1 degrees of freedom.

Where all shops have the same share, as where every interval held, sd(s) is 0 and says nothing: then each shop
counts as one trial of an exact binomial interval. Of one shop alone, its nights count as trials, as if they
did not overlap: that interval is too short.

Source: Student 1908; Clopper & Pearson 1934.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from flows.simulations.loop.loop_day import LoopDay
from offline_rl.ope.intervals.student_t import student_t_interval
from offline_rl.ope.rare_rewards import clopper_pearson
from reports.summaries.loop_outcome import Coverage, CoverageMethod

CONFIDENCE = 0.95
"""Of the nights' intervals, and of that of their coverage."""


def coverage(days: Sequence[LoopDay]) -> Coverage | None:
    """Return the coverage of the days that have an interval and a truth; None where there are none."""
    held: dict[int, list[bool]] = {}
    for day in days:
        if day.lower is not None and day.upper is not None and day.truth is not None:
            held.setdefault(day.seed, []).append(day.lower <= day.truth <= day.upper)
    if not held:
        return None
    shares = [fmean(of_shop) for of_shop in held.values()]
    n_nights, share = sum(map(len, held.values())), fmean(shares)
    method: CoverageMethod
    if len(shares) == 1:
        method, interval = "one_shop", clopper_pearson(share * n_nights, n_nights, CONFIDENCE)
    elif max(shares) == min(shares):
        method, interval = "shops_alike", clopper_pearson(share * len(shares), len(shares), CONFIDENCE)
    else:
        error = stdev(shares) / sqrt(len(shares))
        method, interval = "t_over_shops", student_t_interval(share, error, len(shares), CONFIDENCE)
    return Coverage(share, max(0.0, interval.lower), min(1.0, interval.upper), n_nights, len(shares), method)
