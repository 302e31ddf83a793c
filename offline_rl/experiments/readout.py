"""Read-out: what the users of both arms of an experiment earned so far, with an interval for every night.

Users were assigned at random, so their means tell the difference without any model and any propensity. All
rounds of a user go together, because they have the user in common.
"""

from dataclasses import dataclass
from math import isnan, nan, sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

FEWEST_REWARDED_USERS = 20
"""Users of both arms with any reward, from which their mean is nearly normal."""

MOST_OF_ONE_USER = 0.2
"""Largest share of the variance that one user may make: with more of it, the difference is that user's."""


@dataclass(frozen=True, eq=False)
class ArmSums:
    """The users of an arm who had rounds: the number of rounds and the sum of rewards of each, [U]."""

    n_rounds: NDArray[np.int64]
    reward: NDArray[np.float64]

    @classmethod
    def of_nobody(cls) -> Self:
        """Return an arm without users, as it is on the night that begins an experiment."""
        return cls(np.zeros(0, np.int64), np.zeros(0))

    @property
    def n_users(self) -> int:
        """Users with rounds."""
        return len(self.n_rounds)

    @property
    def total_rounds(self) -> int:
        """Rounds of all users."""
        return int(self.n_rounds.sum())

    @property
    def mean(self) -> float:
        """Reward per round; NaN without rounds."""
        return float(self.reward.sum()) / self.total_rounds if self.n_users else nan

    @property
    def variance(self) -> float:
        """Variance of the mean, a ratio of two sums over users, linearized.

            U / (U - 1) · Σ (reward_u - mean · rounds_u)² / rounds²

        Source: Cochran 1977, "Sampling Techniques", section 2.11. NaN below two users.

        >>> ArmSums(np.array([1, 1]), np.array([0.0, 1.0])).variance
        0.25
        """
        return float(self.parts_of_variance.sum()) if self.n_users > 1 else nan

    @property
    def parts_of_variance(self) -> NDArray[np.float64]:
        """The term of each user in the variance, [U]."""
        residual = self.reward - self.mean * self.n_rounds
        return self.n_users / max(self.n_users - 1, 1) * (residual / max(self.total_rounds, 1)) ** 2


@dataclass(frozen=True, eq=False)
class Readout:
    """Both arms so far. lower, upper: NaN where nothing is to be said; confidence: of all nights together."""

    candidate: ArmSums
    champion: ArmSums
    lower: float
    upper: float
    confidence: float

    @property
    def difference(self) -> float:
        """Mean reward per round of the candidate less the champion's; NaN where an arm has no rounds."""
        return self.candidate.mean - self.champion.mean

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return not isnan(self.lower)

    @property
    def fewest_users(self) -> int:
        """Users with rounds of the smaller arm."""
        return min(self.candidate.n_users, self.champion.n_users)

    @property
    def n_rewarded_users(self) -> int:
        """Users of both arms with any reward."""
        return sum(int(np.count_nonzero(arm.reward)) for arm in (self.candidate, self.champion))

    @property
    def largest_share(self) -> float:
        """Share of the variance of the difference that one user makes; 0 where there is none."""
        parts = np.concatenate([arm.parts_of_variance for arm in (self.candidate, self.champion)])
        return float(parts.max() / parts.sum()) if parts.any() else 0.0


def read_out(
    candidate: ArmSums,
    champion: ArmSums,
    *,
    standard_errors: float,
    confidence: float,
    min_users: int,
) -> Readout:
    """Return what both arms earned, with the interval of tonight.

    standard_errors: half the width of the interval, see `group_sequential`. confidence: of all nights
    together. min_users: of each arm, at least 2, below which nothing is said; nor is anything of too few
    users with a reward, or where one user makes too much of the variance.

    Forty users with a round each: 15 of 20 earn 1 in one arm, 5 of 20 in the other. The variance of a mean is
    20 / 19 · 20 · (3/4 · 1/4) / 400 = 3 / 304, and the interval 1/2 ± 3 · sqrt(6 / 304).

    >>> once = np.ones(20, np.int64)
    >>> arms = ArmSums(once, (once.cumsum() <= 15) * 1.0), ArmSums(once, (once.cumsum() <= 5) * 1.0)
    >>> found = read_out(*arms, standard_errors=3.0, confidence=0.95, min_users=20)
    >>> found.difference, round(found.lower, 3), round(found.upper, 3)
    (0.5, 0.079, 0.921)
    """
    found = Readout(candidate, champion, nan, nan, confidence)
    if (
        found.fewest_users < min_users
        or found.n_rewarded_users < FEWEST_REWARDED_USERS
        or found.largest_share > MOST_OF_ONE_USER
    ):
        return found
    half = standard_errors * sqrt(_safe_variance(candidate, champion) + _safe_variance(champion, candidate))
    return Readout(candidate, champion, found.difference - half, found.difference + half, confidence)


def _safe_variance(arm: ArmSums, other: ArmSums) -> float:
    """Return the variance of an arm's mean; with few rewards at least that of the other arm, round for round.

    Where an arm has few rewards by chance, so has its variance, and a difference would look surer than it is.
    Without any difference both arms vary alike.
    """
    if np.count_nonzero(arm.reward) >= FEWEST_REWARDED_USERS:
        return arm.variance
    return max(arm.variance, other.variance * other.total_rounds / arm.total_rounds)
