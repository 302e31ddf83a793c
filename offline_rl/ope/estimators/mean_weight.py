"""The mean importance weight: a control whose true value is known."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.estimators.forms import mean_terms, mean_value
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class MeanWeight:
    """The mean weight, Σ w / n, as an estimator, so that its interval comes from the same resamples.

    E[w] = Σ_a π_e(a∣x) over the actions that the log could show: the supported share, 1 under full support.
    A mean weight that is incompatible with it is off by chance, the likelier where the best of several
    candidates is evaluated; or the log hardly ever shows what the policy prefers; or propensities or
    availability are wrong.

    Terms: 1, w.

    >>> import numpy as np
    >>> float(MeanWeight().value(np.array([4.0, 5.0])))
    1.25
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "mean_weight"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and weight, shape [n, 2]."""
        return mean_terms(rounds.weight)

    def value(self, sums: Floats) -> Floats:
        """Return the weight per round."""
        return mean_value(sums)
