"""Rounds that several logging policies wrote, each with probabilities of its own.

The naive estimators are the usual ones: `ips` and `dr` divide by the probability under the round's own
logger. They are unbiased, but one logger that hardly ever does what the new policy does spoils them all. The
balanced ones divide by the probability under all loggers together; the weighted ones estimate by logger, and
average with the weights that make the variance least.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.estimators.contribution import corrected_model, mean_terms, mean_value
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import ratio

NO_SPREAD = 1e-12
"""Least variance of a logger's contributions, in units of their mean square, that is not a rounding."""


@dataclass(frozen=True)
class BalancedLoggersIPS:
    """Balanced IPS of several loggers, V = Σ π_e(a∣x) / (Σ_k (n_k / n) π_k(a∣x)) r / n.

    Unbiased where any logger could show what the policy shows, and never more variable than naive IPS. Needs
    every logger's probability of every logged action.

    Terms: 1, π_e r over the column `balanced_propensity`.
    Source: Agarwal, Basu, Schnabel & Joachims 2017, "Effective evaluation using logged bandit feedback from
    multiple loggers".

    >>> import numpy as np
    >>> float(BalancedLoggersIPS().value(np.array([4.0, 2.0])))
    0.5
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "balanced_loggers_ips"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and weighted reward, shape [n, 2]."""
        return mean_terms(balanced_weight(rounds, self.name) * rounds.reward)

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per round."""
        return mean_value(sums)


@dataclass(frozen=True)
class BalancedLoggersDR:
    """Balanced doubly robust of several loggers, V = Σ [q_policy + w_bal (r − q_logged)] / n.

    w_bal = π_e(a∣x) / Σ_k (n_k / n) π_k(a∣x). With a right model it is efficient among all that know the
    loggers' probabilities.

    Terms: 1, q_policy + w_bal (r − q_logged).
    Source: Kallus, Saito & Uehara 2021, "Optimal off-policy evaluation from multiple logging policies".

    >>> import numpy as np
    >>> float(BalancedLoggersDR().value(np.array([4.0, 2.0])))
    0.5
    """

    rests_on_model: ClassVar[bool] = False
    name: ClassVar[str] = "balanced_loggers_dr"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Count and corrected model reward, shape [n, 2]."""
        weight = balanced_weight(rounds, self.name)
        return mean_terms(corrected_model(weight, rounds.reward, rounds.modeled(self.name)))

    def value(self, sums: Floats) -> Floats:
        """Corrected model reward per round."""
        return mean_value(sums)


@dataclass(frozen=True)
class WeightedLoggersIPS:
    """IPS by logger, averaged with the inverse of its variance, V = Σ_k n_k V_k / σ_k² / Σ_k n_k / σ_k².

    σ_k² is the variance of w r among the rounds of logger k, with w over the logger's own propensity. The
    variance of a rare reward goes with its mean, so that with few rewards the average leans to the loggers
    that happened to see less of them.

    Terms: 1, w r, (w r)² in the columns of the round's logger. Raises ValueError unless n_loggers is a whole
    number from 1 up.
    Source: Agarwal, Basu, Schnabel & Joachims 2017, "Effective evaluation using logged bandit feedback from
    multiple loggers".

    >>> WeightedLoggersIPS(3).name
    'weighted_loggers_ips:3'
    """

    n_loggers: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_n_loggers(self.n_loggers)

    @property
    def name(self) -> str:
        """`weighted_loggers_ips:` and the number of loggers."""
        return f"weighted_loggers_ips:{self.n_loggers:g}"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Counts, weighted rewards and their squares by logger, shape [n, 3 n_loggers]."""
        return stratified_terms(rounds, rounds.weight * rounds.reward, int(self.n_loggers), self.name)

    def value(self, sums: Floats) -> Floats:
        """Precision-weighted mean over loggers."""
        return stratified_value(sums, int(self.n_loggers))


@dataclass(frozen=True)
class WeightedLoggersDR:
    """Doubly robust by logger, averaged with the inverse of its variance; see `WeightedLoggersIPS`.

    Terms: 1, z, z² in the columns of the round's logger, z = q_policy + w (r − q_logged). Raises ValueError
    unless n_loggers is a whole number from 1 up.
    Source: Kallus, Saito & Uehara 2021, "Optimal off-policy evaluation from multiple logging policies".

    >>> WeightedLoggersDR(3).name
    'weighted_loggers_dr:3'
    """

    n_loggers: float
    rests_on_model: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_n_loggers(self.n_loggers)

    @property
    def name(self) -> str:
        """`weighted_loggers_dr:` and the number of loggers."""
        return f"weighted_loggers_dr:{self.n_loggers:g}"

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Counts, corrected model rewards and their squares by logger, shape [n, 3 n_loggers]."""
        contribution = corrected_model(rounds.weight, rounds.reward, rounds.modeled(self.name))
        return stratified_terms(rounds, contribution, int(self.n_loggers), self.name)

    def value(self, sums: Floats) -> Floats:
        """Precision-weighted mean over loggers."""
        return stratified_value(sums, int(self.n_loggers))


def balanced_weight(rounds: EvaluationRounds, asker: str) -> Floats:
    """π_e(a∣x) / Σ_k (n_k / n) π_k(a∣x), shape [n]; ValueError where the rounds don't carry the latter."""
    meaning = "the probability of the logged action under all loggers together"
    return rounds.evaluation_prob / rounds.column("balanced_propensity", asker, meaning)


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
    """Σ_k n_k z̄_k / σ_k² / Σ_k n_k / σ_k² of sums [..., 3 n_loggers], shape [...].

    Where some logger's contributions don't vary, as when its rounds earned nothing, its variance can't be
    told from them, and it would take all the weight. The value then is the mean over all rounds, the naive
    one.

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


def _check_n_loggers(n_loggers: float) -> None:
    if not (n_loggers >= 1 and float(n_loggers).is_integer()):
        raise ValueError(f"the number of loggers is {n_loggers:g}: give a whole number from 1 up.")
