"""How fast the past stops counting: the half-life that predicted the log's own next weeks best."""

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.log_weeks import WEEK

Array = NDArray[np.float64]

HALF_LIVES = (np.inf, 28.0, 14.0, 7.0, 3.5, 1.75)
"""In days, the longest memory first: of equals the first is taken."""

# A shorter memory has to predict better by this share: it pays with noise on every night to come.
_WORTH = 0.02


def recency_weights(n_days: int, half_life: float) -> Array:
    """Return 2^(-age / half-life) of each day, oldest first; the last day has age 0.

    >>> recency_weights(3, 1.0).tolist(), recency_weights(3, np.inf).tolist()
    ([0.25, 0.5, 1.0], [1.0, 1.0, 1.0])
    """
    return np.asarray(np.exp2(-np.arange(n_days - 1, -1, -1) / half_life))


def best_half_life(earned: Array, expected: Array) -> float:
    """Return the half-life whose weighted ratio earned / expected predicted the next seven days best.

    The ratio up to each day, its past weighted by age, times what is expected of the seven days after it,
    is compared with what they earned; errors are squared in units of their variance (Pearson).
    This is the discounted Gamma-Poisson level of Harvey & Fernandes 1989, evaluated by its forecasts.

    earned, expected: [rows, days]. Logs of less than three weeks have nothing to evaluate it by: infinite.
    """
    n_days = earned.shape[1]
    if n_days < 3 * WEEK:
        return float(HALF_LIVES[0])
    ahead_earned, ahead_expected = _next_week(earned), _next_week(expected)
    overall = np.divide(earned.sum(1), expected.sum(1), out=np.zeros(len(earned)), where=expected.sum(1) > 0)[
        :, None
    ]
    errors = [
        _error(_discounted(earned, life), _discounted(expected, life), ahead_earned, ahead_expected, overall)
        for life in HALF_LIVES
    ]
    best = 0
    for place in range(1, len(errors)):
        if errors[place] < (1.0 - _WORTH) * errors[best]:
            best = place
    return float(HALF_LIVES[best])


def _error(earned: Array, expected: Array, next_earned: Array, next_expected: Array, overall: Array) -> float:
    # Every day from the end of the first week on, but the last, which has nothing after it. The weeks after
    # the last days are cut short by the end of the log: what changed a few days ago counts too.
    origins = slice(WEEK - 1, earned.shape[1] - 1)
    ratio = np.divide(earned, expected, out=np.zeros_like(earned), where=expected > 0)[:, origins]
    scale = (overall * next_expected)[:, origins]
    is_known = (expected[:, origins] > 0) & (scale > 0)
    miss = next_earned[:, origins] - ratio * next_expected[:, origins]
    return float((miss[is_known] ** 2 / scale[is_known]).sum())


def _discounted(values: Array, half_life: float) -> Array:
    kept = float(np.exp2(-1.0 / half_life))
    total, sums = np.zeros(len(values)), np.empty_like(values)
    for day in range(values.shape[1]):
        total = kept * total + values[:, day]
        sums[:, day] = total
    return sums


def _next_week(values: Array) -> Array:
    """Sum of the seven days after each day, or of fewer at the end of the log, [rows, days]."""
    padded = np.concatenate([np.zeros((len(values), 1)), values.cumsum(1)], axis=1)
    last = np.minimum(np.arange(values.shape[1]) + 1 + WEEK, values.shape[1])
    return np.asarray(padded[:, last] - padded[:, 1:])
