"""The marginal sensitivity model: how far a value may be off where propensities are off.

Estimated propensities miss whatever the logging policy saw and the log does not have. The model says by how
much: the true odds of each logged action, p / (1 - p), lie within a factor of the estimated ones,

    1 / factor  <=  odds(true) / odds(estimated)  <=  factor,

whatever hidden thing moves them, and however it moves rewards. So each weight π_e / p lies between

    π_e (1 + (1/p̂ - 1) / factor)   and   π_e (1 + (1/p̂ - 1) · factor),

and a value is a whole interval: what self-normalized importance sampling (Hajek's estimator, `snips`) gives
with the least and the most favorable weights of these. Its ends are a fractional linear program over a box:
the most favorable weights are the upper ones for all rewards above some cut, the lower ones for all below
(the derivative by a weight is (reward - value) / Σ w). So rewards are sorted once, and of all cuts the best
is taken: this is exact.
Sources: Tan 2006, "A distributional approach for causal inference using propensity scores"; Zhao, Small &
Bhattacharya 2019, "Sensitivity analysis for inverse probability weighting estimators via the percentile
bootstrap".
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio


class Bounds(NamedTuple):
    """Least and largest value that some odds within the factor give, in the reward's unit per round."""

    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class LevelSums:
    """Sums over the rounds of each of K levels of reward, the levels ascending; all are [..., K].

    base: Σ π_e, odds: Σ π_e (1/p - 1), so that weights at odds off by t sum to base + odds · t.
    base_reward, odds_reward: the same sums of π_e r and π_e r (1/p - 1).
    """

    base: Floats
    odds: Floats
    base_reward: Floats
    odds_reward: Floats

    @classmethod
    def of(cls, rounds: EvaluationRounds) -> "LevelSums":
        """Return the sums of a log, one level for each distinct reward, so that cuts are exact."""
        rewards, level = np.unique(rounds.reward, return_inverse=True)
        base, odds = (np.bincount(level, column, len(rewards)).astype(np.float64) for column in terms(rounds))
        return cls(base, odds, base * rewards, odds * rewards)

    def bounds(self, factor: float) -> tuple[Floats, Floats]:
        """Return the least and the largest value within the factor, each of shape [...].

        At a factor of 1 both are `snips`; NaN where no weight is above zero. Raises ValueError for a factor
        below 1.

        >>> coin = {name: np.array([0.5, 0.5]) for name in ("propensity", "evaluation_prob")}
        >>> place = {name: np.array([0, 0]) for name in ("cluster", "segment")}
        >>> log = EvaluationRounds(reward=np.array([0.0, 1.0]), **coin, **place)
        >>> lower, upper = LevelSums.of(log).bounds(2.0)  # weights from 0.75 to 1.5
        >>> round(float(lower), 6), round(float(upper), 6)
        (0.333333, 0.666667)
        """
        check_factor(factor)
        low = self.base + self.odds / factor, self.base_reward + self.odds_reward / factor
        high = self.base + self.odds * factor, self.base_reward + self.odds_reward * factor
        least = _over_cuts(below=high, above=low)
        most = _over_cuts(below=low, above=high)
        return np.min(least, axis=-1), np.max(most, axis=-1)


def check_factor(factor: float) -> None:
    """Raise ValueError for a factor below 1, or one that is not a finite number."""
    if not 1 <= factor < np.inf:
        raise ValueError(
            f"factor is {factor:g}: give a number from 1 on, 1 where the propensities are exactly right."
        )


def terms(rounds: EvaluationRounds) -> tuple[Floats, Floats]:
    """Return what each round adds to `base` and to `odds`, each [n]."""
    return rounds.evaluation_prob, rounds.evaluation_prob * (1.0 / rounds.propensity - 1.0)


def difference_bounds(
    policy: LevelSums, other: LevelSums | None, logged: Floats, factor: float
) -> tuple[Floats, Floats]:
    """Return the least and the largest value of a policy less another's, each of shape [...].

    other: None for the logging policy, which earned logged [...], the mean reward, whatever the propensities
    are: against it the bounds are exact. Two estimated values share their odds. Here each is taken at its own
    worst, so the bounds hold the exact ones and may be wider: a difference of ratios is not a fractional
    linear program, and has several peaks. At a factor of 1 they are exact as well.

    Raises ValueError for a factor below 1.
    """
    lower, upper = policy.bounds(factor)
    least, most = (logged, logged) if other is None else other.bounds(factor)
    return lower - most, upper - least


def _over_cuts(below: tuple[Floats, Floats], above: tuple[Floats, Floats]) -> Floats:
    """Return the value at each of K + 1 cuts, [..., K + 1]: weights and rewards of levels below and above."""
    summed = []
    for under, over in zip(below, above, strict=True):
        none = np.zeros((*under.shape[:-1], 1))
        up_to = np.concatenate([none, under.cumsum(axis=-1)], axis=-1)
        from_there = np.concatenate([over[..., ::-1].cumsum(axis=-1)[..., ::-1], none], axis=-1)
        summed.append(up_to + from_there)
    weights, rewards = summed
    return ratio(rewards, weights)
