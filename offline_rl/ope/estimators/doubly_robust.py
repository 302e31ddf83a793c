"""The doubly robust estimator, plain or with clipped weights."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from offline_rl.ope.estimators.contribution import corrected_model, mean_terms, mean_value
from offline_rl.ope.estimators.shrinkage import check_clip, clipped, spelled
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class DoublyRobust:
    """The doubly robust estimator, V = Σ [q_policy + min(w, c) (r − q_logged)] / n.

    Without a clip it is unbiased when either the propensities or the reward model are right, and varies less
    than IPS the more of the reward the model explains.

    Terms: 1, q_policy + min(w, c) (r − q_logged). Raises ValueError unless clip > 0.
    Source: Dudik, Langford & Li 2011, "Doubly robust policy evaluation and learning"; the clip is the
    pessimistic shrinkage of Su, Dimakopoulou, Krishnamurthy & Dudik 2020.

    >>> import numpy as np
    >>> float(DoublyRobust().value(np.array([4.0, 2.0]))), DoublyRobust(10).name
    (0.5, 'dr:10')
    """

    clip: float | None = None
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.clip is not None:
            check_clip(self.clip)

    @property
    def name(self) -> str:
        """`dr`, or `dr:` and the clip."""
        return "dr" if self.clip is None else spelled("dr", self.clip)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        weight = clipped(rounds.weight, inf if self.clip is None else self.clip)
        return mean_terms(corrected_model(weight, rounds.reward, rounds.modeled(self.name)))

    def value(self, sums: Floats) -> Floats:
        """Corrected model reward per round."""
        return mean_value(sums)
