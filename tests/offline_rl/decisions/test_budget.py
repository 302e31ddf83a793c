"""The budget table from a daily log: contract, limits, refusals, and money that moves for the better."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.contracts.outputs import BudgetAllocation
from features.errors import InputDataError, UsageError
from offline_rl.decisions.budget import BudgetSettings, budget_table
from offline_rl.decisions.response_curves import ResponseCurves

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
    return budget_table(log, run_id="run", as_of=AS_OF, settings=settings, seed=seed)


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


@pytest.mark.slow
def test_ten_thousand_cells_take_seconds() -> None:
    log, _ = simulated(0, n_cells=10_000)
    rows = table(log)
    assert rows.height == 10_000
    assert rows["spend_recommended_cents"].sum() == rows["spend_current_cents"].sum()
