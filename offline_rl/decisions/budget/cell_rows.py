"""One row per cell: what it spends and earns on a day of spending, what stops it, and why."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts import columns
from features.contracts.findings import Say, codes_of, to_json
from offline_rl.decisions.budget.decision import BudgetDecision
from offline_rl.decisions.budget.reasons import CellStory, cell_reasons
from offline_rl.decisions.budget.spend_log import SpendLog

Array = NDArray[np.float64]


def cell_rows(decision: BudgetDecision, say: Say) -> pl.DataFrame:
    """Return the rows of `BudgetAllocation` without run, night and scenario.

    What a refused cell earns is null: a thin log has no promise to make. say: makes the sentences.
    """
    log, plan, evidence = decision.log, decision.plan, decision.evidence
    daily = plan.allocation.spend_cents
    spend = daily / decision.share
    curves = decision.fit.curves
    revenue = curves.revenue(spend)
    lower, upper = np.quantile(decision.revenue.recommended, (0.025, 0.975), axis=0)
    status = np.select([~plan.has_evidence, decision.moves], ["refused", "moved"], "held")
    # The fitted curve is not the middle of the draws: the interval is widened to hold what it is about.
    promised = {
        "expected_conversions": revenue * _conversions_per_cent(log),
        "revenue_current_cents": np.rint(curves.revenue(log.current_cents / decision.share)).astype(np.int64),
        "expected_revenue_cents": np.rint(revenue).astype(np.int64),
        "revenue_lower_cents": np.floor(np.minimum(lower, np.rint(revenue))).astype(np.int64),
        "revenue_upper_cents": np.ceil(np.maximum(upper, np.rint(revenue))).astype(np.int64),
        "marginal_roas": curves.marginal_roas(spend),
    }
    is_promised = pl.Series(plan.has_evidence)
    reasons = [cell_reasons(story, decision.settings) for story in _stories(decision)]
    return log.keys.with_columns(
        spend_current_cents=decision.of_spending_days(plan.current_cents),
        spend_recommended_cents=decision.of_spending_days(daily),
        spend_min_cents=decision.of_spending_days(plan.cells.spend_min_cents),
        spend_max_cents=decision.of_spending_days(plan.cells.spend_max_cents),
        active_share=log.active_share,
        daily_spend_current_cents=plan.current_cents,
        daily_spend_recommended_cents=daily,
        change_share=pl.when(pl.Series(plan.current_cents > 0)).then(
            pl.Series(daily) / pl.Series(plan.current_cents) - 1.0
        ),
        roas=pl.when(is_promised & pl.Series(daily > 0)).then(pl.Series(revenue) / pl.Series(spend)),
        binding_constraint=decision.binding,
        shadow_price=pl.lit(plan.allocation.shadow_price),
        max_supported_spend_cents=evidence.max_supported_cents,
        ess=evidence.ess,
        logged_until=pl.Series(log.logged_until),
        status=pl.Series(status, dtype=pl.String).cast(columns.budget_status.dtype),
        reason_text=pl.Series(list(map(say, reasons))),
        reason_codes=pl.Series(list(map(codes_of, reasons))),
        findings=pl.Series(list(map(to_json, reasons))),
        certified_gap=pl.lit(plan.allocation.certified_gap),
        **{name: pl.when(is_promised).then(pl.Series(values)) for name, values in promised.items()},
    )


def _stories(decision: BudgetDecision) -> list[CellStory]:
    log, plan, evidence = decision.log, decision.plan, decision.evidence
    is_spent = log.history.spend > 0
    spent, days = log.history.spend.sum(1), np.maximum(is_spent.sum(1), 1)
    earned = np.where(is_spent, log.history.revenue, 0.0).sum(1)
    binding, days_late = decision.binding, log.days_late
    logged_until, last_spent = log.logged_until, log.last_spent
    has_revenue = bool((decision.fit.curves.ceiling > 0).any())
    return [
        CellStory(
            campaign_id=campaign_id,
            channel=channel,
            spend_current_cents=int(plan.current_cents[cell]),
            spend_recommended_cents=int(plan.allocation.spend_cents[cell]),
            ess=float(evidence.ess[cell]),
            spread=float(evidence.spread[cell]),
            marginal_now=float(plan.marginal_now[cell]),
            agreement=float(plan.agreement[cell]),
            is_disputed=bool(plan.is_disputed[cell]),
            binding_constraint=str(binding[cell]),
            n_active=int(log.n_active[cell]),
            n_current=int(log.n_current[cell]),
            days_late=days_late[cell],
            logged_until=logged_until[cell],
            last_spent=last_spent[cell],
            usual_spend_cents=float(spent[cell] / days[cell]),
            usual_return=float(earned[cell] / max(spent[cell], 1.0)),
            shadow_price=plan.allocation.shadow_price,
            n_days=len(log.days),
            has_revenue=has_revenue,
        )
        for cell, (campaign_id, channel) in enumerate(log.keys.select("campaign_id", "channel").iter_rows())
    ]


def _conversions_per_cent(log: SpendLog) -> Array:
    """Conversions per cent of revenue: the cell's own, its channel's where the cell never earned anything."""
    earned, channel = log.history.revenue.sum(1), log.history.channel
    channel_earned = np.bincount(channel, earned)[channel]
    channel_conversions = np.bincount(channel, log.conversions)[channel]
    shared = np.divide(
        channel_conversions, channel_earned, out=np.zeros_like(earned), where=channel_earned > 0
    )
    return np.asarray(np.divide(log.conversions, earned, out=shared, where=earned > 0))
