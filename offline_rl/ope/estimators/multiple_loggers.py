"""Rounds that several logging policies wrote, each with probabilities of its own.

The naive estimators are the usual ones: `ips` and `dr` divide by the probability under the round's own
logger. They are unbiased, but one logger that hardly ever does what the new policy does spoils them all. The
balanced ones divide by the probability under all loggers together, and are the usual forms with the weight
`weights.all_loggers`; the weighted ones, here, estimate by logger, and average with the weights that make the
variance least.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.estimators.forms import CorrectedMean, Mean
from offline_rl.ope.estimators.shrinkage import spelled
from offline_rl.ope.estimators.weights import importance
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio

NO_SPREAD = 1e-12
"""Least variance of a logger's contributions, in units of their mean square, that is not a rounding."""


@dataclass(frozen=True)
class WeightedLoggers:
    """A mean by logger, averaged with the inverse of its variance, V = Σ_k n_k V_k / σ_k² / Σ_k n_k / σ_k².

    σ_k² is the variance of the form's contribution z among the rounds of logger k, with w over the logger's
    own propensity: z = w r in `weighted_loggers_ips`, q_policy + w (r − q_logged) in `weighted_loggers_dr`.
    The variance of a rare reward goes with its mean, so that with few rewards the average leans to the
    loggers that happened to see less of them.

    Terms: 1, z, z² in the columns of the round's logger. Raises ValueError unless n_loggers is a whole number
    from 1 up.
    Source: Agarwal, Basu, Schnabel & Joachims 2017, "Effective evaluation using logged bandit feedback from
    multiple loggers"; doubly robust Kallus, Saito & Uehara 2021, "Optimal off-policy evaluation from multiple
    logging policies".

    >>> WeightedLoggers("weighted_loggers_ips", Mean, 3).name
    'weighted_loggers_ips:3'
    """

    family: str
    form: type[Mean] | type[CorrectedMean]
    n_loggers: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (self.n_loggers >= 1 and float(self.n_loggers).is_integer()):
            raise ValueError(f"the number of loggers is {self.n_loggers:g}: give a whole number from 1 up.")

    @property
    def name(self) -> str:
        """The family, a colon and the number of loggers."""
        return spelled(self.family, self.n_loggers)

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Return the counts, contributions and their squares by logger, shape [n, 3 n_loggers]."""
        contribution = self.form(self.name, importance).contribution(rounds)
        return stratified_terms(rounds, contribution, int(self.n_loggers), self.name)

    def value(self, sums: Floats) -> Floats:
        """Return the precision-weighted mean over loggers."""
        return stratified_value(sums, int(self.n_loggers))


def stratified_terms(rounds: EvaluationRounds, contribution: Floats, n_loggers: int, asker: str) -> Floats:
    """Count, contribution and its square in the columns of each round's logger, shape [n, 3 n_loggers].

    Raises ValueError where the rounds don't say who logged them, or name a logger beyond n_loggers.
    """
    if rounds.logger is None:
        raise ValueError(
            f"estimator {asker} needs to know who logged each round, but these rounds carry no logger. "
            "Give the column, or ask for ips or dr."
        )
    if (rounds.logger >= n_loggers).any():
        row = int(np.argmax(rounds.logger >= n_loggers))
        raise ValueError(
            f"row {row}: logger is {rounds.logger[row]}, but {asker} knows {n_loggers}, counted from 0."
        )
    terms = np.zeros((rounds.n, 3, n_loggers))
    rows = np.arange(rounds.n)
    for power in range(3):
        terms[rows, power, rounds.logger] = contribution**power
    return terms.reshape(rounds.n, -1)


def stratified_value(sums: Floats, n_loggers: int) -> Floats:
    """Return Σ_k n_k z̄_k / σ_k² / Σ_k n_k / σ_k² of sums [..., 3 n_loggers], shape [...].

    Where some logger's contributions don't vary, as when its rounds earned nothing, its variance can't be
    estimated from them, and it would get all the weight. The value then is the mean over all rounds, the
    naive one.

    >>> one, other = np.array([2.0, 4.0, 10.0]), np.array([2.0, 2.0, 10.0])
    >>> float(stratified_value(np.column_stack([one, other]).ravel(), 2))
    1.8
    """
    count, total, squares = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, n_loggers), -2, 0)
    mean = ratio(total, count)
    variance = ratio(squares, count) - mean * mean
    is_present = count > 0
    is_told = (~is_present | (variance > NO_SPREAD * ratio(squares, count))).all(axis=-1)
    precision = np.where(is_present & is_told[..., np.newaxis], ratio(count, variance), count)
    return ratio((precision * np.where(is_present, mean, 0.0)).sum(axis=-1), precision.sum(axis=-1))
