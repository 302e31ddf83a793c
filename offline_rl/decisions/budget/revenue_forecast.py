"""What next week will earn, with all that is not known about it.

A forecast of the mean revenue of the next seven days differs from what they will earn for three reasons:

* the curves are estimated (`draw_response_curves`);
* days are noisy: variance dispersion · mean a day;
* returns drift from week to week, all cells together and each by itself. How far is read off the back-test:
  what the held-out weeks missed beyond the first two reasons.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.backtest import CURVES, WeekTested
from offline_rl.decisions.budget.log_weeks import WEEK
from offline_rl.decisions.budget.response_curves import ResponseCurves

Array = NDArray[np.float64]

# Before any week is tested, returns drift by 8 % a week in common and 5 % in each cell by itself; that counts
# as much as two tested weeks.
_COMMON_START, _CELL_START, _START_WEEKS = 0.08, 0.05, 2

# A week that earned nothing, or twenty times what was said, is as far off as a logarithm should tell.
_FARTHEST = 20.0


@dataclass(frozen=True)
class Drift:
    """How far a week's return moves: standard deviations of its logarithm, and the weeks they rest on."""

    common: float
    of_cell: float
    n_weeks: int


@dataclass(frozen=True)
class RevenueDraws:
    """Draws of revenue per day of spend, [draws, cells].

    current, recommended: mean of the next seven days at that spend. expected_*: without the noise of days, to
    compare the two by: the same curves and the same drift stand behind both.
    """

    current: Array
    recommended: Array
    expected_current: Array
    expected_recommended: Array


def measured_drift(weeks: tuple[WeekTested, ...]) -> Drift:
    """Return what the held-out weeks missed beyond what draws and noise explain.

    Sums, not single weeks, are compared with their expectation: a lucky week takes away from an unlucky one.
    """
    common, own, scale = 0.0, 0.0, 0.0
    for week in weeks:
        compared = week.is_compared
        predicted, earned = week.predicted[CURVES][compared], week.earned[compared]
        total, total_earned = float(predicted.sum()), float(earned.sum())
        ratio = float(np.clip(total_earned / total if total > 0 else _FARTHEST, 1 / _FARTHEST, _FARTHEST))
        common += np.log(ratio) ** 2 - (week.variance_of_sum / total**2 if total > 0 else 0.0)
        shifted = ratio * predicted
        own += float(((earned - shifted) ** 2 - ratio**2 * week.variance[compared]).sum())
        scale += float((shifted**2).sum())
    return Drift(
        common=_with_start(_COMMON_START, common, len(weeks)),
        of_cell=_with_start(_CELL_START, len(weeks) * own / scale if scale > 0 else 0.0, len(weeks)),
        n_weeks=len(weeks),
    )


def draw_revenue(
    draws: ResponseCurves,
    *,
    current: Array,
    recommended: Array,
    dispersion: Array,
    active_share: Array,
    drift: Drift,
    seed: int,
) -> RevenueDraws:
    """Draw next week's mean revenue per day of spend, at today's spend and at the recommended one.

    current, recommended: cents per day of spend, [cells]. dispersion: of a day's revenue, in cents, [cells].
    Drift is Student's t: few weeks can't say how far weeks go.
    """
    rng = np.random.default_rng([seed, 1])
    n_draws, n_cells = draws.ceiling.shape
    freedom = drift.n_weeks + _START_WEEKS
    common = drift.common * rng.standard_t(freedom, (n_draws, 1))
    own = drift.of_cell * rng.standard_normal((n_draws, n_cells))
    # Logarithms beyond a factor of 1000 are the far tail of a t with two degrees of freedom.
    drifted = np.exp(np.clip(common + own, -7.0, 7.0))
    n_days = np.maximum(np.rint(WEEK * active_share), 1.0)

    def noisy(mean: Array) -> Array:
        # Gamma of this mean and of variance dispersion · mean / days.
        return np.asarray(rng.standard_gamma(mean * n_days / dispersion) * dispersion / n_days)

    expected_current = draws.revenue(current) * drifted
    expected_recommended = draws.revenue(recommended) * drifted
    return RevenueDraws(
        noisy(expected_current), noisy(expected_recommended), expected_current, expected_recommended
    )


def _with_start(start: float, sum_of_squares: float, n_weeks: int) -> float:
    squares = _START_WEEKS * start**2 + max(sum_of_squares, 0.0)
    return float(np.sqrt(squares / (_START_WEEKS + n_weeks)))
