"""After selection: the value of a lead that is reported because it was large enough.

A policy is promoted where its estimated lead x exceeds a bar c. Leads that were lucky exceed it more often,
so x is too large on average, most of all just above the bar. Given that it was exceeded, x is a normal
variable cut off below c, and a lead mu that would have given more than x with probability p solves

    Phi((mu - x) / s) / Phi((mu - c) / s) = p

The estimate takes p = 1/2: it is too large as often as too small. Its upper end takes 1 - alpha / 2. The
lower end is left out: close to the bar it is far below zero, which says no more than that it was close.
Sources: Zhong & Prentice 2008, "Bias-reduced estimators and confidence intervals for odds ratios in
genome-wide association studies"; Lee, Sun, Sun & Taylor 2016, "Exact post-selection inference".
"""

from dataclasses import dataclass
from math import log

from scipy.optimize import brentq
from scipy.stats import norm


@dataclass(frozen=True)
class DiscountedLead:
    """A lead that passed, less the luck of those that pass, and what it hardly exceeds; both at least 0."""

    value: float
    upper: float


def discounted_lead(value: float, lower: float, confidence: float) -> DiscountedLead:
    """Return lead of a candidate that was promoted because `lower`, the end of its interval, is above zero.

    The standard error is what lies between value and lower, over the interval's quantile, and the bar is the
    value that would just have passed. Far above the bar nothing changes.
    Raises ValueError if lower isn't between 0 and value: then nothing was selected.

    >>> sure = discounted_lead(value=10.0, lower=8.04, confidence=0.95)
    >>> round(sure.value, 2), round(sure.upper, 2)
    (10.0, 11.96)
    >>> close = discounted_lead(value=2.5, lower=0.54, confidence=0.95)
    >>> round(close.value, 2), round(close.upper, 2)
    (1.54, 4.33)
    """
    if not 0.0 < lower < value:
        raise ValueError(
            f"A lead of {value:g} with the lower end {lower:g} has not passed: discount leads of "
            "promoted policies only."
        )
    tail = (1.0 - confidence) / 2.0
    error = (value - lower) / norm.isf(tail)
    bar = value - lower

    def lead(chance: float) -> float:
        def excess(mu: float) -> float:
            return float(norm.logsf(value, mu, error) - norm.logsf(bar, mu, error)) - log(chance)

        if excess(0.0) >= 0.0:
            return 0.0
        return float(brentq(excess, 0.0, value + 10.0 * error, xtol=1e-9 * error))

    return DiscountedLead(lead(0.5), lead(1.0 - tail))
