"""What is known about rewards and weights before the log is seen."""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.records import FLOAT32_SLACK, EvaluationRounds, Floats


@dataclass(frozen=True)
class KnownRange:
    """Bounds that hold by design, for intervals whose promise rests on them.

    lowest, highest: least and largest reward that a round can earn, in the reward's unit.
    max_weight: the largest weight that the two policies can produce, such as 1 / 0.02 where the logging
        policy gives every action at least 2 %; ∞ where no bound is known.

    The largest value of the sample is not such a bound: it is too small just when the log lacks the rounds
    that matter, and an interval built on it promises what it can't keep.

    Raises ValueError unless lowest < highest are finite and max_weight is at least 1, as weights that average
    to 1 must be.

    >>> KnownRange(lowest=0, highest=500, max_weight=50).scaled(Interval(0.1, 0.2))
    Interval(lower=50.0, upper=100.0, n_undefined=0)
    """

    lowest: float
    highest: float
    max_weight: float

    def __post_init__(self) -> None:
        if not (isfinite(self.lowest) and isfinite(self.highest) and self.lowest < self.highest):
            raise ValueError(
                f"a reward from {self.lowest:g} to {self.highest:g} has no range: give two finite numbers, "
                "the smaller one first."
            )
        if not self.max_weight >= 1:
            raise ValueError(
                f"max_weight is {self.max_weight:g}, but weights average to 1: give 1 divided by the least "
                "probability of a logged action, or inf."
            )

    def shares(self, rounds: EvaluationRounds, confidence: float) -> tuple[Floats, Floats]:
        """Return weights, and rewards as shares of their range, of rounds that keep to the bounds; each [n].

        Raises ValueError where a round breaks a bound, where rounds share a cluster and so are not
        independent evidence, where there are fewer than two, and unless 0 < confidence < 1.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
        if rounds.n < 2:
            raise ValueError(f"{rounds.n} rounds have no spread: this interval needs at least 2.")
        if len(np.unique(rounds.cluster)) < rounds.n:
            raise ValueError(
                "several rounds belong to one cluster, and this interval needs independent rounds: "
                "take a bootstrap interval, which draws whole clusters."
            )
        weight, reward = rounds.weight, rounds.reward
        _refuse("weight", weight, weight > self.max_weight * (1 + FLOAT32_SLACK), f"{self.max_weight:g}")
        beyond = (reward < self.lowest) | (reward > self.highest)
        _refuse("reward", reward, beyond, f"{self.lowest:g} to {self.highest:g}")
        return np.minimum(weight, self.max_weight), (reward - self.lowest) / (self.highest - self.lowest)

    def scaled(self, shares: Interval) -> Interval:
        """Return the interval of a value as a share of the reward's range, cut to 0..1, in the reward's unit.

        NaN where nothing of it lies in 0..1: then weights don't average to 1, so propensities are wrong or
        the log lacks what the policy prefers.
        """
        if not (shares.lower <= 1 and shares.upper >= 0):
            return Interval(np.nan, np.nan)
        width = self.highest - self.lowest
        return Interval(
            self.lowest + width * max(shares.lower, 0.0), self.lowest + width * min(shares.upper, 1.0)
        )


def finite_max_weight(bounds: KnownRange, method: str) -> float:
    """Return the bound on weights, or ValueError with the name of the interval that can't do without one."""
    if not isfinite(bounds.max_weight):
        raise ValueError(
            f"{method} needs a bound on the weights: give max_weight as 1 divided by the least probability "
            "of a logged action, or take a confidence sequence or Cressie-Read interval."
        )
    return bounds.max_weight


def _refuse(name: str, numbers: Floats, bad: np.ndarray, bound: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"row {row}: {name} is {numbers[row]:g}, beyond the bound of {bound}. "
            "A bound must hold by design: correct it or the row."
        )
