"""The doubly robust estimator with sub-Gaussian weights."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import corrected_model, mean_terms, mean_value
from offline_rl.ope.estimators.shrinkage import check_share, spelled, sub_gaussian
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class SubGaussianDR:
    """Sub-Gaussian doubly robust, V = Σ [q_policy + w / (1 − λ + λ w) (r − q_logged)] / n.

    λ = 0 is the doubly robust estimator.

    Terms: 1, q_policy + w / (1 − λ + λ w) (r − q_logged). Raises ValueError unless 0 ≤ lam ≤ 1.
    Source: Metelli, Russo & Restelli 2021, "Subgaussian and differentiable importance sampling for off-policy
    evaluation and learning".

    >>> SubGaussianDR(0.1).name
    'subgaussian_dr:0.1'
    """

    lam: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_share("lambda", self.lam)

    @property
    def name(self) -> str:
        """`subgaussian_dr:` and the lam."""
        return spelled("subgaussian_dr", self.lam)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        weight = sub_gaussian(rounds.weight, self.lam)
        return mean_terms(corrected_model(weight, rounds.reward, rounds.modeled(self.name)))

    def value(self, sums: Floats) -> Floats:
        """Corrected model reward per round."""
        return mean_value(sums)
