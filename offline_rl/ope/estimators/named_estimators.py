"""Estimators by the names that configuration, command line and tables use."""

from collections.abc import Callable
from functools import partial
from math import isnan

from offline_rl.ope.estimators.cressie_read import CressieRead
from offline_rl.ope.estimators.empirical_likelihood import EmpiricalLikelihood
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.forms import CorrectedMean, Mean
from offline_rl.ope.estimators.multiple_loggers import WeightedLoggers
from offline_rl.ope.estimators.optimal_baseline import OptimalBaseline
from offline_rl.ope.estimators.shrinkage import Shrinkage, spelled
from offline_rl.ope.estimators.table import TABLE, Row
from offline_rl.ope.estimators.weights import Shrunken


def _at(row: Row, shrinkage: Shrinkage, number: float) -> Estimator:
    """Return the row's estimator with its hyperparameter at this number."""
    return row.form(spelled(row.name, number), Shrunken(row.weight, shrinkage, number))


PLAIN: dict[str, Estimator] = {
    **{row.name: row.form(row.name, row.weight) for row in TABLE if row.shrinkage is None},
    "beta_ips": OptimalBaseline("beta_ips", Mean),
    "beta_dr": OptimalBaseline("beta_dr", CorrectedMean),
    "empirical_likelihood": EmpiricalLikelihood(),
    "cressie_read": CressieRead(),
}
"""name → estimator without a hyperparameter"""

WITH_HYPERPARAMETER: dict[str, Callable[[float], Estimator]] = {
    **{row.name: partial(_at, row, row.shrinkage) for row in TABLE if row.shrinkage is not None},
    "weighted_loggers_ips": partial(WeightedLoggers, "weighted_loggers_ips", Mean),
    "weighted_loggers_dr": partial(WeightedLoggers, "weighted_loggers_dr", CorrectedMean),
}
"""name → estimator made with the number behind the colon"""


def from_name(name: str) -> Estimator:
    """Return the estimator of a name such as `snips`, `ips:10` or `switch_dr:inf`, in capitals or not.

    Raises ValueError listing what exists, or saying which numbers the estimator takes.

    >>> from_name("dr:10").name, from_name("DR:10") == from_name("dr:10")
    ('dr:10', True)
    """
    family, colon, text = name.strip().lower().partition(":")
    if not colon and family in PLAIN:
        return PLAIN[family]
    if colon and family in WITH_HYPERPARAMETER and (number := _number(text)) is not None:
        return WITH_HYPERPARAMETER[family](number)
    known = sorted([*PLAIN, *(f"{family}:NUMBER" for family in WITH_HYPERPARAMETER)])
    raise ValueError(f"no estimator is called {name!r}. Known are {', '.join(known)}.")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if isnan(number) else number
