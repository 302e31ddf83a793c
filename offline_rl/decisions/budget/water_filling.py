"""One budget over many cells with concave response curves: exact, with a certificate.

maximize sum_c a_c x_c / (b_c + x_c)  subject to  sum_c x_c = budget,  min_c <= x_c <= max_c

At the optimum every cell between its limits earns the same from its next cent, the price of the budget: so
the spend at a price has a closed form, and bisection finds the price. No starting point, step size or unit
of money can mislead it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError
from offline_rl.decisions.budget.largest_remainder import Cents, whole_cents
from offline_rl.decisions.budget.response_curves import ResponseCurves

# Of the logarithm of the price: 80 halvings bring any two float64 prices to neighboring numbers.
_HALVINGS = 80

# Revenue below this share of what all limits together could bring is rounding.
_ROUNDING = 1e-15


@dataclass(frozen=True)
class Cells:
    """What a budget is spread over: curves and limits of spend per day, one entry per cell."""

    curves: ResponseCurves
    spend_min_cents: Cents
    spend_max_cents: Cents


@dataclass(frozen=True)
class Allocation:
    """A plan and the proof of how good it is.

    shadow_price: revenue that one more unit of budget would bring; 0 where the limits leave no room for it.
    revenue_bound_cents: no allocation within budget and limits brings more (weak duality).
    certified_gap: share of that bound that the plan may lose at most; what is left of it is whole cents.
    """

    spend_cents: Cents
    shadow_price: float
    revenue_cents: float
    revenue_bound_cents: float
    certified_gap: float


def allocate(cells: Cells, budget_cents: int) -> Allocation:
    """Spend the budget to the cent so that expected revenue is highest.

    Raises UsageError for a budget that the limits can't hold, ValueError for cells that aren't curves.
    Source: water-filling, Boyd & Vandenberghe 2004, "Convex Optimization", section 5.5.3.

    a = (100, 400), b = (100, 100): equal marginals a b / (b + x)^2 need x + 100 in the ratio 1 : 2, so
    33 1/3 and 166 2/3, where the next cent brings 100 · 100 / 133.33^2 = 0.5625.

    >>> curves = ResponseCurves(np.array([100.0, 400.0]), np.array([100.0, 100.0]))
    >>> plan = allocate(Cells(curves, np.array([0, 0]), np.array([300, 300])), 200)
    >>> plan.spend_cents.tolist(), round(plan.shadow_price, 4), plan.certified_gap < 1e-5
    ([33, 167], 0.5625, True)
    """
    _refuse_what_is_no_cell(cells)
    _refuse_infeasible(cells, budget_cents)
    plan = _continuous_plan(cells, float(budget_cents))
    price = _shadow_price(cells, plan)
    spend = whole_cents(plan, budget_cents, cells.spend_min_cents, cells.spend_max_cents)
    lost = _lost_at_most(cells, spend.astype(np.float64), price)
    revenue = float(cells.curves.revenue(spend).sum())
    bound = revenue + lost
    return Allocation(spend, price, revenue, bound, lost / bound if bound > 0 else 0.0)


def _spend_at(cells: Cells, price: float) -> NDArray[np.float64]:
    a, b = cells.curves.ceiling, cells.curves.half_saturation
    return np.clip(np.sqrt(a * b / price) - b, cells.spend_min_cents, cells.spend_max_cents)


def _continuous_plan(cells: Cells, budget: float) -> NDArray[np.float64]:
    under = cells.spend_min_cents.astype(np.float64)
    over = cells.spend_max_cents.astype(np.float64)
    earning = cells.curves.ceiling > 0
    if earning.any():
        # A hair below the least price, so that rounding leaves no earning cell short of its limit there.
        low = float(np.log(cells.curves.marginal_roas(over)[earning].min())) - 1e-9
        high = float(np.log(cells.curves.marginal_roas(under)[earning].max()))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            plan = _spend_at(cells, float(np.exp(middle)))
            if plan.sum() > budget:
                low, over = middle, plan
            else:
                high, under = middle, plan
    # Cells that earn nothing jump from min to max at price 0: the rest of the budget lies in between.
    width = float((over - under).sum())
    return under + (over - under) * ((budget - float(under.sum())) / width if width > 0 else 0.0)


def _shadow_price(cells: Cells, plan: NDArray[np.float64]) -> float:
    has_room = plan < cells.spend_max_cents
    return float(cells.curves.marginal_roas(plan)[has_room].max(initial=0.0))


def _lost_at_most(cells: Cells, spend: NDArray[np.float64], price: float) -> float:
    """Return max over x in the limits of sum f(x) - price · x, less its value at `spend`.

    Both sum to the budget, so this bounds what any allocation can gain. f(x') - f(x) is written as
    a b (x' - x) / ((b + x') (b + x)): the difference of two nearly equal revenues would be rounding alone.
    """
    a, b = cells.curves.ceiling, cells.curves.half_saturation
    best = _spend_at(cells, price) if price > 0 else cells.spend_max_cents.astype(np.float64)
    gain = (best - spend) * (a * b / ((b + best) * (b + spend)) - price)
    lost = float(np.maximum(gain, 0.0).sum())
    # A cell at its limit may seem a rounding away from it; where nothing is earned that would be a gap of 1.
    return lost if lost > _ROUNDING * float(cells.curves.revenue(cells.spend_max_cents).sum()) else 0.0


def _refuse_infeasible(cells: Cells, budget_cents: int) -> None:
    least, most = int(cells.spend_min_cents.sum()), int(cells.spend_max_cents.sum())
    if not least <= budget_cents <= most:
        side, limit = ("below the least", least) if budget_cents < least else ("above the most", most)
        raise UsageError(
            f"The budget of {budget_cents} cents is {side} that the limits of "
            f"{len(cells.spend_min_cents)} cells allow, {limit} cents: choose a budget from {least} to "
            f"{most} cents, or widen the limits."
        )


def _refuse_what_is_no_cell(cells: Cells) -> None:
    a, b = cells.curves.ceiling, cells.curves.half_saturation
    is_cell = (a >= 0) & np.isfinite(a) & (b > 0) & np.isfinite(b)
    is_cell &= (cells.spend_min_cents >= 0) & (cells.spend_min_cents <= cells.spend_max_cents)
    if not is_cell.all():
        raise ValueError(
            f"Cell {int(np.argmin(is_cell))} is none: it needs a ceiling of at least 0, a half saturation "
            "above 0, and 0 <= least spend <= most spend."
        )
