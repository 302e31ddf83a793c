"""Which cells may move, and the best plan for those whose direction the evidence agrees on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.largest_remainder import Cents
from offline_rl.decisions.budget.response_curves import ResponseCurves
from offline_rl.decisions.budget.water_filling import Allocation, Cells, allocate

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BudgetPlan:
    """The allocation and, per cell, what led to it.

    cells: curves and limits before any cell was held. has_evidence: the log allows a move at all.
    is_disputed: whether the next cent earns more or less than the shadow price is too uncertain.
    marginal_now: revenue of the next cent at the current spend.
    agreement: probability that it lies on that side of the shadow price, a share of the drawn curves.
    """

    cells: Cells
    current_cents: Cents
    allocation: Allocation
    has_evidence: Mask
    is_disputed: Mask
    marginal_now: Array
    agreement: Array


def movable_cells(
    curves: ResponseCurves, current: Cents, supported: Cents, has_evidence: Mask, move_limit: float
) -> Cells:
    """Return the cells with their limits, all in cents per day.

    A cell moves by at most `move_limit` of its current spend and never above what its log supports. Without
    evidence both limits are the current spend.
    """
    least = np.ceil(current * (1.0 - move_limit)).astype(np.int64)
    most = np.floor(current * (1.0 + move_limit)).astype(np.int64)
    highest = np.maximum(np.minimum(most, supported), current)
    return Cells(curves, np.where(has_evidence, least, current), np.where(has_evidence, highest, current))


def plan_budget(
    cells: Cells,
    has_evidence: Mask,
    current: Cents,
    budget_cents: int,
    *,
    draws: ResponseCurves,
    minimum_agreement: float,
) -> BudgetPlan:
    """Fill the water, hold the cells whose direction the curves dispute, and fill again until none is left.

    A cell should gain money if its next cent earns more than the shadow price, and lose money if less. It is
    disputed where less than `minimum_agreement` of the drawn curves say the same. Held cells only grow in
    number, so this ends. Where the others couldn't take up the budget, disputed cells move all the same:
    the total comes first.

    draws: arrays [draws, cells]. Raises UsageError for a budget that the limits can't hold.
    """
    marginal_now, marginal_drawn = cells.curves.marginal_roas(current), draws.marginal_roas(current)
    is_disputed, agreement = np.zeros_like(has_evidence), np.ones(len(current))
    allocation = allocate(cells, budget_cents)
    while True:
        earns_more = (marginal_drawn > allocation.shadow_price).mean(0)
        agrees = np.where(marginal_now > allocation.shadow_price, earns_more, 1.0 - earns_more)
        # A held cell keeps the agreement it was held for: the price moves on without it.
        agreement = np.where(is_disputed, agreement, agrees)
        moves = allocation.spend_cents != current
        held = is_disputed | (moves & (agreement < minimum_agreement))
        rest = replace(
            cells,
            spend_min_cents=np.where(held, current, cells.spend_min_cents),
            spend_max_cents=np.where(held, current, cells.spend_max_cents),
        )
        can_hold = rest.spend_min_cents.sum() <= budget_cents <= rest.spend_max_cents.sum()
        if not can_hold or (held == is_disputed).all():
            return BudgetPlan(cells, current, allocation, has_evidence, is_disputed, marginal_now, agreement)
        is_disputed = held
        allocation = allocate(rest, budget_cents)
