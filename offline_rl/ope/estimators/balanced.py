"""The balanced estimator: weights that a classifier estimated."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from offline_rl.ope.estimators.shrinkage import check_clip, clipped, spelled
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class Balanced:
    """Balanced inverse propensity scoring, V = Σ min(v, c) r / Σ min(v, c).

    v estimates the density ratio of (context, action) under the two policies by a classifier that tells their
    rounds apart, so that deterministic policies and unknown propensities can be weighed. Self-normalized, as
    a classifier's ratio is known up to a factor only. As wrong as its classifier. NaN where all v are 0.

    Terms: min(v, c), min(v, c) r, v being the column `density_ratio`. Raises ValueError unless clip > 0.
    Source: Sondhi, Arbour & Dimmery 2020, "Balanced off-policy evaluation in general action spaces".

    >>> float(Balanced().value(np.array([5.0, 2.0]))), Balanced(2).name
    (0.4, 'balanced:2')
    """

    clip: float | None = None
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.clip is not None:
            check_clip(self.clip)

    @property
    def name(self) -> str:
        """`balanced`, or `balanced:` and the clip."""
        return "balanced" if self.clip is None else spelled("balanced", self.clip)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Weight and weighted reward, shape [n, 2]."""
        estimated = rounds.column("density_ratio", self.name, "weights estimated by a classifier")
        weight = clipped(estimated, inf if self.clip is None else self.clip)
        return np.column_stack([weight, weight * rounds.reward])

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per unit of weight."""
        return ratio(sums[..., 1], sums[..., 0])
