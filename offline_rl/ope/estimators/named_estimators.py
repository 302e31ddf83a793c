"""Estimators by the names that configuration, command line and tables use."""

from collections.abc import Callable
from math import isnan

from offline_rl.ope.estimators.balanced import Balanced
from offline_rl.ope.estimators.clipped_ips import ClippedIPS
from offline_rl.ope.estimators.cressie_read import CressieRead
from offline_rl.ope.estimators.direct_method import DirectMethod
from offline_rl.ope.estimators.doubly_robust import DoublyRobust
from offline_rl.ope.estimators.dr_os import DROptimisticShrinkage
from offline_rl.ope.estimators.empirical_likelihood import EmpiricalLikelihood
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.ips import IPS
from offline_rl.ope.estimators.mips import MIPS
from offline_rl.ope.estimators.mrdr import MRDR
from offline_rl.ope.estimators.multiple_loggers import (
    BalancedLoggersDR,
    BalancedLoggersIPS,
    WeightedLoggersDR,
    WeightedLoggersIPS,
)
from offline_rl.ope.estimators.off_cem import OffCEM
from offline_rl.ope.estimators.optimal_baseline import BetaDR, BetaIPS
from offline_rl.ope.estimators.self_normalized_dr import SelfNormalizedDR
from offline_rl.ope.estimators.snips import SNIPS
from offline_rl.ope.estimators.snmips import SNMIPS
from offline_rl.ope.estimators.subgaussian_dr import SubGaussianDR
from offline_rl.ope.estimators.subgaussian_ips import SubGaussianIPS
from offline_rl.ope.estimators.switch_dr import SwitchDR

PLAIN: dict[str, Callable[[], Estimator]] = {
    "ips": IPS,
    "snips": SNIPS,
    "dm": DirectMethod,
    "dr": DoublyRobust,
    "sndr": SelfNormalizedDR,
    "beta_ips": BetaIPS,
    "beta_dr": BetaDR,
    "empirical_likelihood": EmpiricalLikelihood,
    "cressie_read": CressieRead,
}
"""name → estimator that needs no more than weights and a reward model"""

ON_OTHER_COLUMNS: dict[str, Callable[[], Estimator]] = {
    "mrdr": MRDR,
    "balanced": Balanced,
    "mips": MIPS,
    "snmips": SNMIPS,
    "off_cem": OffCEM,
    "balanced_loggers_ips": BalancedLoggersIPS,
    "balanced_loggers_dr": BalancedLoggersDR,
}
"""name → estimator that needs an optional column of the rounds"""

WITH_HYPERPARAMETER: dict[str, Callable[[float], Estimator]] = {
    "ips": ClippedIPS,
    "dr": DoublyRobust,
    "switch_dr": SwitchDR,
    "dr_os": DROptimisticShrinkage,
    "subgaussian_ips": SubGaussianIPS,
    "subgaussian_dr": SubGaussianDR,
    "balanced": Balanced,
    "weighted_loggers_ips": WeightedLoggersIPS,
    "weighted_loggers_dr": WeightedLoggersDR,
}
"""name → estimator made with the number behind the colon"""


def from_name(name: str) -> Estimator:
    """The estimator of a name such as `snips`, `ips:10` or `switch_dr:inf`, in capitals or not.

    Raises ValueError listing what exists, or saying which numbers the estimator takes.

    >>> from_name("dr:10"), from_name("DR:10") == from_name("dr:10")
    (DoublyRobust(clip=10.0), True)
    """
    family, colon, text = name.strip().lower().partition(":")
    without_number = PLAIN | ON_OTHER_COLUMNS
    if not colon and family in without_number:
        return without_number[family]()
    if colon and family in WITH_HYPERPARAMETER and (number := _number(text)) is not None:
        return WITH_HYPERPARAMETER[family](number)
    known = sorted([*without_number, *(f"{family}:NUMBER" for family in WITH_HYPERPARAMETER)])
    raise ValueError(f"no estimator is called {name!r}. Known are {', '.join(known)}.")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if isnan(number) else number
