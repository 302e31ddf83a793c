"""Tomorrow's ad budget: one total over campaigns, channels and segments, from the daily spend log.

load the log -> fit the curves -> decide which cells may move -> fill the water -> write the table
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts import columns
from features.contracts.outputs import BudgetAllocation
from features.errors import InputDataError
from offline_rl.decisions.budget_plan import BudgetPlan, movable_cells, plan_budget
from offline_rl.decisions.budget_reasons import CellStory, decided_reason, refused_reason
from offline_rl.decisions.budget_settings import BudgetSettings
from offline_rl.decisions.largest_remainder import Cents, whole_cents
from offline_rl.decisions.response_curves import (
    ResponseCurves,
    SpendHistory,
    draw_response_curves,
    fit_response_curves,
)
from offline_rl.decisions.spend_evidence import SpendEvidence, spend_evidence
from offline_rl.decisions.water_filling import Allocation, Cells, allocate

__all__ = ["Allocation", "BudgetSettings", "Cells", "allocate", "budget_table"]

Array = NDArray[np.float64]

CELL_KEY = ["campaign_id", "channel", "segment_id"]


@dataclass(frozen=True)
class _Log:
    keys: pl.DataFrame
    history: SpendHistory
    conversions: Array
    current: Cents


def budget_table(
    spend_frame: pl.DataFrame, *, run_id: str, as_of: date, settings: BudgetSettings, seed: int
) -> pl.DataFrame:
    """Return rows of `BudgetAllocation`, one per cell, sorted by campaign, channel and segment.

    A cell whose log is too thin (`refused`) or doesn't say whether its next cent earns more or less than
    elsewhere (`held`) keeps its spend; the others share the rest of the budget. Intervals are those of the
    mean revenue per day under the drawn curves, not of a single day's.

    spend_frame: rows of `AdSpendDaily`; days after `as_of` are not read.
    Raises UsageError for a budget that the limits can't hold, InputDataError for logs that end too early.
    No ads at all give an empty table.
    """
    if spend_frame.is_empty():
        return BudgetAllocation.create_empty()
    log = _read(spend_frame, as_of, settings)
    fit = fit_response_curves(log.history)
    draws = draw_response_curves(log.history, fit, n_draws=settings.n_draws, seed=seed)
    evidence = spend_evidence(log.history.spend, fit.residual, log.history.channel)
    cells, has_evidence = movable_cells(fit.curves, log.current, evidence, settings)
    budget_cents = int(log.current.sum()) if settings.budget_cents is None else settings.budget_cents
    plan = plan_budget(
        cells,
        has_evidence,
        log.current,
        budget_cents,
        draws=draws,
        minimum_agreement=settings.minimum_agreement,
    )
    frame = _rows(log, plan, draws, evidence, settings).with_columns(
        run_id=pl.lit(run_id),
        as_of=pl.lit(as_of),
        scenario=pl.lit("current_total" if settings.budget_cents is None else "given_total"),
    )
    return BudgetAllocation.validate(frame.select(BudgetAllocation.column_names()))


def _read(spend_frame: pl.DataFrame, as_of: date, settings: BudgetSettings) -> _Log:
    first = as_of - timedelta(days=settings.history_days - 1)
    logged = spend_frame.filter(pl.col("date").is_between(first, as_of))
    if logged.is_empty():
        raise InputDataError(
            f"No ad spend is logged from {first} to {as_of}: the log holds {spend_frame['date'].min()!s} to "
            f"{spend_frame['date'].max()!s}. Ingest newer logs or choose another as_of."
        )
    days = logged.select(pl.col("date").unique().sort()).with_row_index("day")
    keys = logged.select(CELL_KEY).unique().sort(CELL_KEY).with_row_index("cell")
    placed = logged.join(days, on="date").join(keys, on=CELL_KEY)
    at = (placed["cell"].to_numpy(), placed["day"].to_numpy())

    def by_day(name: str) -> Array:
        table = np.zeros((keys.height, days.height))
        np.add.at(table, at, placed[name].to_numpy().astype(np.float64))
        return table

    spend = by_day("spend_cents")
    recent = spend[:, -settings.current_days :].mean(1)
    channel = keys["channel"].rank("dense").to_numpy().astype(np.int64) - 1
    return _Log(
        keys=keys.drop("cell"),
        history=SpendHistory(spend, by_day("revenue_cents"), channel),
        conversions=by_day("conversions").sum(1),
        current=whole_cents(
            recent, round(recent.sum()), np.zeros(len(spend), np.int64), np.ceil(recent).astype(np.int64)
        ),
    )


def _rows(
    log: _Log, plan: BudgetPlan, draws: ResponseCurves, evidence: SpendEvidence, settings: BudgetSettings
) -> pl.DataFrame:
    curves, spend = plan.cells.curves, plan.allocation.spend_cents
    revenue = curves.revenue(spend)
    lower, upper = np.quantile(draws.revenue(spend), (0.025, 0.975), axis=0)
    binding = _binding(plan, evidence, settings)
    status = np.select([~plan.has_evidence, spend != log.current], ["refused", "moved"], "held")
    return log.keys.with_columns(
        spend_current_cents=log.current,
        spend_recommended_cents=spend,
        spend_min_cents=plan.cells.spend_min_cents,
        spend_max_cents=plan.cells.spend_max_cents,
        expected_conversions=revenue * _conversions_per_cent(log),
        expected_revenue_cents=np.rint(revenue).astype(np.int64),
        # The fitted curve is not the middle of the draws: the interval is widened to hold what it is about.
        revenue_lower_cents=np.floor(np.minimum(lower, revenue)).astype(np.int64),
        revenue_upper_cents=np.ceil(np.maximum(upper, revenue)).astype(np.int64),
        marginal_roas=curves.marginal_roas(spend),
        binding_constraint=binding,
        shadow_price=pl.lit(plan.allocation.shadow_price),
        max_supported_spend_cents=evidence.max_supported_cents,
        ess=evidence.ess,
        status=pl.Series(status, dtype=pl.String).cast(columns.budget_status.dtype),
        reason_text=pl.Series(_reason_texts(plan, evidence, binding, settings)),
        certified_gap=pl.lit(plan.allocation.certified_gap),
    ).with_columns(
        change_share=pl.when(pl.col("spend_current_cents") > 0).then(
            pl.col("spend_recommended_cents") / pl.col("spend_current_cents") - 1.0
        ),
        roas=pl.when(pl.col("spend_recommended_cents") > 0).then(
            pl.Series(revenue) / pl.col("spend_recommended_cents")
        ),
    )


def _binding(plan: BudgetPlan, evidence: SpendEvidence, settings: BudgetSettings) -> NDArray[np.str_]:
    spend, current = plan.allocation.spend_cents, plan.current_cents
    is_open = plan.has_evidence & ~plan.is_disputed & (current > 0)
    at_most = is_open & (spend == plan.cells.spend_max_cents)
    at_least = is_open & (spend == plan.cells.spend_min_cents)
    by_log = at_most & (evidence.max_supported_cents < np.floor(current * (1.0 + settings.move_limit)))
    # What stops a refused cell is what its log doesn't say.
    return np.select(
        [~plan.has_evidence | by_log, at_most, at_least], ["support", "spend_max", "spend_min"], "none"
    )


def _reason_texts(
    plan: BudgetPlan, evidence: SpendEvidence, binding: NDArray[np.str_], settings: BudgetSettings
) -> list[str]:
    stories = zip(
        plan.current_cents.tolist(),
        plan.allocation.spend_cents.tolist(),
        evidence.ess.tolist(),
        evidence.spread.tolist(),
        plan.marginal_now.tolist(),
        [plan.allocation.shadow_price] * len(binding),
        plan.agreement.tolist(),
        plan.is_disputed.tolist(),
        binding.tolist(),
        strict=True,
    )
    return [
        refused_reason(story, settings) or decided_reason(story, settings)
        for story in (CellStory(*numbers) for numbers in stories)
    ]


def _conversions_per_cent(log: _Log) -> Array:
    """Conversions per cent of revenue: the cell's own, its channel's where the cell never earned anything."""
    earned, channel = log.history.revenue.sum(1), log.history.channel
    channel_earned = np.bincount(channel, earned)[channel]
    channel_conversions = np.bincount(channel, log.conversions)[channel]
    shared = np.divide(
        channel_conversions, channel_earned, out=np.zeros_like(earned), where=channel_earned > 0
    )
    return np.asarray(np.divide(log.conversions, earned, out=shared, where=earned > 0))
