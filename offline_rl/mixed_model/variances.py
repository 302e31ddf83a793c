"""Prior variances by empirical Bayes: one for each block of coefficients.

The standard deviation s of a block maximizes the marginal likelihood of the rewards under Laplace's
approximation, times an exponential prior on s. Without that prior a block that has nothing to say ends above
zero half of the time, and noise adds up over dozens of blocks; with it such a block ends at zero, and one
with something to say hardly moves.
Sources: MacKay 1992, "Bayesian interpolation", for the evidence; Simpson et al. 2017, "Penalising model
component complexity", section 3.3, for the prior.
"""

import math

SCALE = 0.05
"""Mean of the prior on a standard deviation, in units of the score: 0.05 in log-odds."""

LEAST, MOST = 1e-6, 5.0
"""Limits of a variance: effects of 0.001 in log-odds are negligible, and none above 2 has been seen."""

_NEWTON_STEPS = 30


def updated_variance(variance: float, squares: float, trace: float, size: int, scale: float = SCALE) -> float:
    """Take one step towards the variance v = s^2 of a block that maximizes evidence times exp(-s / scale).

        gamma = size - trace / v            how many of the block's coefficients the log determines
        squares - gamma s^2 - s^3 / scale = 0

    squares: |w|^2 of the block's posterior mean; trace: the sum of its posterior variances under `variance`.
    As scale grows this is MacKay's v = |w|^2 / gamma (eq. 4.4).

    Ten coefficients of deviation 0.3, all determined: nearly their mean square, 0.09.

    >>> round(updated_variance(0.05, squares=0.9, trace=0.0, size=10, scale=1.0), 4)
    0.0874
    >>> round(updated_variance(0.05, squares=0.9, trace=0.0, size=10, scale=0.1), 4)
    0.0711
    """
    determined = max(size - trace / variance, 0.0)
    if squares <= 0.0:
        return LEAST
    # Each term alone bounds the root from above, and from there Newton's steps fall to it, never past it.
    root = math.cbrt(scale * squares)
    if determined > 0.0:
        root = min(root, math.sqrt(squares / determined))
    for _ in range(_NEWTON_STEPS):
        value = squares - determined * root**2 - root**3 / scale
        root -= value / -(2.0 * determined * root + 3.0 * root**2 / scale)
    return min(max(root**2, LEAST), MOST)
