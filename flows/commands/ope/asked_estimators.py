"""Which estimators to ask, and which columns of a file each of them can't do without."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from features.errors import UsageError
from flows.commands.ope.evaluation_rounds import EMBEDDING
from flows.commands.ope.round_files import RoundFile
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds

WITH_MODEL = ("dr", "sndr", "snips", "ips", "dm")
WITHOUT_MODEL = ("snips", "ips")
"""What is asked where no estimator is named; the first leads."""

FIELDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("q_hat",): ("q_logged", "q_policy"),
    ("q_hat_mrdr",): ("q_logged_mrdr", "q_policy_mrdr"),
    ("density_ratio",): ("density_ratio",),
    EMBEDDING: ("marginal_weight",),
    ("logger",): ("logger",),
    ("balanced_propensity",): ("balanced_propensity",),
}
"""Optional columns of a file → the columns of the rounds that are made of them."""


def asked_estimators(names: Sequence[str], file: RoundFile) -> dict[str, Estimator]:
    """name as asked → estimator; the first leads. Without names, those that the file's columns allow.

    Raises UsageError for a name that no estimator has, and for one whose columns the file lacks.
    """
    if not names:
        names = WITH_MODEL if "q_hat" in file.columns else WITHOUT_MODEL
    asked = {name: _named(name) for name in names}
    for name, estimator in asked.items():
        lacking = [column for column in needed_columns(estimator) if column not in file.columns]
        if lacking:
            raise UsageError(
                f"{name} needs {' and '.join(lacking)}, which {file.path} doesn't have. Its columns are "
                f"{', '.join(file.columns)}."
            )
    return asked


def needed_columns(estimator: Estimator) -> tuple[str, ...]:
    """The optional columns of a file without which an estimator has no terms.

    Found out by asking it about rounds that lack them, so that a new estimator needs no entry here.

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


def _named(name: str) -> Estimator:
    try:
        return from_name(name)
    except ValueError as error:
        raise UsageError(f"{error}") from error
