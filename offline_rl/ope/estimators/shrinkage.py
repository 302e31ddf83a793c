"""Shrunken importance weights: how a large weight is made to vary less, at the price of a bias.

Put in the place of the weight in one of the forms, each of these functions gives an estimator of its own. All
keep a weight of 0, and each has a limit in which it changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.records import Floats


def clipped(weight: Floats, clip: float) -> Floats:
    """Return min(w, c); c = ∞ changes nothing.

    Source: Ionides 2008, "Truncated importance sampling"; the pessimistic shrinkage of Su, Dimakopoulou,
    Krishnamurthy & Dudik 2020.

    >>> clipped(np.array([0.5, 4.0]), 2.0)
    array([0.5, 2. ])
    """
    return np.minimum(weight, clip)


def switched(weight: Floats, tau: float) -> Floats:
    """Return w where w ≤ τ, else 0; τ = ∞ changes nothing and τ = 0 leaves nothing.

    Source: Wang, Agarwal & Dudik 2017, "Optimal and adaptive off-policy evaluation in contextual bandits".

    >>> switched(np.array([0.5, 2.0, 4.0]), 2.0)
    array([0.5, 2. , 0. ])
    """
    return np.where(weight <= tau, weight, 0.0)


def optimistic(weight: Floats, lam: float) -> Floats:
    """Return λ w / (w² + λ), at most √λ / 2; λ = ∞ changes nothing and λ = 0 leaves nothing.

    Falls again for w > √λ: the rounds with the largest weights are believed least. Even a weight of 1 is
    shrunk, to λ / (1 + λ).

    Source: Su, Dimakopoulou, Krishnamurthy & Dudik 2020, "Doubly robust off-policy evaluation with
    shrinkage".

    >>> optimistic(np.array([1.0, 2.0, 8.0]), 4.0)
    array([0.8       , 1.        , 0.47058824])
    """
    if lam == 0:
        return np.zeros_like(weight)
    return weight / (1 + np.square(weight) / lam)


def sub_gaussian(weight: Floats, lam: float) -> Floats:
    """Return w / (1 − λ + λ w), at most 1 / λ; λ = 0 changes nothing, λ = 1 makes every positive weight 1.

    The harmonic mean of w and 1 with shares 1 − λ and λ: a weight of 1 stays and, unlike under the other
    shrinkages, weights below 1 grow towards it.

    Source: Metelli, Russo & Restelli 2021, "Subgaussian and differentiable importance sampling for off-policy
    evaluation and learning", the power mean of power −1.

    >>> sub_gaussian(np.array([0.0, 1.0, 4.0]), 0.5)
    array([0. , 1. , 1.6])
    """
    shrunken = np.zeros_like(weight)
    np.divide(weight, 1 - lam + lam * weight, out=shrunken, where=weight > 0)
    return shrunken


def check_above_0(symbol: str, number: float) -> None:
    """Raise ValueError unless the largest weight that an estimator lets pass is above zero.

    >>> check_above_0("clip", 10)
    """
    if not number > 0:
        raise ValueError(f"a {symbol} of {number:g} leaves no weight: give a number above 0, such as 10.")


def check_at_least_0(symbol: str, number: float) -> None:
    """Raise ValueError unless the hyperparameter lies in 0..∞.

    >>> check_at_least_0("tau", 0)
    """
    if not number >= 0:
        raise ValueError(f"{symbol} is {number:g}: give a number from 0 up, or inf.")


def check_share(symbol: str, number: float) -> None:
    """Raise ValueError unless the hyperparameter lies in 0..1.

    >>> check_share("lambda", 0.1)
    """
    if not 0 <= number <= 1:
        raise ValueError(f"{symbol} is {number:g}: give a number from 0 to 1, such as 0.1.")


@dataclass(frozen=True)
class Shrinkage:
    """A way to shrink weights, and its hyperparameter.

    symbol: what the hyperparameter is called. shrink: weights and hyperparameter → shrunken weights. check:
    raises ValueError with symbol and number for a number outside of the range.
    """

    symbol: str
    shrink: Callable[[Floats, float], Floats]
    check: Callable[[str, float], None]


CLIP = Shrinkage("clip", clipped, check_above_0)
SWITCH = Shrinkage("tau", switched, check_at_least_0)
OPTIMISTIC = Shrinkage("lambda", optimistic, check_at_least_0)
SUB_GAUSSIAN = Shrinkage("lambda", sub_gaussian, check_share)


def spelled(family: str, number: float) -> str:
    """Return the name of an estimator with a hyperparameter, without a loss of digits.

    >>> spelled("ips", 10.0), spelled("ips", 1.23456789), spelled("dr", float("inf"))
    ('ips:10', 'ips:1.23456789', 'dr:inf')
    """
    short = f"{number:g}"
    return f"{family}:{short if float(short) == number else repr(float(number))}"
