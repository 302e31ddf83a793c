"""The doubly robust estimator with optimistic shrinkage."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import corrected_model, mean_terms, mean_value
from offline_rl.ope.estimators.shrinkage import check_at_least_0, optimistic, spelled
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class DROptimisticShrinkage:
    """Doubly robust with optimistic shrinkage, V = Σ [q_policy + λ w / (w² + λ) (r − q_logged)] / n.

    The shrunken weights minimize a bound of the mean squared error over reward models. λ = 0 is the direct
    method, λ = ∞ the doubly robust estimator.

    Terms: 1, q_policy + λ w / (w² + λ) (r − q_logged). Raises ValueError unless lam ≥ 0.
    Source: Su, Dimakopoulou, Krishnamurthy & Dudik 2020, "Doubly robust off-policy evaluation with
    shrinkage".

    >>> DROptimisticShrinkage(100).name
    'dr_os:100'
    """

    lam: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_at_least_0("lambda", self.lam)

    @property
    def name(self) -> str:
        """`dr_os:` and the lam."""
        return spelled("dr_os", self.lam)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        weight = optimistic(rounds.weight, self.lam)
        return mean_terms(corrected_model(weight, rounds.reward, rounds.modeled(self.name)))

    def value(self, sums: Floats) -> Floats:
        """Corrected model reward per round."""
        return mean_value(sums)
