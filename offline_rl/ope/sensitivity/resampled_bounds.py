"""Bounds of the marginal sensitivity model with intervals: the percentile bootstrap over clusters.

The bounds are computed in every resample, and the interval reaches from a low percentile of the lower bounds
to a high one of the upper bounds (Zhao, Small & Bhattacharya 2019, theorem 1: it covers the set of values
that odds within the factor allow).

What makes this fast: a weight is linear in how far its odds are off, so all that a resample needs of the
rounds are four sums for each level of reward and cluster. They are drawn again once, for every factor that is
asked for later; a factor then costs two cumulative sums over the levels. A million rounds of 0/1 rewards are
two levels, and are sorted once.
"""

from dataclasses import dataclass

import numpy as np

from offline_rl.ope.bootstrap import Interval, Resamples, resampled_sums
from offline_rl.ope.grouped_clusters import grouped
from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.ope.sensitivity.marginal_sensitivity import Bounds, LevelSums, difference_bounds, terms
from offline_rl.ope.sensitivity.tipping_factor import tipping_factor
from offline_rl.ope.sums import Cells, ratio

MOST_LEVELS = 64
"""Levels of reward in the resamples. Amounts of money have more values: then a level is a range that holds as
many rounds as any other, and a cut lies between two ranges. A bound is flat around its best cut, so that this
changes it by the square of a range's width; the bounds of the log itself have no ranges."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A policy and the one it is compared with, in the log and in its B resamples.

    of_policy, of_other: level sums of the log; resampled, resampled_other: those of the resamples, [B, K].
    of_other, resampled_other are None where the other is the logging policy: then logged, resampled_logged
    [B] are its mean reward, which no propensity enters.
    """

    of_policy: LevelSums
    of_other: LevelSums | None
    resampled: LevelSums
    resampled_other: LevelSums | None
    logged: float
    resampled_logged: Floats

    @classmethod
    def on(
        cls,
        policy: EvaluationRounds,
        other: EvaluationRounds | None = None,
        *,
        n_resamples: int = 1000,
        seed: int = 0,
    ) -> "Compared":
        """Compare a policy with another on the same rounds; other: None for the logging policy.

        One set of resamples serves both, and all factors. Raises ValueError for rounds that differ.
        """
        if other is not None and not np.array_equal(policy.reward, other.reward):
            raise ValueError("The two policies were given different rounds: compare them on the same.")
        seen = [policy] if other is None else [policy, other]
        level, n_levels = _levels(policy.reward)
        cells = Cells.of(np.zeros(policy.n, dtype=np.int64), grouped(policy.cluster, seed))
        sums = [_sums_by_cell(cells, level, n_levels, rounds) for rounds in seen]
        shown = cells.sums(np.column_stack([policy.reward, np.ones(policy.n)]))
        drawn = resampled_sums(
            cells, np.column_stack([*sums, shown]), Resamples(cells.n_clusters, n_resamples, seed)
        )[:, 0]
        width = 4 * n_levels
        resampled = [_unpacked(drawn[:, i * width : (i + 1) * width], n_levels) for i in range(len(seen))]
        return cls(
            of_policy=LevelSums.of(policy),
            of_other=None if other is None else LevelSums.of(other),
            resampled=resampled[0],
            resampled_other=None if other is None else resampled[1],
            logged=float(policy.reward.mean()),
            resampled_logged=ratio(drawn[:, -2], drawn[:, -1]),
        )

    def difference(self, factor: float = 1.0) -> Bounds:
        """Return the bounds of the difference in the log itself, within a factor."""
        lower, upper = difference_bounds(self.of_policy, self.of_other, np.asarray(self.logged), factor)
        return Bounds(float(lower), float(upper))

    def interval(self, factor: float, confidence: float = 0.95) -> Interval:
        """Return the interval of the difference, of chance and of odds that are off by up to the factor.

        It holds the bounds of the log itself. Ends are NaN where the log identifies no value. Raises
        ValueError unless 0 < confidence < 1 and factor is at least 1.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
        bounds = self.difference(factor)
        lower, upper = difference_bounds(self.resampled, self.resampled_other, self.resampled_logged, factor)
        is_defined = ~np.isnan(lower)
        n_undefined = int((~is_defined).sum())
        if np.isnan(bounds.lower) or not is_defined.any():
            return Interval(np.nan, np.nan, n_undefined)
        tail = (1 - confidence) / 2
        low, high = np.quantile(lower[is_defined], tail), np.quantile(upper[is_defined], 1 - tail)
        return Interval(float(min(low, bounds.lower)), float(max(high, bounds.upper)), n_undefined)

    def tipping_factor(self, confidence: float = 0.95) -> float:
        """Return the largest factor at which the interval of the difference still lies above zero."""
        return tipping_factor(lambda factor: self.interval(factor, confidence).lower)


def _levels(reward: Floats) -> tuple[Ints, int]:
    """Return the level of each round, [n], and how many levels there are; equal rewards share one."""
    rewards, level, counts = np.unique(reward, return_inverse=True, return_counts=True)
    if len(rewards) <= MOST_LEVELS:
        return level, len(rewards)
    middle = counts.cumsum() - counts / 2
    _, place = np.unique((middle * MOST_LEVELS / len(reward)).astype(np.int64), return_inverse=True)
    return place[level], int(place.max()) + 1


def _sums_by_cell(cells: Cells, level: Ints, n_levels: int, rounds: EvaluationRounds) -> Floats:
    """Return base, odds, base_reward and odds_reward of each level, summed by cell: [cells, 4 K]."""
    base, odds = terms(rounds)
    place = cells.cell_of_round * n_levels + level
    columns = [
        np.bincount(place, column, cells.n_cells * n_levels).reshape(cells.n_cells, n_levels)
        for column in (base, odds, base * rounds.reward, odds * rounds.reward)
    ]
    return np.hstack(columns)


def _unpacked(sums: Floats, n_levels: int) -> LevelSums:
    return LevelSums(*(sums[:, i * n_levels : (i + 1) * n_levels] for i in range(4)))
