"""Decide tomorrow's ad budget, within the limits of the configuration's section [budget]."""

from collections.abc import Mapping

import polars as pl

from offline_rl.decisions.budget.tables import budget_tables
from offline_rl.decisions.budget_settings import BudgetSettings
from offline_rl.decisions.night import DecisionNight


def decide(night: DecisionNight) -> Mapping[str, pl.DataFrame]:
    """Return out_budget_allocation, out_budget_totals and out_budget_backtest."""
    section = night.settings
    tables = budget_tables(
        night.marts("fct_ad_spend"),
        run_id=night.folder.run_id,
        as_of=night.as_of,
        settings=BudgetSettings(
            budget_cents=section["total_cents"],
            move_limit=section["move_limit"],
            minimum_days=section["min_days"],
        ),
        seed=night.seed,
        say=night.say,
    )
    return {
        "out_budget_allocation": tables.allocation,
        "out_budget_totals": tables.totals,
        "out_budget_backtest": tables.backtest,
    }
