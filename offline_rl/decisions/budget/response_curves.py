"""What spend brings: a concave response curve per cell (campaign, channel, segment) from its daily log.

revenue(x) on day t = factor_t · a x / (b + x): a is the revenue that no spend can exceed, b the spend that
brings half of it, factor_t what the day is worth in all cells at once (`daily_factor`). The curves that are
returned stand at the *present* factor: the past counts less the older it is, as fast as that predicted best
(`recency`).

A cell alone rarely has the days to tell a from b, so cells of a channel share what they have in common:

* saturation kappa = b / (mean spend): posterior on a grid, prior of the channel (`saturation`); only days of
  one week are compared, so a return that falls over time is no saturation;
* level rho = revenue per cent at the mean spend: shrunk towards the channel's by Gamma-Poisson moments.

Days without spend say nothing about the curve and are left out; carry-over to later days is not modeled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.daily_factor import factor_of_others, levels_and_factors, within_weeks
from offline_rl.decisions.budget.log_weeks import sums_of_weeks
from offline_rl.decisions.budget.recency import best_half_life, recency_weights
from offline_rl.decisions.budget.saturation import LOG_SATURATION, effective_spend, saturation_posterior

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# Before any cell is seen, levels of a channel differ by 20 %; that is worth two cells.
_START_SPREAD, _START_CELLS = 0.2, 2.0

# A cell's own dispersion counts as much as its channel's once it has this many days.
_DISPERSION_DAYS = 10.0


@dataclass(frozen=True)
class ResponseCurves:
    """Curves a x / (b + x), in cents per day: ceiling a and half saturation b, each [..., cells].

    >>> curves = ResponseCurves(np.array([100.0]), np.array([50.0]))
    >>> curves.revenue(np.array([50.0])).tolist(), curves.marginal_roas(np.array([50.0])).tolist()
    ([50.0], [0.5])
    """

    ceiling: Array
    half_saturation: Array

    def revenue(self, spend: Array | Index) -> Array:
        """Return the expected revenue per day, in cents."""
        return np.asarray(self.ceiling * spend / (self.half_saturation + spend))

    def marginal_roas(self, spend: Array | Index) -> Array:
        """Return the revenue of the next cent, a b / (b + x)^2."""
        return np.asarray(self.ceiling * self.half_saturation / (self.half_saturation + spend) ** 2)


@dataclass(frozen=True)
class SpendHistory:
    """Daily spend and revenue in cents, [cells, days]; `channel` is an index [cells].

    A day without a row of the cell is a day without spend.
    """

    spend: Array
    revenue: Array
    channel: Index

    @property
    def scale(self) -> Array:
        """Mean spend of the days with spend, [cells]; 1 where there was none."""
        days = (self.spend > 0).sum(1)
        return np.where(days > 0, self.spend.sum(1) / np.maximum(days, 1), 1.0)


@dataclass(frozen=True)
class CurveFit:
    """Fitted curves at the present factor, and what their uncertainty is made of; [cells] where not said.

    saturation: [cells, grid]. prior_spend: how many cents of spend the level of the channel's other cells
    counts for. dispersion: variance over mean of a day's revenue within a week, in cents.
    residual: (revenue - fitted) / sqrt(fitted) of each day with spend, else 0, [cells, days].
    factor: of each day, [days]. cell_half_life, factor_half_life: days, how fast the past of a cell's own
    level and of the common factor stops counting.
    """

    curves: ResponseCurves
    saturation: Array
    prior_spend: Array
    dispersion: Array
    residual: Array
    factor: Array
    cell_half_life: float
    factor_half_life: float


def fit_response_curves(history: SpendHistory) -> CurveFit:
    """Fit all cells at once, each pooled with the cells of its channel.

    Day t of a cell has mean factor_t · rho · g_t and variance dispersion · mean, with g the effective spend
    (`saturation.effective_spend`), so a cell's level is sum w revenue / sum w factor g (quasi-Poisson), and

    rho = (M m + sum w revenue) / (M + sum w factor g),  M = dispersion · m / v

    w: weight of a day's age. m: the level of the channel's other cells; v: variance of levels within the
    channel by the method of moments (Kleinman 1973), with a start. M is at most the other cells' effective
    spend. The present factor is sum u revenue / sum u rho g over days and cells, u its own weight of age.

    Two cells, the same log: 10 days of 100 cents that bring 200. Both have level 2 at the spend of 100.

    >>> log = SpendHistory(np.full((2, 10), 100.0), np.full((2, 10), 200.0), np.array([0, 0]))
    >>> fit_response_curves(log).curves.revenue(np.array([100.0, 100.0])).round(6).tolist()
    [200.0, 200.0]
    """
    scale = history.scale
    relative = history.spend / scale[:, None]
    revenue = np.where(history.spend > 0, history.revenue, 0.0)
    n_days = revenue.shape[1]

    fitted = within_weeks(revenue, effective_spend(relative, np.ones_like(scale)))
    dispersion = _dispersion(revenue, fitted, history.channel)
    others = factor_of_others(revenue, fitted, dispersion)
    saturation = saturation_posterior(relative, revenue, dispersion, history.channel, factor=others)
    kappa = np.exp(saturation @ LOG_SATURATION)

    effective = effective_spend(relative, kappa) * scale[:, None]
    dispersion = _dispersion(revenue, within_weeks(revenue, effective * others), history.channel)
    level, factor = levels_and_factors(revenue, effective, 1.0 / dispersion)
    expected = level[:, None] * effective * factor
    residual = _ratio(revenue - expected, np.sqrt(expected), otherwise=0.0)

    cell_half_life = best_half_life(revenue / dispersion[:, None], expected / dispersion[:, None])
    weight = recency_weights(n_days, cell_half_life)
    spent, earned = (effective * factor) @ weight, revenue @ weight
    prior_spend = _prior_spend(earned, spent, dispersion, history.channel)
    prior_revenue = prior_spend * _level_of_others(earned, spent, history.channel)
    level = _ratio(prior_revenue + earned, prior_spend + spent, otherwise=0.0)

    everywhere = _shop_days(revenue, effective, level, dispersion)
    factor_half_life = best_half_life(*(row[None] for row in everywhere))
    present = _present_factor(everywhere, recency_weights(n_days, factor_half_life))
    curves = ResponseCurves(present * level * (kappa + 1.0) * scale * (spent > 0), kappa * scale)
    return CurveFit(
        curves, saturation, prior_spend, dispersion, residual, factor, cell_half_life, factor_half_life
    )


def draw_response_curves(history: SpendHistory, fit: CurveFit, *, n_draws: int, seed: int) -> ResponseCurves:
    """Draw plausible curves, arrays [draws, cells], by a Bayesian bootstrap over days.

    In each draw every day has a random weight, the same in all cells, so that a good day is good everywhere
    at once; saturation comes from its posterior. The prior enters as pseudo-revenue: the level of the others
    under the same weights, with the noise of as much spend as it counts for. The factors of the days stand,
    the present one is drawn with the days that it is read from.
    Source: Rubin 1981, "The Bayesian bootstrap"; the prior's part as in Fong, Lyddon & Holmes 2019.
    """
    rng = np.random.default_rng(seed)
    n_cells, n_days = history.spend.shape
    scale = history.scale
    relative = history.spend / scale[:, None]
    revenue = np.where(history.spend > 0, history.revenue, 0.0)
    weight = recency_weights(n_days, fit.cell_half_life)
    shop_weight = recency_weights(n_days, fit.factor_half_life)
    cumulative = fit.saturation.cumsum(1)
    ceiling, half_saturation = np.empty((n_draws, n_cells)), np.empty((n_draws, n_cells))
    for draw in range(n_draws):
        day_weight = rng.dirichlet(np.ones(n_days)) * n_days
        uniform = rng.random(n_cells) * cumulative[:, -1]
        kappa = np.exp(LOG_SATURATION[(cumulative <= uniform[:, None]).sum(1)])
        effective = effective_spend(relative, kappa) * scale[:, None]
        earned = revenue @ (day_weight * weight)
        spent = effective @ (day_weight * weight * fit.factor)
        pseudo_rate = fit.prior_spend * _level_of_others(earned, spent, history.channel) / fit.dispersion
        prior_revenue = fit.dispersion * rng.standard_gamma(pseudo_rate)
        level = _ratio(prior_revenue + earned, fit.prior_spend + spent, otherwise=0.0)
        everywhere = _shop_days(revenue, effective, level, fit.dispersion)
        present = _present_factor(everywhere, day_weight * shop_weight)
        ceiling[draw] = present * level * (kappa + 1.0) * scale * (spent > 0)
        half_saturation[draw] = kappa * scale
    return ResponseCurves(ceiling, half_saturation)


def _shop_days(revenue: Array, effective: Array, level: Array, dispersion: Array) -> tuple[Array, Array]:
    """Return revenue and level of all cells by day, [days] each, in units of the dispersion."""
    return (1.0 / dispersion) @ revenue, (level / dispersion) @ effective


def _present_factor(everywhere: tuple[Array, Array], weight: Array) -> float:
    earned, expected = (float(days @ weight) for days in everywhere)
    return earned / expected if expected > 0 else 1.0


def _dispersion(revenue: Array, fitted: Array, channel: Index) -> Array:
    """Pearson dispersion of each cell within its weeks, shrunk towards its channel's."""
    residual = _ratio(revenue - fitted, np.sqrt(fitted), otherwise=0.0)
    squares = np.square(residual).sum(1)
    has_level = sums_of_weeks(fitted) > 0
    freedom = np.maximum(((fitted > 0).sum(1) - has_level.sum(1)).astype(np.float64), 0.0)
    of_channel = _ratio(_sum_by(channel, squares), _sum_by(channel, freedom), otherwise=0.0)[channel]
    dispersion = (squares + _DISPERSION_DAYS * of_channel) / (freedom + _DISPERSION_DAYS)
    # A log without noise would make any prior worthless and the likelihood a spike.
    mean_revenue = _ratio(revenue.sum(1), (fitted > 0).sum(1).astype(np.float64), otherwise=1.0)
    return np.asarray(np.maximum(dispersion, np.maximum(1e-6 * mean_revenue, 1e-12)))


def _level_of_others(revenue: Array, spent: Array, channel: Index) -> Array:
    """Level of the channel's cells but this one: its own days would count twice in the shrunk level."""
    revenue_of_others = _sum_by(channel, revenue)[channel] - revenue
    return _ratio(revenue_of_others, _sum_by(channel, spent)[channel] - spent, otherwise=0.0)


def _prior_spend(revenue: Array, spent: Array, dispersion: Array, channel: Index) -> Array:
    """Cents of spend that the level of the others counts for: M of `fit_response_curves`."""
    all_revenue, all_spent = _sum_by(channel, revenue)[channel], _sum_by(channel, spent)[channel]
    mean = _ratio(all_revenue, all_spent, otherwise=0.0)
    level = _ratio(revenue, spent, otherwise=0.0)
    noise = dispersion * mean * (1.0 - _ratio(spent, all_spent, otherwise=0.0)) * (spent > 0)
    between = _sum_by(channel, spent * (level - mean) ** 2 - noise)[channel]
    spread = all_spent - _ratio(_sum_by(channel, spent**2)[channel], all_spent, otherwise=0.0)
    # The moments of few cells are often 0, which would pool cells that do differ.
    start = _START_CELLS * _mean_by(channel, spent)[channel]
    variance = _ratio(
        np.maximum(between, 0.0) + start * (_START_SPREAD * mean) ** 2, spread + start, otherwise=0.0
    )
    return np.minimum(_ratio(dispersion * mean, variance, otherwise=np.inf), all_spent - spent)


def _mean_by(channel: Index, values: Array) -> Array:
    return _ratio(_sum_by(channel, values), _sum_by(channel, np.ones_like(values)), otherwise=0.0)


def _sum_by(channel: Index, values: Array) -> Array:
    return np.bincount(channel, weights=values).astype(np.float64)


def _ratio(part: Array, whole: Array, *, otherwise: float) -> Array:
    return np.divide(part, whole, out=np.full_like(part, otherwise), where=whole > 0)
