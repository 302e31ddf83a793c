"""The doubly robust estimator, plain or with clipped weights."""

from dataclasses import dataclass
from math import inf, isinf
from typing import ClassVar

import numpy as np

from offline_rl.ope.clip import check_clip
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class DoublyRobust:
    """The doubly robust estimator, V = Σ [q_policy + min(w, c) (r − q_logged)] / n.

    Without a clip (c = ∞) it is unbiased when either the propensities or the reward model are right, and
    varies less than IPS the more of the reward the model explains.

    Terms: 1, q_policy + min(w, c) (r − q_logged). Raises ValueError unless clip > 0.
    Source: Dudik, Langford & Li 2011, "Doubly robust policy evaluation and learning"; the clip is the
    pessimistic shrinkage of Su, Dimakopoulou, Krishnamurthy & Dudik 2020.

    >>> float(DoublyRobust().value(np.array([4.0, 2.0]))), DoublyRobust(10).name
    (0.5, 'dr:10')
    """

    clip: float = inf
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_clip(self.clip)

    @property
    def name(self) -> str:
        """`dr`, or `dr:` and the clip."""
        return "dr" if isinf(self.clip) else f"dr:{self.clip:g}"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        q_logged, q_policy = rounds.modeled(self.name)
        weight = np.minimum(rounds.weight, self.clip)
        return np.column_stack([np.ones(rounds.n), q_policy + weight * (rounds.reward - q_logged)])

    def value(self, sums: Floats) -> Floats:
        """Corrected model reward per round."""
        return ratio(sums[..., 1], sums[..., 0])
