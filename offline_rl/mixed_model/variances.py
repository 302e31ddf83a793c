"""Prior variances by empirical Bayes: each block of coefficients is believed as far as the log bears it out.

The variance of a block maximizes the marginal likelihood of the rewards under Laplace's approximation, times
an exponential prior on it.  Without that prior a block that has nothing to say ends above zero half of the
time, and noise adds up over a dozen blocks; with it such a block ends at zero, and one with something to say
hardly moves.
"""

import math

SCALE = 0.02
"""Mean of the prior on a variance, in squared units of the score: deviations of 0.14 log-odds."""

LEAST, MOST = 1e-6, 5.0
"""Variances stay between: effects of 0.001 in log-odds are none, and of more than 2 nobody has seen."""


def updated_variance(variance: float, squares: float, trace: float, size: int, scale: float = SCALE) -> float:
    """One step towards the variance v of a block that maximizes evidence times exp(-v / scale).

        gamma = size - trace / v            how many of the block's coefficients the log determines
        2/scale v^2 + gamma v - squares = 0

    squares: |w|^2 of the block's posterior mean; trace: the sum of its posterior variances under `variance`.
    As scale grows this is v = |w|^2 / gamma.  Source: MacKay 1992, "Bayesian interpolation", eq. 4.4.

    Ten coefficients of deviation 0.3, all determined: nearly their mean square.

    >>> round(updated_variance(0.05, squares=0.9, trace=0.0, size=10, scale=1.0), 4)
    0.0884
    >>> round(updated_variance(0.05, squares=0.9, trace=0.0, size=10, scale=0.02), 4)
    0.0572
    """
    determined = max(size - trace / variance, 0.0)
    root = math.sqrt(determined**2 + 8.0 * squares / scale)
    return min(max((root - determined) * scale / 4.0, LEAST), MOST)
