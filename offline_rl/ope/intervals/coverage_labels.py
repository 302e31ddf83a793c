"""What 95 % intervals cover where that is not about 95 %: the coverage study's findings as labels."""

from dataclasses import dataclass
from math import inf, isnan

from features.contracts.findings import Finding
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.choice import IntervalName
from offline_rl.ope.trust.contribution_tail import NEARLY, NO_VARIANCE, ContributionTail, tail_doubts

KEPT = (0.92, 0.98)
"""Coverage that a 95 % interval may have without a label."""
MEAN_WEIGHT_CONFIDENCE = 0.99
"""Confidence of the mean weight's interval, which shows whether a log lacks what the policy prefers."""
MEAN_WEIGHT_SLACK = 0.005
"""Deviation of the mean weight that rounded probabilities explain, as for the gate."""


@dataclass(frozen=True)
class Covered:
    """Least and largest coverage in logs of the study's worlds with fewer effective rounds than `below`."""

    below: float
    least: float
    most: float = KEPT[1]


STUDY: dict[IntervalName, tuple[Covered, ...]] = {
    "percentile": (Covered(15, 0.63), Covered(25, 0.88), Covered(100, 0.90), Covered(inf, KEPT[0])),
    "bca": (Covered(15, 0.62), Covered(25, 0.88), Covered(inf, KEPT[0])),
    "studentized": (
        Covered(15, 0.57),
        Covered(25, 0.87),
        Covered(100, KEPT[0], 0.99),
        Covered(inf, KEPT[0]),
    ),
    "student_t": (Covered(15, 0.18), Covered(25, 0.82), Covered(100, 0.89), Covered(inf, KEPT[0])),
}
"""name → coverage by the effective rounds that a log with a credible mean weight seems to have, ascending.

The least share among groups of 100 or more of a world's 400 logs, rounded down, unless it is within a
standard error of what is promised. tests/offline_rl/ope/test_interval_coverage.py tries the labels on other
logs. No label can show this: of 400 short logs of a heavy-tailed world up to 25 lacked its large weights by
luck, with a mean weight still credible; they seem light, have no label, and held the truth in as few as
17 %.
"""


def lacks_what_matters(mean_weight: Interval, supported_share: float) -> bool:
    """Return whether the mean weight is none that the log could have, given its interval at 99 %.

    A log that lacks the large weights looks better than it is: its effective sample is large, its interval
    short and wrong. In the study such intervals held the truth in no log at all, at worst. The mean weight of
    such a log is too small, which is its only sign.

    Without an interval, as from one cluster, nothing is known to be lacking.

    >>> lacks_what_matters(Interval(0.2, 0.4), supported_share=1.0)
    True
    """
    if isnan(mean_weight.lower):
        return False
    least, most = mean_weight.lower - MEAN_WEIGHT_SLACK, mean_weight.upper + MEAN_WEIGHT_SLACK
    return not least <= supported_share <= most


def honest_label(
    name: IntervalName, subject: str, effective_rounds: float, *, lacking: bool = False
) -> Finding | None:
    """Return what such intervals of a subject cover; None where they hold their confidence.

    effective_rounds: effective sample size over the design effect of clusters. lacking: `lacks_what_matters`.

    >>> honest_label("bca", "new", 20).numbers
    {'covered': 0.88, 'least': 15, 'under': 25}
    >>> honest_label("bca", "new", 300) is None
    True
    >>> honest_label("bca", "new", 300, lacking=True).numbers
    {'covered': 0.0}
    """
    rows = STUDY[name]
    # An effective sample that is not a number counts as the smallest.
    place = sum(effective_rounds >= row.below for row in rows)
    if place and lacking:
        return Finding("covers_less_at_odd_weights", subject, {"covered": 0.0})
    found = rows[place]
    size = {"least": rows[place - 1].below if place else 0.0, "under": found.below}
    if found.least < KEPT[0]:
        return Finding("covers_less", subject, {"covered": found.least, **size})
    if found.most > KEPT[1]:
        return Finding("covers_more", subject, {"covered": found.most, **size})
    return None


MONEY_STUDY: dict[IntervalName, float] = {
    "percentile": 0.68,
    "bca": 0.72,
    "studentized": 0.79,
    "student_t": 0.65,
}
"""name → least coverage in logs whose rewards have a tail that the gate refuses, in the study's money worlds.

Log-normal baskets with σ up to 2.5; heavier ones would cover less, down to nothing without a mean.
"""

MONEY_STUDY_NEAR: dict[IntervalName, float] = {
    "percentile": 0.62,
    "bca": 0.72,
    "studentized": 0.72,
    "student_t": 0.64,
}
"""name → the same in trusted logs with a tail index of 1.5 to 2 standard errors above its limit.

Of log-normal baskets with σ = 1.5, where few logs are trusted: 11 and 20 logs in two runs of 200 and 300, so
these are rough. With σ = 1 such logs held the truth in .97 of 26.
"""


def heavy_label(name: IntervalName, subject: str, tail: ContributionTail | None) -> Finding | None:
    """Return what such intervals cover where contributions have a heavy tail, or nearly; else None."""
    if tail is None:
        return None
    if tail_doubts(tail):
        return Finding("covers_less_at_heavy_tail", subject, {"covered": MONEY_STUDY[name]})
    if tail.exceeds(NO_VARIANCE, NEARLY):
        return Finding("covers_less_near_heavy_tail", subject, {"covered": MONEY_STUDY_NEAR[name]})
    return None
