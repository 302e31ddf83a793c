"""The estimators that a question asks for, and the columns of a file that each of them needs."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from features.errors import UsageError
from flows.commands.ope.evaluation_rounds import EMBEDDING
from flows.commands.ope.fitted_columns import OF_PROPENSITIES, OF_REWARDS
from flows.commands.ope.round_files import RoundFile, lacking
from offline_rl.ope.contrast import Valued
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.tuning.tuned import AUTO, TunedEstimator

V = TypeVar("V", bound=Valued)

WITH_MODEL = ("dr", "sndr", "snips", "ips", "dm")
WITHOUT_MODEL = ("snips", "ips")
"""The estimators where the question names none; the first leads."""

FIELDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("q_hat",): ("q_logged", "q_policy"),
    ("q_hat_mrdr",): ("q_logged_mrdr", "q_policy_mrdr"),
    ("density_ratio",): ("density_ratio",),
    EMBEDDING: ("marginal_weight",),
    ("logger",): ("logger",),
    ("balanced_propensity",): ("balanced_propensity",),
}
"""Optional columns of a file → the columns of the rounds that are computed from them."""


def asked_estimators(
    names: Sequence[str], file: RoundFile, fitted: Collection[str] = ()
) -> dict[str, Estimator]:
    """Return name as asked → estimator, the first leading; without names, those that the columns allow.

    fitted: columns that are fitted instead of read.

    Raises UsageError for an unknown estimator, and for one whose columns the file lacks.
    """
    known = {*file.columns, *fitted}
    if not names:
        names = WITH_MODEL if "q_hat" in known else WITHOUT_MODEL
    asked = named(names)
    for name, estimator in asked.items():
        absent = [column for column in needed_columns(estimator) if column not in known]
        if absent:
            raise lacking(name, " and ".join(absent), file, _remedy(absent))
    return asked


def _remedy(absent: Sequence[str]) -> str:
    """Return a sentence on the option that fits these columns; empty where there is none."""
    options = {"--fit-q": OF_REWARDS, "--fit-propensity": OF_PROPENSITIES}
    found = [option for option, columns in options.items() if set(absent) <= set(columns)]
    return f" {found[0]} fits it from a column context." if found else ""


def needed_columns(estimator: Estimator) -> tuple[str, ...]:
    """Return the optional columns of a file that an estimator needs for its terms.

    They are found by calling it with rounds that lack them, so that a new estimator needs no entry here.

    >>> needed_columns(from_name("dr")), needed_columns(from_name("ips"))
    (('q_hat',), ())
    """
    return tuple(
        column
        for columns in FIELDS
        if not _has_terms(estimator, set(FIELDS) - {columns})
        for column in columns
    )


def _has_terms(estimator: Estimator, columns: Collection[tuple[str, ...]]) -> bool:
    ones, zeros = np.ones(2), np.zeros(2, dtype=np.int64)
    optional: dict[str, Any] = {
        field: zeros if field == "logger" else ones for given in columns for field in FIELDS[given]
    }
    rounds = EvaluationRounds(
        reward=ones,
        propensity=ones,
        evaluation_prob=ones,
        cluster=np.arange(2),
        segment=zeros,
        **optional,
    )
    try:
        estimator.terms(rounds)
    except ValueError:
        return False
    return True


def named(names: Sequence[str]) -> dict[str, Estimator]:
    """Return name as asked → estimator, led by one that was not tuned on these rounds.

    That is the first such estimator, or the untuned form of the first where all of them are tuned.

    Raises UsageError for an unknown estimator.
    """
    asked = by_name(names, _of_rounds)
    stated = next((name for name, found in asked.items() if not isinstance(found, TunedEstimator)), None)
    if stated is None:
        stated = next(iter(asked)).strip().partition(":")[0]
    return by_name([stated], _of_rounds) | asked


def by_name(names: Sequence[str], make: Callable[[str], V]) -> dict[str, V]:
    """Return name as asked → the result of `make`.

    Raises UsageError where `make` raises ValueError: for a name that it doesn't know.
    """
    try:
        return {name: make(name) for name in names}
    except ValueError as error:
        raise UsageError(f"{error}") from error


def distinct(estimators: Iterable[V]) -> list[V]:
    """Return each estimator once, whatever its spelling: ips:2 and ips:2.0 are the same.

    >>> [found.name for found in distinct([from_name("ips:2"), from_name("ips"), from_name("IPS:2.0")])]
    ['ips:2', 'ips']
    """
    return list({estimator.name: estimator for estimator in estimators}.values())


def _of_rounds(name: str) -> Estimator:
    is_tuned = name.strip().lower().endswith(f":{AUTO}")
    return TunedEstimator.from_name(name) if is_tuned else from_name(name)
