"""The hyperparameter with the least bound on the mean squared error."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.rare_rewards import reward_range
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.tuning.mean_moments import MeanMoments, contributions


@dataclass(frozen=True)
class MSEBound:
    """Choose the least Var θ + bias², where the bias is measured against the family without shrinkage.

        bias = |mean((w − ŵ) z)| = |θ_unshrunk − θ|,    z = r, or r − q̂ in doubly robust families

    With is_upper_bound the bias is enlarged to hold with probability 1 − delta (Bernstein),

        bias + R (√(2 mean(w²) log(2/delta) / n) + 2 max(w) log(2/delta) / (3 n)),

    where R is the width of the reward's range in the log, at least from 0 on: 1 for clicks. It is the same
    for every hyperparameter, so that it favors little shrinkage in small logs. The range and max(w) are the
    sample's own; this is a rule for choosing, not an interval.

    unshrunk: the estimator that the family becomes without a cut, `ips` or `dr`.
    Raises ValueError unless 0 < delta < 1.
    Source: Su, Dimakopoulou, Krishnamurthy & Dudik 2020, "Doubly robust off-policy evaluation with
    shrinkage", section 5 and appendix.
    """

    unshrunk: Estimator
    is_upper_bound: bool = True
    delta: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.delta < 1:
            raise ValueError(f"delta is {self.delta:g}: give a share between 0 and 1, such as 0.1.")

    def scores(self, candidates: Sequence[Estimator], rounds: EvaluationRounds) -> tuple[int, Floats]:
        """The position of the least bound (the first of equals), and the bounds, shape [L]."""
        x = contributions([*candidates, self.unshrunk], rounds)
        moments = MeanMoments.of_sums(MeanMoments.terms(x, rounds).sum(axis=0))
        # Differences first: where a candidate does not shrink, its bias is exactly 0.
        bias = np.abs((x[:, [-1]] - x[:, :-1]).mean(axis=0))
        if self.is_upper_bound:
            bias = bias + self._deviation(rounds)
        bounds = moments.variance[:-1] + bias**2
        return int(np.argmin(bounds)), bounds

    def _deviation(self, rounds: EvaluationRounds) -> float:
        weight, n = rounds.weight, rounds.n
        low, high = reward_range(rounds.reward)
        spread = np.sqrt(2 * np.square(weight).mean() * log(2 / self.delta) / n)
        return float((high - low) * (spread + 2 * weight.max() * log(2 / self.delta) / (3 * n)))
