"""The tipping factor: by how much the odds may be wrong before what was shown is no longer shown."""

from collections.abc import Callable
from math import inf, sqrt

MOST = 1000.0
"""Largest factor that is tried: odds a thousand times those estimated are no longer an estimate's error."""

STEPS = 40
"""Bisections, each of which halves the logarithm: the factor is exact to a part in 10**11."""


def tipping_factor(lower: Callable[[float], float]) -> float:
    """Return the largest factor at which a lower bound lies above zero.

    lower: factor -> lower bound, which falls as the factor grows; NaN counts as not above zero.
    1.0 where it does not even lie above zero at a factor of 1: nothing is shown, however right the
    propensities are. Infinite where it still does at `MOST`, as for a policy that only repeats what was
    certain to be logged.

    >>> round(tipping_factor(lambda factor: 2.5 - factor), 6)
    2.5
    >>> tipping_factor(lambda factor: -0.1), tipping_factor(lambda factor: 0.1)
    (1.0, inf)
    """
    if not lower(1.0) > 0:
        return 1.0
    if lower(MOST) > 0:
        return inf
    shown, turned = 1.0, MOST
    for _ in range(STEPS):
        between = sqrt(shown * turned)
        if lower(between) > 0:
            shown = between
        else:
            turned = between
    return shown
