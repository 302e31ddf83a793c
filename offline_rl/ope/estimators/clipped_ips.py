"""Inverse propensity scoring with clipped weights."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.contribution import mean_terms, mean_value
from offline_rl.ope.estimators.shrinkage import check_clip, clipped, spelled
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class ClippedIPS:
    """Inverse propensity scoring with weights cut at c, V = Σ min(w, c) r / n.

    Trades variance for a bias that is downward where rewards are non-negative. c = ∞ is IPS.

    Terms: 1, min(w, c) r. Raises ValueError unless clip > 0.
    Source: Ionides 2008, "Truncated importance sampling".

    >>> ClippedIPS(10).name
    'ips:10'
    """

    clip: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_clip(self.clip)

    @property
    def name(self) -> str:
        """`ips:` and the clip."""
        return spelled("ips", self.clip)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and reward at the clipped weight, shape [n, 2]."""
        return mean_terms(clipped(rounds.weight, self.clip) * rounds.reward)

    def value(self, sums: Floats) -> Floats:
        """Clipped weighted reward per round."""
        return mean_value(sums)
