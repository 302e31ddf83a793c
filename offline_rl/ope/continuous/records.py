"""Logged rounds whose action is a level on a scale, such as what to spend on a campaign."""

from dataclasses import dataclass, fields
from math import floor, log2

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.records import EvaluationRounds, Floats, Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class SpendRounds:
    """Columns of n logged rounds; the evaluation policy decides for one level per round.

    | field | symbol | unit | meaning |
    |---|---|---|---|
    | reward | r | | what the round earned |
    | spend | a | spend, such as cents | logged level, in [lower, upper] |
    | density | f_b(a∣x) | 1 / spend | probability density with which the logging policy drew the level |
    | evaluation_spend | e = π_e(x) | spend | level that the evaluation policy decides for |
    | cluster, segment | | | as in `EvaluationRounds` |
    | lower, upper | | spend | levels between which the logging policy could draw, whatever the context |
    | q_logged | q̂(x, a) | as reward | modeled reward of the logged level; None without a model |
    | q_policy | q̂(x, e) | as reward | modeled reward of the evaluation policy's level |

    A level that was drawn with positive probability (such as exactly 0 in half of the rounds) has no density:
    evaluate it as a discrete action, with `EvaluationRounds`.

    Raises ValueError naming the first offending row (from 0).
    """

    reward: Floats
    spend: Floats
    density: Floats
    evaluation_spend: Floats
    cluster: Ints
    segment: Ints
    lower: float
    upper: float
    q_logged: Floats | None = None
    q_policy: Floats | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.lower) and np.isfinite(self.upper) and self.lower < self.upper):
            raise ValueError(f"levels from {self.lower:g} to {self.upper:g}: give two ends, the lower first.")
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, np.ndarray) and column.shape != self.reward.shape:
                raise ValueError(
                    f"{field.name} has shape {column.shape}, but there are {len(self.reward)} rewards: "
                    "give one number per round."
                )
        _refuse(
            "evaluation_spend",
            self.evaluation_spend,
            ~np.isfinite(self.evaluation_spend),
            "Decide for a level.",
        )
        outside = ~((self.lower <= self.spend) & (self.spend <= self.upper))
        _refuse("spend", self.spend, outside, f"Logged levels lie between {self.lower:g} and {self.upper:g}.")
        too_dense = ~((self.density > 0) & (self.density * self.grain <= 1))
        what = (
            f"Give a positive density per unit of spend, at most {1 / self.grain:g}; a fixed level has none."
        )
        _refuse("density", self.density, too_dense, what)

    @property
    def n(self) -> int:
        """Number of rounds."""
        return len(self.reward)

    @property
    def grain(self) -> float:
        """Width of the cells that levels are counted in, about a millionth of the scale; a power of two.

        The probability of a level's cell is its density times the grain. A weight is the ratio of two such
        probabilities, where the grain cancels, and without rounding as it is a power of two.
        """
        return 2.0 ** (floor(log2(self.upper - self.lower)) - 20)

    def logging_policy(self) -> EvaluationRounds:
        """Return the logging policy on its own log, to compare smoothed policies with: every weight is 1."""
        return EvaluationRounds.of_logging_policy(
            reward=self.reward,
            propensity=self.density * self.grain,
            cluster=self.cluster,
            segment=self.segment,
            q_logged=self.q_logged,
        )


def _refuse(name: str, column: Floats, bad: NDArray[np.bool_], what_next: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"row {row}: {name} is {column[row]:g}. {what_next}")
