"""Group-sequential boundaries: intervals of an experiment that is looked at each night and has a last day.

An interval of 95 % is right for one look that was planned beforehand. Of experiments without any difference
that are looked at each night for four weeks, and stopped when the interval leaves out zero, it would stop up
to one in four. Here the error is spent: of the 5 % of an experiment of 28 days, each night has 1/28, and its
interval is as wide as makes the chance of leaving out zero tonight, and on no night before, just that.

    P(|Z_1| < c_1, ..., |Z_(k-1)| < c_(k-1), |Z_k| >= c_k) = error / days

Z_j · √I_j is a random walk in the information I_j, so the probability is an integral of one dimension per
night, made from that of the night before. At most one experiment in twenty is ever stopped by chance. An
interval without a last day (a confidence sequence) is 3.04 standard errors wide at its best; these begin at
3.12 and end at 2.43, and find a difference in fewer days.

Sources: Lan & DeMets 1983, "Discrete sequential boundaries for clinical trials"; Kim & DeMets 1987 for an
error that is spent in proportion to time; Armitage, McPherson & Rowe 1969 for the integral; Jennison &
Turnbull 1989, "Interim analyses: the repeated confidence interval approach".

What is looked at is a sum over users that come back, not a row of independent rounds. A user who likes one
arm likes it on the next day too, so a later sum resembles an earlier one more than a random walk of as many
rounds does, and leaves the bounds less often (by Slepian's inequality of 1962, for one side). Where a user
gives a reward once at most, it resembles it less; tests simulate both.
"""

from collections.abc import Sequence
from math import ceil, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

_LEAST_STEP = 1e-3
"""Share of the information that must be new for a look to be another one."""

_NODES_PER_STEP = 4.0
"""Points of the grid in one standard deviation of a night's step."""

_FEWEST_NODES = 101

_WIDEST = 40.0
"""Standard errors beyond which no normal tail is left."""


def boundaries(information: Sequence[float], max_days: int, confidence: float) -> list[float]:
    """Return half the width of each look's interval, in standard errors; infinite before the first round.

    information: after each day of the experiment so far, in any unit, such as 1 / (1/n + 1/m) for arms of n
    and m rounds. max_days: of the experiment; the look of its last day is at all that was known when it was
    over, however late. A night that was missed counts as a look, which is on the safe side, and one that adds
    nothing leaves its error to the next.

    With one day it is the usual interval.

    >>> [round(width, 2) for width in boundaries([100], 1, 0.95)]
    [1.96]
    >>> widths = boundaries(range(1, 29), 28, 0.95)
    >>> [round(widths[day - 1], 2) for day in (1, 7, 14, 28)]
    [3.12, 2.85, 2.66, 2.43]
    """
    each = (1.0 - confidence) / max_days
    looks = [*information[: max_days - 1], *information[max_days - 1 :][-1:]]
    walk, unspent, widths = _Walk(), 0.0, [inf]
    for known in looks:
        unspent += each
        widths.append(widths[-1])
        if known > walk.information * (1.0 + _LEAST_STEP):
            widths[-1] = walk.look(known, unspent)
            unspent = 0.0
    return widths[1:]


def chance_of_winning(
    standard_errors: float, information: Sequence[float], max_days: int, confidence: float
) -> float:
    """Return the chance that an experiment which has not been stopped is won on its last day.

        Phi((z - c √t) / √(1 - t)),   t = I_now / I_end

    z: how many standard errors the candidate leads by, maybe below zero; c: half the width of the last day's
    interval. The rest of the difference is as uncertain as what has been seen leaves it (a flat prior), and
    every day to come has as much information as those so far have in the mean. 1 or 0 on the last day.
    information: after each day so far, see `boundaries`; at least one round is known. Where the last days
    have added nothing, their rewards are on the way, and those of as many days will be when it ends.

    Source: Spiegelhalter, Freedman & Blackburn 1986, "Monitoring clinical trials: conditional or predictive
    power?".

    Half of the days, and no lead: the last bound is 2.43, so Phi(-2.43).

    >>> round(chance_of_winning(0.0, range(1, 15), 28, 0.95), 4)
    0.0076
    >>> round(chance_of_winning(2.0, range(1, 15), 28, 0.95), 2)
    0.66
    """
    known = information[-1]
    days = 1 + list(information).index(known)
    end = max_days - (len(information) - days)
    if days >= end:
        return float(standard_errors >= boundaries(information, max_days, confidence)[-1])
    to_come = [known * day / days for day in range(days + 1, end + 1)]
    last = boundaries([*information[:days], *to_come], max_days, confidence)[-1]
    share = days / end
    return float(norm.cdf((standard_errors - last * sqrt(share)) / sqrt(1.0 - share)))


class _Walk:
    """The random walk of a difference that is none, as far as it has stayed within its bounds.

    information: of the last look. nodes, mass: a grid between its bounds, and the probability at each node.
    """

    def __init__(self) -> None:
        self.information = 0.0
        self.nodes = np.zeros(1)
        self.mass = np.ones(1)

    def look(self, information: float, error: float) -> float:
        """Go on to a look, and return the standard errors that the walk leaves with this probability."""
        step = sqrt(information - self.information)

        def leaves(bound: float) -> float:
            below, above = (-bound - self.nodes) / step, (self.nodes - bound) / step
            return float(self.mass @ (norm.cdf(below) + norm.cdf(above)))

        unit = sqrt(information)
        width = brentq(lambda width: leaves(width * unit) - error, 0.0, _WIDEST)
        bound = width * unit
        nodes, weights = _simpson(bound, step)
        density = norm.pdf((nodes[:, None] - self.nodes[None, :]) / step) / step
        self.information, self.nodes, self.mass = information, nodes, weights * (density @ self.mass)
        return float(width)


def _simpson(bound: float, step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the nodes and weights of Simpson's rule between -bound and bound, fine enough for a step."""
    n = max(_FEWEST_NODES, 2 * ceil(bound / step * _NODES_PER_STEP) + 1)
    weights = np.full(n, 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    nodes = np.linspace(-bound, bound, n)
    return nodes, weights * (nodes[1] - nodes[0]) / 3.0
