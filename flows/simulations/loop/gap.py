"""The share of what there is to gain that days have gained, by true value."""

from collections.abc import Sequence
from statistics import fmean

from flows.simulations.loop.loop_day import LoopDay

NOTHING = 1e-9
"""Share of the first policy's value up to which a gain of the oracle is rounding."""

CHANGE_DECIMALS = 12
"""Decimals of a change; sums of true values are exact to fewer."""


def gap_closed(days: Sequence[LoopDay]) -> float | None:
    """Return (served - first) / (oracle - first) of the means, all with the same share of uniform slates.

    None where the oracle gains nothing.
    """
    first = fmean(day.first_explored for day in days)
    gap = fmean(day.oracle for day in days) - first
    return (fmean(day.served for day in days) - first) / gap if gap > NOTHING * first else None


def change(days: Sequence[LoopDay]) -> float:
    """Return served over the first policy, less 1, of means, both with the same share of uniform slates."""
    ratio = fmean(day.served for day in days) / fmean(day.first_explored for day in days)
    # Where nothing can be gained the rest is rounding, of either sign; adding 0 takes the sign from a zero.
    return round(ratio - 1.0, CHANGE_DECIMALS) + 0.0


def of_each_shop(days: Sequence[LoopDay]) -> list[list[LoopDay]]:
    """Return the days of each shop, in the order of seeds."""
    return [[day for day in days if day.seed == seed] for seed in sorted({day.seed for day in days})]
