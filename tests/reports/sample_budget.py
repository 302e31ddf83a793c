"""Rows of a sample night's budget: lines, their totals, and weeks that were held out."""

import random
from datetime import date, timedelta
from typing import Any

import polars as pl

from features.contracts.findings import finding
from flows.stages.worded import worded
from tests.reports.sample_rows import table

SHADOW_PRICE = 1.42


def budget_sample(rows: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    """Return the three tables of a budget whose lines are these."""
    return {
        "out_budget_allocation": table("out_budget_allocation", rows),
        "out_budget_totals": table("out_budget_totals", budget_total_rows(rows)),
        "out_budget_backtest": table("out_budget_backtest", budget_backtest_rows(rows)),
    }


def budget_rows(draw: random.Random, run: dict[str, Any]) -> list[dict[str, Any]]:
    cells = [
        (campaign, channel, segment)
        for campaign in ("winter", "brand", "outlet", "loyalty")
        for channel in ("search", "social", "display")
        for segment in ("new", "returning")
    ]
    current = [int(draw.uniform(4000, 40000)) for _ in cells]
    shift: list[int] = []
    for one, other in zip(current[::2], current[1::2], strict=True):
        amount = 0 if len(shift) == 4 else int(min(one, other) * draw.uniform(-0.3, 0.3))
        shift += [amount, -amount]
    rows = []
    for place, (campaign, channel, segment) in enumerate(cells):
        spend = current[place] + shift[place]
        status = "refused" if place == 5 else "held" if shift[place] == 0 else "moved"
        at_limit = abs(shift[place]) > 0.25 * current[place]
        revenue = int(spend * draw.uniform(1.4, 3.2))
        marginal_roas = draw.uniform(0.9, 1.9) if status != "moved" else SHADOW_PRICE
        promise: dict[str, float | None] = {
            "expected_conversions": revenue / 4200,
            "revenue_current_cents": int(revenue * current[place] / spend),
            "expected_revenue_cents": revenue,
            "revenue_lower_cents": int(revenue * 0.8),
            "revenue_upper_cents": int(revenue * 1.25),
            "roas": revenue / spend,
            "marginal_roas": marginal_roas,
        }
        if status == "refused":
            promise = dict.fromkeys(promise)
        rows.append(
            run
            | {
                "as_of": date(2026, 1, 5),
                "scenario": "same_total",
                "campaign_id": campaign,
                "channel": channel,
                "segment_id": segment,
                "spend_current_cents": current[place],
                "spend_recommended_cents": spend,
                "spend_min_cents": 0,
                "spend_max_cents": 2 * current[place] + 100_000,
                "active_share": 1.0,
                "daily_spend_current_cents": current[place],
                "daily_spend_recommended_cents": spend,
                "change_share": spend / current[place] - 1,
                **promise,
                "logged_until": date(2026, 1, 5),
                "binding_constraint": "support"
                if place == 5
                else ("spend_max" if shift[place] > 0 else "spend_min")
                if at_limit
                else "none",
                "shadow_price": SHADOW_PRICE,
                "max_supported_spend_cents": 2 * current[place],
                "ess": draw.uniform(20, 60),
                "status": status,
                **_reasons(status, campaign, shift[place] / current[place], marginal_roas),
                "certified_gap": 0.00042,
            }
        )
    return rows


def _reasons(status: str, campaign: str, change: float, marginal_roas: float) -> dict[str, str]:
    moved = {
        "change": abs(change),
        "marginal_roas": marginal_roas,
        "shadow_price": SHADOW_PRICE,
        "agreement": 0.93,
    }
    why = {
        "moved": finding("spend_raised" if change > 0 else "spend_lowered", campaign, **moved),
        "held": finding("direction_unknown", campaign, agreement=0.61, least=0.8),
        "refused": finding("little_variation", campaign, spread=0.021, least=0.05),
    }[status]
    found = worded([why])
    return {name: found[name] for name in ("reason_codes", "findings")} | {"reason_text": found["reasons"]}


def budget_total_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sums of these lines, of the shop and of each channel."""
    channels = sorted({row["channel"] for row in rows})
    members = {("shop", "all"): rows} | {
        ("channel", name): [row for row in rows if row["channel"] == name] for name in channels
    }
    return [_total(scope, channel, lines) for (scope, channel), lines in members.items()]


def _total(scope: str, channel: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    def added(name: str) -> int:
        return sum(line[name] or 0 for line in lines)

    current, expected = added("revenue_current_cents"), added("expected_revenue_cents")
    moved = [line for line in lines if line["status"] == "moved"]
    return {
        **{name: lines[0][name] for name in ("run_id", "as_of", "scenario", "logged_until")},
        "scope": scope,
        "channel": channel,
        "n_cells": len(lines),
        "n_moved": len(moved),
        "n_at_limit": sum(line["binding_constraint"] != "none" for line in moved),
        "n_refused": sum(line["status"] == "refused" for line in lines),
        "daily_spend_current_cents": added("daily_spend_current_cents"),
        "daily_spend_recommended_cents": added("daily_spend_recommended_cents"),
        "daily_revenue_current_cents": current,
        "daily_revenue_current_lower_cents": int(0.9 * current),
        "daily_revenue_current_upper_cents": int(1.1 * current),
        "daily_revenue_expected_cents": expected,
        "daily_revenue_lower_cents": int(0.9 * expected),
        "daily_revenue_upper_cents": int(1.1 * expected),
        "gain_cents": expected - current,
        "gain_lower_cents": expected - current - 4000,
        "gain_upper_cents": expected - current + 5000,
        "move_limit": 0.3,
        "is_cautious": False,
    }


def budget_backtest_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return two held-out weeks whose curves miss less than the plain predictions."""
    earned = sum(line["expected_revenue_cents"] or 0 for line in rows)
    return [
        {
            **{name: rows[0][name] for name in ("run_id", "as_of")},
            "method": method,
            "held_out_from": date(2025, 12, 30) - timedelta(weeks=week),
            "held_out_to": date(2026, 1, 5) - timedelta(weeks=week),
            "n_cells": len(rows),
            "predicted_revenue_cents": int(1.04 * earned),
            "earned_revenue_cents": earned,
            "miss_share": 0.04,
            "cell_miss_share": miss + 0.01 * week,
        }
        for week in range(2)
        for method, miss in (("curves", 0.11), ("same_return", 0.16), ("same_revenue", 0.14))
    ]
