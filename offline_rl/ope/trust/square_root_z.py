"""The z statistic of a sum of rare, positive terms."""

from math import inf, sqrt

NEGLIGIBLE = 0.005
"""Relative deviation that is never reported, however certain: logs round their probabilities."""


def square_root_z(observed: float, expected: float, *, dispersion: float) -> float:
    """z = 2 (√O − √E) / √dispersion for an observed sum O; dispersion is variance over mean, 1 for counts.

    Square roots of Poisson counts have variance 1/4, whatever their mean (Bartlett 1936). On this scale a
    rare action is judged about as fairly as a frequent one, where (O − E) / √O finds far too many deficits:
    five draws in place of fifteen are z = −4.5 there, −3.3 here, and as rare as −2.8.

    Deviations up to 0.5 % are none. A deviation without any dispersion is infinite.

    >>> round(square_root_z(5, 15, dispersion=1), 2), square_root_z(1.001, 1, dispersion=0)
    (-3.27, 0.0)
    """
    if abs(observed - expected) <= NEGLIGIBLE * expected:
        return 0.0
    shift = 2 * (sqrt(observed) - sqrt(expected))
    if dispersion <= 0:
        return inf if shift > 0 else -inf
    return shift / sqrt(dispersion)
