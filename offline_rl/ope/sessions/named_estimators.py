"""Session estimators by the names that the command line and tables use."""

from collections.abc import Callable

from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.per_decision_is import PerDecisionIS
from offline_rl.ope.sessions.sequential_dm import SequentialDM
from offline_rl.ope.sessions.sequential_dr import SequentialDR
from offline_rl.ope.sessions.weighted_dr import WeightedDR
from offline_rl.ope.sessions.weighted_per_decision_is import WeightedPerDecisionIS

WITH_MODEL: dict[str, Callable[[float], SessionEstimator]] = {
    "weighted_dr": WeightedDR,
    "sequential_dr": SequentialDR,
    "sequential_dm": lambda gamma: SequentialDM(),  # noqa: ARG005  (its model has the discount)
}
"""name → estimator of a discount that needs q_logged and v"""

WITHOUT_MODEL: dict[str, Callable[[float], SessionEstimator]] = {
    "weighted_per_decision_is": WeightedPerDecisionIS,
    "per_decision_is": PerDecisionIS,
}
"""name → estimator of a discount that needs rewards and weights alone"""


def from_name(name: str, gamma: float = 1.0) -> SessionEstimator:
    """Return the session estimator of a name, in capitals or not, with a discount.

    Raises ValueError listing what exists, and unless 0 <= gamma <= 1.

    >>> from_name("Per_Decision_IS", 0.9)
    PerDecisionIS(gamma=0.9)
    """
    known = WITH_MODEL | WITHOUT_MODEL
    if name.strip().lower() not in known:
        raise ValueError(f"no session estimator is called {name!r}. Known are {', '.join(known)}.")
    return known[name.strip().lower()](gamma)
