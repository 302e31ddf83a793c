"""What the plan spends and earns in all: sums of draws over the shop and over each channel."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts.budget import BudgetTotals
from offline_rl.decisions.budget.decision import BudgetDecision

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHOP = "all"


def total_rows(decision: BudgetDecision) -> pl.DataFrame:
    """Return a row for the shop and one for each channel, money per day with all days counted."""
    channels = decision.log.keys["channel"]
    every = np.ones(len(channels), np.bool_)
    rows = [_row(decision, "shop", SHOP, every)]
    rows += [
        _row(decision, "channel", name, (channels == name).to_numpy()) for name in channels.unique().sort()
    ]
    wanted = {name: kind.dtype for name, kind in BudgetTotals.columns().items() if name in rows[0]}
    return pl.DataFrame(rows, schema=wanted)


def _row(decision: BudgetDecision, scope: str, channel: str, members: Mask) -> dict[str, Any]:
    plan, share, draws = decision.plan, decision.share[members], decision.revenue
    current = _cents(plan.cells.curves.revenue(plan.current_cents)[members].sum())
    expected = _cents(plan.cells.curves.revenue(plan.allocation.spend_cents)[members].sum())
    current_ends = _ends(draws.current[:, members] @ share, current)
    expected_ends = _ends(draws.recommended[:, members] @ share, expected)
    gained = draws.expected_recommended[:, members] - draws.expected_current[:, members]
    gain_ends = _ends(gained @ share, expected - current)
    untils = decision.log.logged_until
    moves, is_stopped = decision.moves, decision.binding != "none"
    return {
        "scope": scope,
        "channel": channel,
        "n_cells": int(members.sum()),
        "n_moved": int(moves[members].sum()),
        "n_at_limit": int((moves & is_stopped)[members].sum()),
        "n_refused": int((~plan.has_evidence)[members].sum()),
        "daily_spend_current_cents": int(plan.current_cents[members].sum()),
        "daily_spend_recommended_cents": int(plan.allocation.spend_cents[members].sum()),
        "daily_revenue_current_cents": current,
        "daily_revenue_current_lower_cents": current_ends[0],
        "daily_revenue_current_upper_cents": current_ends[1],
        "daily_revenue_expected_cents": expected,
        "daily_revenue_lower_cents": expected_ends[0],
        "daily_revenue_upper_cents": expected_ends[1],
        "gain_cents": expected - current,
        "gain_lower_cents": gain_ends[0],
        "gain_upper_cents": gain_ends[1],
        "move_limit": decision.settings.move_limit,
        "is_cautious": decision.is_cautious,
        "logged_until": min(until for until, is_in in zip(untils, members.tolist(), strict=True) if is_in),
    }


def _cents(amount: float) -> int:
    return round(float(amount))


def _ends(drawn: Array, middle: int) -> tuple[int, int]:
    """Return the ends of 95 % of the drawn sums, widened to hold the number that they stand beside."""
    lower, upper = np.quantile(drawn, (0.025, 0.975))
    return min(int(np.floor(lower)), middle), max(int(np.ceil(upper)), middle)
