"""The day's common factor: what a day is worth in all cells at once, whatever they spend.

mean revenue of cell c on day t = level_c · effective spend_ct · factor_t

Demand, season, prices and outages move every cell on the same days. Without the factor a curve reads them as
an effect of spend, wherever spend rose or fell on the same days.
"""

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.log_weeks import on_each_day, sums_of_weeks

Array = NDArray[np.float64]

_ROUNDS = 30


def levels_and_factors(revenue: Array, effective: Array, precision: Array) -> tuple[Array, Array]:
    """Return the level of each cell, [cells], and the factor of each day, [days], by two-way scaling.

    Both margins of the quasi-Poisson model are met in turn: sum_t y = level · sum_t (factor · e), and
    sum_c y / phi = factor · sum_c (level · e / phi). A day or a cell without spend gets 1 or 0.

    revenue, effective: [cells, days], 0 on days without spend. precision: 1 / dispersion, [cells].
    Source: iterative proportional fitting, Deming & Stephan 1940; a Poisson model with two fixed effects.

    Two cells that earn 2 and 4 a cent; on the second day everything earns half:

    >>> spend = np.array([[10.0, 20.0], [30.0, 10.0]])
    >>> earned = spend * np.array([[2.0], [4.0]]) * np.array([1.0, 0.5])
    >>> level, factor = levels_and_factors(earned, spend, np.ones(2))
    >>> (level / level[0]).round(3).tolist(), (factor / factor[0]).round(3).tolist()
    ([1.0, 2.0], [1.0, 0.5])
    """
    factor = np.ones(revenue.shape[1])
    level = _ratio(revenue.sum(1), effective.sum(1), otherwise=0.0)
    for _ in range(_ROUNDS):
        expected = (precision * level) @ effective
        factor = _ratio(precision @ revenue, expected, otherwise=1.0)
        level = _ratio(revenue.sum(1), effective @ factor, otherwise=0.0)
    return level, factor


def within_weeks(revenue: Array, effective: Array) -> Array:
    """Return what each day of a cell brings at the cell's level of that week, [cells, days]."""
    level = _ratio(sums_of_weeks(revenue), sums_of_weeks(effective), otherwise=0.0)
    return on_each_day(level, revenue.shape[1]) * effective


def factor_of_others(revenue: Array, fitted: Array, dispersion: Array) -> Array:
    """Return how good each day was in its week in the *other* cells, around 1, [cells, days].

    The best linear predictor of a factor with mean 1 and variance v from what the others earned:

    factor = 1 + v F (Y - F) / (v F^2 + sum phi f),   F = sum f, Y = sum y over the other cells

    v is what cells have in common, sum over pairs of (y - f)(y' - f') over sum of f f': noise of one cell is
    in no pair. A cell's own revenue is left out, or a curve would be corrected by its own noise.

    revenue, fitted: [cells, days], fitted as by `within_weeks`. dispersion: [cells].
    """
    off = np.where(fitted > 0, revenue - fitted, 0.0)
    pairs = float((off.sum(0) ** 2 - (off**2).sum(0)).sum())
    weight = float((fitted.sum(0) ** 2 - (fitted**2).sum(0)).sum())
    variance = max(pairs / weight, 0.0) if weight > 0 else 0.0
    noise = dispersion[:, None] * fitted
    of_others = fitted.sum(0) - fitted
    above = off.sum(0) - off
    spread = variance * of_others**2 + noise.sum(0) - noise
    return np.maximum(1.0 + _ratio(variance * of_others * above, spread, otherwise=0.0), 0.1)


def _ratio(part: Array, whole: Array, *, otherwise: float) -> Array:
    return np.divide(part, whole, out=np.full_like(part, otherwise), where=whole > 0)
