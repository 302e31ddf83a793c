"""The interval that a question asks for, and the bounds that intervals for a known range need."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from features.contracts.findings import Finding, finding
from features.errors import UsageError
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.choice import INTERVAL_NAMES, IntervalName
from offline_rl.ope.intervals.clopper_pearson import weighted_clopper_pearson_interval
from offline_rl.ope.intervals.confidence_sequence import confidence_sequence
from offline_rl.ope.intervals.cressie_read import cressie_read_interval
from offline_rl.ope.intervals.empirical_bernstein import empirical_bernstein_interval
from offline_rl.ope.intervals.known_range import KnownRange
from offline_rl.ope.records import EvaluationRounds

DEFAULT: IntervalName = "bca"

OF_KNOWN_RANGE: dict[str, Callable[[EvaluationRounds, KnownRange, float], Interval]] = {
    "cressie_read": cressie_read_interval,
    "confidence_sequence": confidence_sequence,
    "empirical_bernstein": empirical_bernstein_interval,
    "clopper_pearson": weighted_clopper_pearson_interval,
}
"""Name of an interval for rewards of a known range → the function that computes it.

Each name is also the code of the finding that says how it was made."""

FINITE_WEIGHT = ("empirical_bernstein", "clopper_pearson")
"""Intervals that need a bound on the weights."""


@dataclass(frozen=True)
class AskedInterval:
    """The interval of every estimate.

    resampled: name of the interval of differences, and of values too where bounds is None.
    name: one of `OF_KNOWN_RANGE` where bounds is given. That interval is of the policy's value by weights and
    rewards, the same for every estimator.
    """

    name: str
    resampled: IntervalName
    bounds: KnownRange | None = None

    def made_by(self, policy: str) -> Finding:
        """Return how the interval of a known range is made; a bound that is infinite is left out."""
        assert self.bounds is not None
        b = self.bounds
        return finding(self.name, policy, lowest=b.lowest, highest=b.highest, max_weight=b.max_weight)

    def ends(self, rounds: EvaluationRounds, confidence: float, *, is_logged: bool = False) -> Interval:
        """Return the interval of a known range.

        is_logged: whether it is of the logging policy, whose weights are 1.

        Raises ValueError for a round beyond the bounds, and where rounds share a cluster.
        """
        assert self.bounds is not None
        bounds = KnownRange(self.bounds.lowest, self.bounds.highest, 1.0) if is_logged else self.bounds
        return OF_KNOWN_RANGE[self.name](rounds, bounds, confidence)


def asked_interval(
    name: str, reward_range: tuple[float, float] | None, max_weight: float | None
) -> AskedInterval:
    """Return the interval of a name, in upper or lower case.

    reward_range, max_weight: the options `--reward-range` and `--max-weight`, None where not given.

    Raises UsageError for an unknown name, for a missing bound that the interval needs, and for a bound that
    it doesn't use.

    >>> asked_interval("bca", None, None).resampled
    'bca'
    """
    name = name.strip().lower()
    for resampled in INTERVAL_NAMES:
        if name == resampled:
            if reward_range is not None or max_weight is not None:
                raise UsageError(
                    f"--interval {name} uses no bounds: leave out --reward-range and --max-weight, or take "
                    f"one of {', '.join(OF_KNOWN_RANGE)}."
                )
            return AskedInterval(name, resampled)
    if name not in OF_KNOWN_RANGE:
        raise UsageError(
            f"{name!r} is not a known interval. Known are {', '.join([*INTERVAL_NAMES, *OF_KNOWN_RANGE])}."
        )
    if reward_range is None:
        raise UsageError(
            f"--interval {name} is for rewards of a known range only: give the smallest and largest reward "
            "that can occur, not those of the file, such as --reward-range 0 1; or take "
            f"{', '.join(INTERVAL_NAMES)}."
        )
    try:
        bounds = KnownRange(*reward_range, math.inf if max_weight is None else max_weight)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if name in FINITE_WEIGHT and math.isinf(bounds.max_weight):
        raise UsageError(
            f"--interval {name} needs a bound on the weights: give --max-weight, at most 1 divided by the "
            "smallest probability of a logged action; or take cressie_read or confidence_sequence."
        )
    return AskedInterval(name, DEFAULT, bounds)
