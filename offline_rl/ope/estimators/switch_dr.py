"""Switch-DR: the doubly robust estimator where weights are small, the model where they are large."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import corrected_model, mean_terms, mean_value
from offline_rl.ope.estimators.shrinkage import check_at_least_0, spelled, switched
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class SwitchDR:
    """Switch-DR, V = Σ [q_policy + w 1(w ≤ τ) (r − q_logged)] / n.

    A round with a weight above τ only contributes what the model says. τ = 0 is the direct method, τ = ∞ the
    doubly robust estimator. The bias is the model's error on the actions that were cut.

    Terms: 1, q_policy + w 1(w ≤ τ) (r − q_logged). Raises ValueError unless tau ≥ 0.
    Source: Wang, Agarwal & Dudik 2017, "Optimal and adaptive off-policy evaluation in contextual bandits".

    >>> SwitchDR(3).name
    'switch_dr:3'
    """

    tau: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_at_least_0("tau", self.tau)

    @property
    def name(self) -> str:
        """`switch_dr:` and the tau."""
        return spelled("switch_dr", self.tau)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        weight = switched(rounds.weight, self.tau)
        return mean_terms(corrected_model(weight, rounds.reward, rounds.modeled(self.name)))

    def value(self, sums: Floats) -> Floats:
        """Corrected model reward per round."""
        return mean_value(sums)
