"""How soon spend saturates, learned for each cell with the help of its channel.

kappa = b / (mean spend of the cell) is the saturation of the curve a x / (b + x) on the cell's own scale:
small where the cell spends far more than half of its ceiling takes, large where revenue still grows in
proportion to spend. Being a pure number it can be shared by cells of any size.
"""

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.log_weeks import sums_of_weeks

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# Grid of log kappa: quarter octaves from 1/16 to 64. Outside, the curve is flat or straight within the data.
LOG_SATURATION: Array = np.log(2.0) * np.arange(-4.0, 6.25, 0.25)

# Log kappa of a channel's cells is normal. Its mean is around 0 (half saturation at the mean spend), within
# a factor e; its standard deviation is half-normal with scale 1/2. Both are summed over, not estimated: few
# cells with noisy days would else show differences between cells that aren't there, and money would follow.
_MEANS = LOG_SATURATION
_SPREADS: Array = np.array([0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4])
_MEAN_SCALE, _SPREAD_SCALE = 1.0, 0.5


def effective_spend(relative: Array, kappa: Array) -> Array:
    """Return (kappa + 1) x / (kappa + x): spend deflated by saturation, equal to x at the mean spend x = 1.

    relative: spend over the cell's mean spend, [cells, days]. kappa: [cells].

    >>> effective_spend(np.array([[0.0, 1.0, 3.0]]), np.array([1.0])).tolist()
    [[0.0, 1.0, 1.5]]
    """
    return np.asarray((kappa[:, None] + 1.0) * relative / (kappa[:, None] + relative))


def saturation_posterior(
    relative: Array, revenue: Array, dispersion: Array, channel: Index, *, factor: Array | float = 1.0
) -> Array:
    """Return each cell's posterior over `LOG_SATURATION`, [cells, grid]; rows sum to 1.

    P(k | all) = sum_h P(h | channel) L_c(k) P(k | h) / sum_k' L_c(k') P(k' | h)

    h: mean and standard deviation of log kappa in the channel; L_c: the cell's likelihood. All sums are
    finite, so this is the hierarchical posterior itself, without sampling. Where a cell's spend never varied
    its likelihood is flat and it takes what the channel knows.

    relative, revenue: [cells, days], revenue 0 on days without spend. dispersion, channel: [cells].
    factor: how good each day was by itself, [cells, days], as by `daily_factor.factor_of_others`.
    """
    log_likelihood = _log_likelihood(relative, revenue, dispersion, np.broadcast_to(factor, relative.shape))
    likelihood = np.exp(log_likelihood - log_likelihood.max(1, keepdims=True))
    prior, log_hyperprior = _channel_priors()
    # A spike far from every narrow prior underflows to 0: the floor only says "next to impossible".
    evidence = np.maximum(likelihood @ prior.T, 1e-300)
    log_weight = log_hyperprior + _sum_by_channel(np.log(evidence), channel)
    weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
    weight /= weight.sum(1, keepdims=True)
    posterior = likelihood * ((weight[channel] / evidence) @ prior)
    return np.asarray(posterior / posterior.sum(1, keepdims=True))


def _channel_priors() -> tuple[Array, Array]:
    """P(k | h), [hyper, grid], and log P(h), [hyper], up to a constant."""
    mean, spread = (grid.ravel() for grid in np.meshgrid(_MEANS, _SPREADS))
    density = np.exp(-0.5 * ((LOG_SATURATION - mean[:, None]) / spread[:, None]) ** 2)
    log_hyperprior = -0.5 * (mean / _MEAN_SCALE) ** 2 - 0.5 * (spread / _SPREAD_SCALE) ** 2
    # The spreads are not evenly spaced: each stands for the width of its surroundings.
    log_hyperprior += np.log(np.repeat(np.gradient(_SPREADS), len(_MEANS)))
    return density / density.sum(1, keepdims=True), log_hyperprior


def _sum_by_channel(values: Array, channel: Index) -> Array:
    sums = np.zeros((int(channel.max(initial=0)) + 1, values.shape[1]))
    np.add.at(sums, channel, values)
    return sums


def _log_likelihood(relative: Array, revenue: Array, dispersion: Array, factor: Array) -> Array:
    """Log-likelihood of how a cell's revenue of a week is shared out over its days, given what they spent.

    With the level of each cell and week profiled out a quasi-Poisson log is multinomial:
    sum_t y_t log(h_t / sum of the week's h), where h = factor · x / (kappa + x). A return that falls from
    week to week while spend rises is therefore no saturation: only days of the same week are compared.
    Source: the conditional fixed-effects likelihood of Hausman, Hall & Griliches 1984.
    """
    is_spent = relative > 0
    of_weeks = sums_of_weeks(revenue)
    by_grid = np.empty((len(relative), len(LOG_SATURATION)))
    for k, kappa in enumerate(np.exp(LOG_SATURATION)):
        share = factor * relative / (kappa + relative)
        log_share = np.log(share, out=np.zeros_like(share), where=is_spent)
        total = sums_of_weeks(share)
        log_total = np.log(total, out=np.zeros_like(total), where=total > 0)
        by_grid[:, k] = (revenue * log_share).sum(1) - (of_weeks * log_total).sum(1)
    return np.asarray(by_grid / dispersion[:, None])
