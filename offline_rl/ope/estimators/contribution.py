"""Estimators that are a plain mean: every round contributes one number."""

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sums import ratio


def mean_terms(contribution: Floats) -> Floats:
    """Count and contribution of each round, shape [n, 2].

    >>> mean_terms(np.array([3.0, 4.0]))
    array([[1., 3.],
           [1., 4.]])
    """
    return np.column_stack([np.ones(len(contribution)), contribution])


def mean_value(sums: Floats) -> Floats:
    """Contribution per round of sums [..., 2], shape [...]; NaN of no rounds.

    >>> float(mean_value(np.array([2.0, 7.0])))
    3.5
    """
    return ratio(sums[..., 1], sums[..., 0])


def corrected_model(weight: Floats, reward: Floats, modeled: tuple[Floats, Floats]) -> Floats:
    """The doubly robust contribution q_policy + w (r − q_logged), with modeled = (q_logged, q_policy).

    >>> corrected_model(np.array([2.0]), np.array([1.0]), (np.array([0.75]), np.array([0.5])))
    array([1.])
    """
    q_logged, q_policy = modeled
    return q_policy + weight * (reward - q_logged)
