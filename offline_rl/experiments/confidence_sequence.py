"""Confidence sequence: intervals for every night of an experiment that hold on all of them together.

An interval of 95 % is right for one look that was planned beforehand. Of experiments without any difference
that are looked at each night for 60 nights, and stopped when the interval leaves out zero, it would stop up
to one in four. Here at most one in twenty is ever stopped, however long it runs and whenever one looks:

    difference ± se · sqrt( (v + 1) / v · log((v + 1) / α²) ),   v = ρ² · rounds so far

The price is an interval that is at its best about one and a half times as wide. ρ says at how many rounds
that is; after a tenth of them it is 27 % wider than at its best, after ten times as many 7 %.

Sources: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, "Time-uniform central limit theory and asymptotic
confidence sequences", theorem 2.2 and the choice of ρ after it; Robbins 1970 for the mixture of normal laws.

What is looked at is a sum over users that come back, not a row of independent rounds. A user who likes one
arm goes on to like it, so a later sum resembles an earlier one more than a random walk of as many rounds
does. By Slepian's inequality (1962) that makes leaving the bounds less likely, not more.
"""

from math import log, sqrt


def rho_squared(planned_rounds: float, confidence: float) -> float:
    """Return ρ² for bounds that are narrowest at this many rounds.

    The root of the derivative in `planned_rounds` by the paper's approximation, (-2 log α + log(1 - 2 log α))
    per planned round.

    >>> round(rho_squared(1000, 0.95) * 1000, 3)
    7.936
    """
    doubled = -2.0 * log(1.0 - confidence)
    return (doubled + log(1.0 + doubled)) / planned_rounds


def standard_errors(n_rounds: float, planned_rounds: float, confidence: float) -> float:
    """Return half the width of the interval in standard errors, after `n_rounds` rounds of both arms.

    At the planned rounds ρ² · rounds = 7.94, so the square of it is 8.94 / 7.94 · log(8.94 / 0.0025).

    >>> [round(standard_errors(n, 1000, 0.95), 2) for n in (100, 1000, 10_000)]
    [3.86, 3.04, 3.24]
    """
    clock = rho_squared(planned_rounds, confidence) * n_rounds
    return sqrt((clock + 1.0) / clock * log((clock + 1.0) / (1.0 - confidence) ** 2))
