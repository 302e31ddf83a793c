"""The budget table from a daily log: contract, limits, refusals, and money that moves for the better."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts.budget import BudgetAllocation
from features.contracts.findings import codes_of, from_json
from features.errors import InputDataError, UsageError
from offline_rl.decisions.budget.response_curves import ResponseCurves
from offline_rl.decisions.budget.tables import BudgetSettings, budget_table, budget_tables
from reports.wording.sentences import say

AS_OF = date(2026, 1, 5)
SETTINGS = BudgetSettings()


def frame_of(cell: str, spend: np.ndarray, revenue: np.ndarray, *, last: date = AS_OF) -> pl.DataFrame:
    n_days = len(spend)
    return pl.DataFrame(
        {
            "date": [last - timedelta(days=n_days - 1 - day) for day in range(n_days)],
            "campaign_id": [cell] * n_days,
            "channel": ["search"] * n_days,
            "segment_id": ["all"] * n_days,
            "impressions": [100] * n_days,
            "clicks": [10] * n_days,
            "spend_cents": spend.astype(np.int64),
            "conversions": (revenue // 2000).astype(np.int64),
            "revenue_cents": revenue.astype(np.int64),
        }
    )


def simulated(seed: int, *, n_cells: int = 24, differ: float = 0.6) -> tuple[pl.DataFrame, ResponseCurves]:
    """A log of 56 days and the curves behind it; `differ`: how much cells differ in return and saturation."""
    rng = np.random.default_rng(seed)
    size, roas = rng.lognormal(10, 0.7, n_cells), 2.0 * rng.lognormal(0, differ, n_cells)
    kappa = rng.lognormal(0.3, differ, n_cells)
    truth = ResponseCurves(roas * (kappa + 1) * size, kappa * size)
    spend = np.rint(size[:, None] * rng.lognormal(0, 0.35, (n_cells, 56)))
    revenue = rng.poisson(truth.revenue(spend.T).T * rng.lognormal(0, 0.1, 56) / 2000) * 2000
    logs = [frame_of(f"c{c:02d}", spend[c], revenue[c]) for c in range(n_cells)]
    return pl.concat(logs), truth


def table(log: pl.DataFrame, settings: BudgetSettings = SETTINGS, *, seed: int = 0) -> pl.DataFrame:
    return budget_table(log, run_id="run", as_of=AS_OF, settings=settings, seed=seed, say=say)


def test_rows_satisfy_the_contract_and_the_total_to_the_cent() -> None:
    log, _ = simulated(0)
    rows = table(log)
    assert BudgetAllocation.is_valid(rows)
    assert rows["spend_recommended_cents"].sum() == rows["spend_current_cents"].sum()
    assert rows.equals(rows.sort("campaign_id", "channel", "segment_id"))
    assert (rows["max_supported_spend_cents"] >= rows["spend_recommended_cents"]).all()
    assert (rows["change_share"].abs() <= 0.3).all()
    assert (rows["revenue_lower_cents"] <= rows["expected_revenue_cents"]).all()
    assert (rows["expected_revenue_cents"] <= rows["revenue_upper_cents"]).all()
    assert rows["certified_gap"][0] < 1e-6
    assert rows["scenario"].unique().to_list() == ["current_total"]
    expected = rows["expected_revenue_cents"] / 2000
    assert (rows["expected_conversions"] / expected - 1).abs().max() < 1e-3


def test_current_is_the_mean_of_the_last_seven_logged_days() -> None:
    log, _ = simulated(0, n_cells=3)
    rows = table(log)
    recent = (
        log.filter(pl.col("date") > AS_OF - timedelta(days=7))
        .group_by("campaign_id")
        .agg(pl.sum("spend_cents"))
    )
    expected = dict(recent.iter_rows())
    for cell, current in rows.select("campaign_id", "spend_current_cents").iter_rows():
        assert abs(current - expected[cell] / 7) < 1


@pytest.mark.parametrize("seed", range(3))
def test_money_moves_to_where_it_truly_earns_more(seed: int) -> None:
    log, truth = simulated(seed)
    rows = table(log)
    now, then = rows["spend_current_cents"].to_numpy(), rows["spend_recommended_cents"].to_numpy()
    assert truth.revenue(then).sum() > 1.02 * truth.revenue(now).sum()


def test_equal_cells_lose_next_to_nothing() -> None:
    """Negative control: where all cells are alike there is nothing to gain, and noise must not cost much."""
    changes = []
    for seed in range(10):
        log, truth = simulated(seed, differ=0.0)
        rows = table(log)
        now, then = rows["spend_current_cents"].to_numpy(), rows["spend_recommended_cents"].to_numpy()
        changes.append(truth.revenue(then).sum() / truth.revenue(now).sum() - 1)
    assert np.mean(changes) > -0.002


def test_days_after_as_of_are_not_read() -> None:
    log, _ = simulated(0, n_cells=4)
    later = frame_of("c00", np.array([999_999]), np.array([0]), last=AS_OF + timedelta(days=1))
    assert table(pl.concat([log, later])).equals(table(log))


def test_order_of_rows_and_repetition_do_not_matter() -> None:
    log, _ = simulated(1, n_cells=5)
    assert table(log.sample(fraction=1.0, shuffle=True, seed=3)).equals(table(log))
    assert not table(log, seed=1).equals(table(log))


def test_thin_cells_are_refused_and_keep_their_spend() -> None:
    log, _ = simulated(0, n_cells=6)
    rng = np.random.default_rng(0)
    revenue = rng.poisson(5, 56) * 2000
    constant = frame_of("x-constant", np.full(56, 5000), revenue)
    young = frame_of("x-young", rng.integers(4000, 6000, 3), revenue[:3])
    silent = frame_of("x-silent", np.zeros(56), np.zeros(56))
    rows = table(pl.concat([log, constant, young, silent]))
    refused = rows.filter(status="refused")
    assert refused["campaign_id"].to_list() == ["x-constant", "x-silent", "x-young"]
    assert refused["spend_recommended_cents"].equals(
        refused["spend_current_cents"].alias("spend_recommended_cents")
    )
    assert refused["binding_constraint"].unique().to_list() == ["support"]
    constant_text, silent_text, young_text = refused["reason_text"]
    assert constant_text.startswith("The daily spend varied by 0.0% only, and 5% is needed")
    assert silent_text.startswith("No money was spent here in 56 days")
    assert young_text.endswith(
        "independent days of spend are logged, and 7 are needed: the spend stays where it is."
    )
    assert rows.filter(status="moved").height > 0
    assert rows["spend_recommended_cents"].sum() == rows["spend_current_cents"].sum()


def test_a_disputed_direction_is_held() -> None:
    log, _ = simulated(0)
    certain = table(log, replace(SETTINGS, minimum_agreement=0.95))
    anyhow = table(log, replace(SETTINGS, minimum_agreement=0.0))
    held = certain.filter(pl.col("reason_text").str.contains("The logs don't say"))
    assert held.height > 0
    assert held["status"].unique().to_list() == ["held"]
    assert held["change_share"].unique().to_list() == [0.0]
    assert certain.filter(status="moved").height < anyhow.filter(status="moved").height


def test_reasons_tell_the_direction_and_the_limit() -> None:
    log, _ = simulated(0)
    rows = table(log).filter(status="moved")
    raised = pl.col("spend_recommended_cents") > pl.col("spend_current_cents")
    assert rows.filter(raised)["reason_text"].str.starts_with("Raised by").all()
    assert rows.filter(~raised)["reason_text"].str.starts_with("Lowered by").all()
    at_limit = rows.filter(pl.col("binding_constraint").is_in(["spend_min", "spend_max"]))
    assert at_limit.height > 0
    assert at_limit["reason_text"].str.ends_with("The limit of 30% a night stops it.").all()
    inside = rows.filter(binding_constraint="none")
    assert (inside["marginal_roas"] / inside["shadow_price"] - 1).abs().max() < 1e-2


def test_findings_carry_the_numbers_of_their_row() -> None:
    log, _ = simulated(0)
    rows = table(log)
    for row in rows.iter_rows(named=True):
        why, *others = from_json(row["findings"])
        assert row["reason_codes"] == codes_of([why, *others])
        assert row["reason_text"] == say([why, *others])
        assert why.subject == row["campaign_id"]
        if row["status"] == "moved":
            daily = row["daily_spend_recommended_cents"] / row["daily_spend_current_cents"] - 1
            assert why.number("change") == pytest.approx(abs(daily))
            assert why.number("shadow_price") == row["shadow_price"]


def test_without_a_language_the_codes_stand_for_the_sentences() -> None:
    log, _ = simulated(0)
    rows = budget_table(log, run_id="run", as_of=AS_OF, settings=SETTINGS, seed=0)
    assert rows["reason_text"].equals(rows["reason_codes"].alias("reason_text"))
    assert rows.drop("reason_text").equals(table(log).drop("reason_text"))


def test_support_stops_before_the_move_limit() -> None:
    log, _ = simulated(0, n_cells=8)
    rng = np.random.default_rng(1)
    # Earns ten times its spend, and never spent more than 10 % above its mean.
    spend = rng.integers(9000, 11_000, 56)
    rows = table(pl.concat([log, frame_of("x-star", spend, spend * 10)]))
    star = rows.filter(campaign_id="x-star")
    assert star["spend_recommended_cents"].item() == star["max_supported_spend_cents"].item() == spend.max()
    assert star["binding_constraint"].item() == "support"
    assert (
        star["reason_text"]
        .item()
        .endswith("The highest spend of a logged day stops it: beyond that nothing is known.")
    )


def test_a_given_total_is_met_or_refused_with_the_limits() -> None:
    log, _ = simulated(0)
    current = table(log)["spend_current_cents"].sum()
    rows = table(log, replace(SETTINGS, budget_cents=int(1.1 * current)))
    assert rows["spend_recommended_cents"].sum() == int(1.1 * current)
    assert rows["scenario"].unique().to_list() == ["given_total"]
    with pytest.raises(UsageError, match="above the most that the limits of 24 cells allow"):
        table(log, replace(SETTINGS, budget_cents=2 * current))


def test_a_paused_campaign_is_held_at_zero() -> None:
    log, _ = simulated(0, n_cells=6)
    rng = np.random.default_rng(2)
    spend = rng.integers(4000, 9000, 56)
    spend[-7:] = 0
    rows = table(pl.concat([log, frame_of("x-paused", spend, spend * 2)])).filter(campaign_id="x-paused")
    assert rows.select("status", "spend_recommended_cents", "change_share", "roas").row(0) == (
        "held",
        0,
        None,
        None,
    )
    assert rows["reason_text"].item().startswith("Nothing is spent here now")


def test_no_ads_no_rows_and_old_logs_are_refused() -> None:
    log, _ = simulated(0, n_cells=2)
    assert table(log.clear()).height == 0
    with pytest.raises(InputDataError, match="No ad spend is logged from 2027-01-01 to 2027-02-25"):
        budget_table(log, run_id="run", as_of=date(2027, 2, 25), settings=SETTINGS, seed=0)


def totals(log: pl.DataFrame, settings: BudgetSettings = SETTINGS) -> dict[str, Any]:
    tables = budget_tables(log, run_id="run", as_of=AS_OF, settings=settings, seed=0)
    return tables.totals.row(by_predicate=pl.col("scope") == "shop", named=True)


def drifting(seed: int, returns: np.ndarray, *, n_cells: int = 4) -> pl.DataFrame:
    """Cells whose revenue is in proportion to spend, at these returns by day, 56 days."""
    rng = np.random.default_rng(seed)
    spend = rng.uniform(6000, 14_000, (n_cells, 56))
    revenue = spend * returns * rng.uniform(0.9, 1.1, spend.shape)
    return pl.concat([frame_of(f"c{cell}", spend[cell], revenue[cell]) for cell in range(n_cells)])


def test_a_return_that_fell_by_a_third_is_promised_as_it_is_now() -> None:
    log = drifting(1, np.where(np.arange(56) < 44, 3.0, 2.0))
    shop = totals(log)
    per_cent = shop["daily_revenue_current_cents"] / shop["daily_spend_current_cents"]
    assert per_cent == pytest.approx(2.0, rel=0.08)
    half_width = shop["daily_revenue_current_upper_cents"] / shop["daily_revenue_current_cents"] - 1
    steady = totals(drifting(1, np.full(56, 2.0)))
    calm = steady["daily_revenue_current_upper_cents"] / steady["daily_revenue_current_cents"] - 1
    assert half_width > 0.25 > calm


def test_the_gain_is_that_of_the_sums_and_counts_the_lines_at_a_limit() -> None:
    log, truth = simulated(0)
    tables = budget_tables(log, run_id="run", as_of=AS_OF, settings=SETTINGS, seed=0)
    shop = tables.totals.row(by_predicate=pl.col("scope") == "shop", named=True)
    rows = tables.allocation
    now, then = rows["spend_current_cents"].to_numpy(), rows["spend_recommended_cents"].to_numpy()
    true_gain = truth.revenue(then).sum() - truth.revenue(now).sum()
    assert shop["gain_lower_cents"] <= true_gain <= shop["gain_upper_cents"]
    assert shop["daily_spend_recommended_cents"] == then.sum() == now.sum()
    assert shop["daily_revenue_expected_cents"] == pytest.approx(rows["expected_revenue_cents"].sum(), abs=24)
    moved = rows.filter(status="moved")
    assert shop["n_at_limit"] == moved.filter(pl.col("binding_constraint") != "none").height > 0
    # The interval of a sum is narrower than the sum of intervals.
    assert shop["daily_revenue_upper_cents"] < rows["revenue_upper_cents"].sum()


def test_channels_add_up_to_the_shop() -> None:
    log, _ = simulated(2, n_cells=8)
    log = log.with_columns(channel=pl.col("campaign_id").str.tail(1).cast(pl.Int64) % 2 == 0).with_columns(
        pl.when("channel").then(pl.lit("even")).otherwise(pl.lit("odd")).alias("channel")
    )
    rows = budget_tables(log, run_id="run", as_of=AS_OF, settings=SETTINGS, seed=0).totals
    assert rows["channel"].to_list() == ["all", "even", "odd"]
    for name in ("daily_spend_current_cents", "daily_spend_recommended_cents", "n_cells", "n_moved"):
        assert rows[name][1:].sum() == rows[name][0]
    assert rows["gain_cents"][1:].sum() == pytest.approx(rows["gain_cents"][0], abs=3)


def test_a_cell_that_rests_on_weekends_is_planned_by_its_days_with_spend() -> None:
    """AS_OF is a Monday. On weekdays 20,000 a day, at a return of 4 below saturation; nothing on weekends."""
    rng = np.random.default_rng(5)
    days = np.array([(AS_OF - timedelta(days=55 - day)).weekday() for day in range(56)])
    truth = ResponseCurves(np.array([160_000.0]), np.array([20_000.0]))
    spend = 20_000 * np.exp(rng.normal(0, 0.3, 56)) * (days < 5)
    resting = frame_of("weekdays", spend, truth.revenue(spend) * rng.uniform(0.95, 1.05, 56))
    log, _ = simulated(3, n_cells=5)
    row = table(pl.concat([log, resting.filter(pl.col("spend_cents") > 0)])).filter(campaign_id="weekdays")
    now = row["spend_current_cents"].item()
    assert now == pytest.approx(spend[-7:][spend[-7:] > 0].mean(), rel=1e-4)
    assert row["active_share"].item() == pytest.approx(5 / 7)
    assert row["daily_spend_current_cents"].item() == pytest.approx(now * 5 / 7, abs=1)
    then = row["spend_recommended_cents"].item()
    assert row["marginal_roas"].item() == pytest.approx(
        truth.marginal_roas(np.array([then])).item(), rel=0.25
    )
    assert row["expected_revenue_cents"].item() == pytest.approx(
        truth.revenue(np.array([then])).item(), rel=0.1
    )
    assert "It spent on 5 of its last 7 days" in row["reason_text"].item()
    assert "ends on" not in row["reason_text"].item()


def test_a_channel_whose_log_ends_early_moves_within_the_limit_of_its_own_last_days() -> None:
    log, _ = simulated(0, n_cells=6)
    rng = np.random.default_rng(6)
    spend = rng.integers(4000, 9000, 52)
    late = frame_of("x-late", spend, spend * 0.5, last=AS_OF - timedelta(days=4)).with_columns(
        channel=pl.lit("social")
    )
    row = table(pl.concat([log, late])).filter(campaign_id="x-late")
    assert row["spend_current_cents"].item() == pytest.approx(spend[-7:].mean(), abs=1)
    assert row["spend_recommended_cents"].item() >= np.floor(0.7 * spend[-7:].mean())
    assert row["logged_until"].item() == AS_OF - timedelta(days=4)
    assert "ends on 2026-01-01, 4 days before the shop's" in row["reason_text"].item()


def test_a_refused_cell_promises_nothing() -> None:
    log, _ = simulated(0, n_cells=6)
    constant = frame_of("x-constant", np.full(56, 5000), np.full(56, 9000))
    row = table(pl.concat([log, constant])).filter(campaign_id="x-constant")
    promise = row.select("expected_revenue_cents", "revenue_lower_cents", "revenue_upper_cents", "roas")
    assert promise.row(0) == (None,) * 4
    assert row["spend_recommended_cents"].item() == 5000


def test_where_nothing_is_earned_nothing_moves_and_it_says_so() -> None:
    log, _ = simulated(0, n_cells=3)
    nothing = log.with_columns(revenue_cents=pl.lit(0), conversions=pl.lit(0))
    rows = table(nothing)
    assert rows["status"].unique().to_list() == ["refused"]
    assert rows["reason_text"].str.starts_with("No revenue is logged anywhere in 56 days").all()
    assert totals(nothing)["gain_cents"] == 0


def test_one_cell_alone_keeps_its_spend_and_has_an_interval() -> None:
    log, truth = simulated(4, n_cells=1)
    row = table(log)
    shop = totals(log)
    expected = truth.revenue(row["spend_current_cents"].to_numpy()).item()
    assert row["change_share"].item() == 0.0
    assert shop["daily_revenue_current_lower_cents"] < expected < shop["daily_revenue_current_upper_cents"]


def test_curves_that_do_not_predict_move_half_as_far() -> None:
    """Revenue has nothing to do with what is spent on a day: last week's revenue predicts it best."""
    rng = np.random.default_rng(8)
    spend = rng.lognormal(9, 0.5, (6, 56))
    returns = rng.uniform(1, 5, 6)
    log = pl.concat([frame_of(f"c{c}", spend[c], np.full(56, returns[c] * 10_000)) for c in range(6)])
    shop = totals(log)
    assert shop["is_cautious"]
    assert shop["move_limit"] == 0.15
    assert table(log)["change_share"].abs().max() <= 0.15


def test_a_total_that_half_the_limit_cannot_reach_gets_the_whole() -> None:
    log, _ = simulated(0, n_cells=4)
    short = log.filter(pl.col("date") > AS_OF - timedelta(days=15))
    current = totals(short)
    assert current["is_cautious"] and current["move_limit"] == 0.15
    most = int(1.2 * current["daily_spend_current_cents"])
    given = totals(short, replace(SETTINGS, budget_cents=most))
    assert (given["move_limit"], given["daily_spend_recommended_cents"]) == (0.3, most)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 40), st.floats(0.05, 1.0))
def test_any_log_gives_tables_that_add_up(seed: int, n_cells: int, n_days: int, filled: float) -> None:
    rng = np.random.default_rng(seed)
    spend = np.rint(rng.lognormal(8, 1, (n_cells, n_days)) * (rng.random((n_cells, n_days)) < filled))
    revenue = np.rint(rng.lognormal(9, 1, spend.shape) * (rng.random(spend.shape) < 0.7))
    log = pl.concat([frame_of(f"c{c}", spend[c], revenue[c]) for c in range(n_cells)])
    log = log.filter(pl.Series(rng.random(log.height) < 0.9)).with_columns(
        channel=pl.col("campaign_id").replace({"c0": "late"})
    )
    tables = budget_tables(log, run_id="run", as_of=AS_OF, settings=SETTINGS, seed=0)
    rows = tables.allocation
    for kind in ("current", "recommended"):
        assert rows[f"daily_spend_{kind}_cents"].sum() == sum(
            tables.totals.filter(scope="shop")[f"daily_spend_{kind}_cents"]
        )
    if rows.height:
        assert rows["daily_spend_current_cents"].sum() == rows["daily_spend_recommended_cents"].sum()
        assert (rows["change_share"].fill_null(0).abs() <= 0.3 + 1e-9).all()


@pytest.mark.slow
def test_ten_thousand_cells_take_seconds() -> None:
    log, _ = simulated(0, n_cells=10_000)
    rows = table(log)
    assert rows.height == 10_000
    assert rows["spend_recommended_cents"].sum() == rows["spend_current_cents"].sum()
