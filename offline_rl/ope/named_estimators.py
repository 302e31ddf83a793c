"""Estimators by the names that configuration, command line and tables use."""

from collections.abc import Callable
from math import isfinite

from offline_rl.ope.clipped_ips import ClippedIPS
from offline_rl.ope.direct_method import DirectMethod
from offline_rl.ope.doubly_robust import DoublyRobust
from offline_rl.ope.estimator import Estimator
from offline_rl.ope.ips import IPS
from offline_rl.ope.self_normalized_dr import SelfNormalizedDR
from offline_rl.ope.snips import SNIPS

PLAIN: dict[str, Callable[[], Estimator]] = {
    "ips": IPS,
    "snips": SNIPS,
    "dm": DirectMethod,
    "dr": DoublyRobust,
    "sndr": SelfNormalizedDR,
}
"""name → estimator"""

WITH_HYPERPARAMETER: dict[str, Callable[[float], Estimator]] = {
    "ips": ClippedIPS,
    "dr": DoublyRobust,
}
"""name → estimator made with the number behind the colon"""


def from_name(name: str) -> Estimator:
    """The estimator of a name such as `snips` or `ips:10`.

    Raises ValueError listing what exists.

    >>> from_name("dr:10")
    DoublyRobust(clip=10.0)
    """
    family, colon, number = name.partition(":")
    if not colon and family in PLAIN:
        return PLAIN[family]()
    if colon and family in WITH_HYPERPARAMETER and (hyperparameter := _finite(number)) is not None:
        return WITH_HYPERPARAMETER[family](hyperparameter)
    known = sorted([*PLAIN, *(f"{family}:NUMBER" for family in WITH_HYPERPARAMETER)])
    raise ValueError(f"no estimator is called {name!r}. Known are {', '.join(known)}.")


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
