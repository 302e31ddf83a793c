"""Tomorrow's ad budget: one total over campaigns, channels and segments, from the daily spend log.

load the log -> fit the curves -> back-test them -> decide which cells may move -> fill the water -> write
"""

from dataclasses import dataclass, replace
from datetime import date

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts.budget import BudgetAllocation, BudgetBacktest, BudgetTotals
from features.contracts.findings import Say, codes_of
from offline_rl.decisions.budget.backtest import backtest, backtest_rows, predicts_better
from offline_rl.decisions.budget.cell_rows import cell_rows
from offline_rl.decisions.budget.decision import BudgetDecision
from offline_rl.decisions.budget.plan import Mask, movable_cells, plan_budget
from offline_rl.decisions.budget.response_curves import (
    ResponseCurves,
    draw_response_curves,
    fit_response_curves,
)
from offline_rl.decisions.budget.revenue_forecast import Drift, draw_revenue, measured_drift
from offline_rl.decisions.budget.spend_evidence import SpendEvidence, spend_evidence
from offline_rl.decisions.budget.spend_log import SpendLog, read_spend_log
from offline_rl.decisions.budget.totals import total_rows
from offline_rl.decisions.budget.water_filling import Allocation, Cells, allocate
from offline_rl.decisions.budget_settings import BudgetSettings

Array = NDArray[np.float64]

__all__ = [
    "Allocation",
    "BudgetSettings",
    "BudgetTables",
    "Cells",
    "allocate",
    "budget_table",
    "budget_tables",
]


@dataclass(frozen=True)
class BudgetTables:
    """What a night decides about the budget, each a table of its contract.

    allocation: a row per cell. totals: a row for the shop and each channel. backtest: a row per held-out week
    and method, none where the log is too short to hold one out.
    """

    allocation: pl.DataFrame
    totals: pl.DataFrame
    backtest: pl.DataFrame


def budget_table(
    spend_frame: pl.DataFrame,
    *,
    run_id: str,
    as_of: date,
    settings: BudgetSettings,
    seed: int,
    say: Say = codes_of,
) -> pl.DataFrame:
    """Return the rows of `BudgetAllocation` alone; see `budget_tables`."""
    tables = budget_tables(spend_frame, run_id=run_id, as_of=as_of, settings=settings, seed=seed, say=say)
    return tables.allocation


def budget_tables(
    spend_frame: pl.DataFrame,
    *,
    run_id: str,
    as_of: date,
    settings: BudgetSettings,
    seed: int,
    say: Say = codes_of,
) -> BudgetTables:
    """Return the plan, one row per cell by campaign, channel and segment, what it gains, and the back-test.

    A cell whose log is too thin (`refused`) or doesn't say whether its next cent earns more or less than
    elsewhere (`held`) keeps its spend; the others share the rest of the budget. Where the curves predicted
    the held-out weeks no better than last week's return does, the plan is cautious
    (`BudgetSettings.cautious`).

    spend_frame: rows of `AdSpendDaily`; days after `as_of` are not read.
    say: makes the sentences of `reason_text`, such as `reports.wording.sentences.say`; by default the column
    has the codes of the reasons. Their numbers are in the column `findings`, which
    `features.contracts.findings.from_json` reads.
    Raises UsageError for a budget that the limits can't hold, InputDataError for logs that end too early.
    No ads at all give empty tables.
    """
    if spend_frame.is_empty():
        return BudgetTables(
            BudgetAllocation.create_empty(), BudgetTotals.create_empty(), BudgetBacktest.create_empty()
        )
    log = read_spend_log(spend_frame, as_of, settings)
    weeks = backtest(log.history, seed=seed)
    decision = _decide(
        log, settings, is_proven=predicts_better(weeks), drift=measured_drift(weeks), seed=seed
    )
    night = {"run_id": pl.lit(run_id), "as_of": pl.lit(as_of)}
    scenario = pl.lit("current_total" if settings.budget_cents is None else "given_total")

    def written(rows: pl.DataFrame, contract: type[dy.Schema]) -> pl.DataFrame:
        return pl.DataFrame(contract.validate(rows.select(contract.column_names())))

    return BudgetTables(
        written(cell_rows(decision, say).with_columns(**night, scenario=scenario), BudgetAllocation),
        written(total_rows(decision).with_columns(**night, scenario=scenario), BudgetTotals),
        written(backtest_rows(weeks, log.days).with_columns(**night), BudgetBacktest),
    )


def _decide(
    log: SpendLog, settings: BudgetSettings, *, is_proven: bool, drift: Drift, seed: int
) -> BudgetDecision:
    fit = fit_response_curves(log.history)
    draws = draw_response_curves(log.history, fit, n_draws=settings.n_draws, seed=seed)
    evidence = spend_evidence(log.history.spend, fit.residual, log.history.channel)
    has_evidence = _has_evidence(evidence, fit.curves, settings)
    # A cell that spends nothing now has no share; any share serves, since its spend stays 0.
    share = np.where(log.n_active > 0, log.active_share, 1.0)
    per_day, drawn_per_day = _of_all_days(fit.curves, share), _of_all_days(draws, share)
    supported = np.floor(share * evidence.max_supported_cents).astype(np.int64)
    budget = int(log.current_cents.sum()) if settings.budget_cents is None else settings.budget_cents

    used = settings if is_proven else settings.cautious()
    cells = movable_cells(per_day, log.current_cents, supported, has_evidence, used.move_limit)
    if used is not settings and not cells.spend_min_cents.sum() <= budget <= cells.spend_max_cents.sum():
        # The shop has set a total that half the limit can't reach: its own limit counts.
        used = replace(used, move_limit=settings.move_limit)
        cells = movable_cells(per_day, log.current_cents, supported, has_evidence, used.move_limit)
    plan = plan_budget(
        cells,
        has_evidence,
        log.current_cents,
        budget,
        draws=drawn_per_day,
        minimum_agreement=used.minimum_agreement,
    )
    revenue = draw_revenue(
        draws,
        current=log.current_cents / share,
        recommended=plan.allocation.spend_cents / share,
        dispersion=fit.dispersion,
        active_share=share,
        drift=drift,
        seed=seed,
    )
    return BudgetDecision(log, fit, evidence, plan, revenue, share, used, is_cautious=not is_proven)


def _has_evidence(evidence: SpendEvidence, curves: ResponseCurves, settings: BudgetSettings) -> Mask:
    # Where nothing was ever earned no spend is better than another.
    has_revenue = bool((curves.ceiling > 0).any())
    enough = (evidence.ess >= settings.minimum_days) & (evidence.spread >= settings.minimum_spread)
    return np.asarray(enough & has_revenue)


def _of_all_days(curves: ResponseCurves, share: Array) -> ResponseCurves:
    """Curves of a mean day, of which a share has spend: s a (X / s) / (b + X / s) = (s a) X / (s b + X)."""
    return ResponseCurves(curves.ceiling * share, curves.half_saturation * share)
