"""Slate estimators by the names that the command line and tables use."""

from collections.abc import Callable

from offline_rl.ope.slates.cascade_doubly_robust import CascadeDoublyRobust
from offline_rl.ope.slates.estimator import SlateEstimator
from offline_rl.ope.slates.independent_ips import IndependentIPS
from offline_rl.ope.slates.reward_interaction_ips import RewardInteractionIPS
from offline_rl.ope.slates.standard_ips import StandardIPS

FAMILIES: tuple[Callable[[bool], SlateEstimator], ...] = (
    StandardIPS,
    IndependentIPS,
    RewardInteractionIPS,
    CascadeDoublyRobust,
)
ESTIMATORS: dict[str, SlateEstimator] = {
    estimator.name: estimator for make in FAMILIES for estimator in (make(False), make(True))
}
"""name → estimator"""


def from_name(name: str) -> SlateEstimator:
    """Return the slate estimator of a name, in capitals or not.

    Raises ValueError listing what exists.

    >>> from_name("SNRIPS")
    RewardInteractionIPS(self_normalized=True)
    """
    if name.strip().lower() not in ESTIMATORS:
        raise ValueError(f"no slate estimator is called {name!r}. Known are {', '.join(sorted(ESTIMATORS))}.")
    return ESTIMATORS[name.strip().lower()]
