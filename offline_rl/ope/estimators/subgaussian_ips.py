"""Inverse propensity scoring with sub-Gaussian weights."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import mean_terms, mean_value
from offline_rl.ope.estimators.shrinkage import check_share, spelled, sub_gaussian
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class SubGaussianIPS:
    """Sub-Gaussian inverse propensity scoring, V = Σ w / (1 − λ + λ w) r / n.

    Weights are at most 1 / λ and the estimate is differentiable in the policy, which clipping is not. λ = 0
    is IPS; λ = 1 gives every round that the policy could have made the weight 1.

    Terms: 1, w / (1 − λ + λ w) r. Raises ValueError unless 0 ≤ lam ≤ 1.
    Source: Metelli, Russo & Restelli 2021, "Subgaussian and differentiable importance sampling for off-policy
    evaluation and learning".

    >>> SubGaussianIPS(0.1).name
    'subgaussian_ips:0.1'
    """

    lam: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_share("lambda", self.lam)

    @property
    def name(self) -> str:
        """`subgaussian_ips:` and the lam."""
        return spelled("subgaussian_ips", self.lam)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and reward at the shrunken weight, shape [n, 2]."""
        return mean_terms(sub_gaussian(rounds.weight, self.lam) * rounds.reward)

    def value(self, sums: Floats) -> Floats:
        """Shrunken weighted reward per round."""
        return mean_value(sums)
