"""Shops that have nothing but an export: a whole night by TOML alone, and its truth in the tables."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from features.contracts.outputs import OUTPUTS
from flows.commands.cli import execute
from flows.json_files import read_json
from tests.flows import invented_exports as shops


@dataclass(frozen=True)
class ExportNight:
    """What `metacart run` printed, and the tables that it published."""

    printed: str
    tables: dict[str, pl.DataFrame]
    folder: Path


def night_of(export: Callable[[Path], Path], folder: Path, capsys: pytest.CaptureFixture[str]) -> ExportNight:
    config = export(folder)
    assert execute(["run", "--config", str(config)]) == 0
    shop = next((folder / "data" / "published").iterdir())
    published = shop / read_json(shop / "current.json")["run_id"]
    tables = {path.stem: pl.read_parquet(path) for path in published.glob("out_*.parquet")}
    for name, table in tables.items():
        OUTPUTS[name].validate(table, cast=True)
    return ExportNight(capsys.readouterr().out, tables, folder)


def test_an_e_mail_experiment_without_times_is_split_at_random_and_decided_by_its_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = night_of(shops.mail_experiment, tmp_path, capsys)

    assert "the log has no times, so its rounds were assigned at random" in night.printed
    assert "recommendation: PROMOTE" in night.printed
    assert "budget: nothing decided. The logs hold no daily ad spend" in night.printed
    [verdict] = night.tables["out_verdicts"].filter(segment_id="all").to_dicts()
    drawn = sum(sum(chances) / 3 for chances in shops.VISITS.values()) / 2
    best = sum(max(chances) for chances in shops.VISITS.values()) / 2
    assert verdict["split_by"] == "round"
    assert verdict["lower"] < best - drawn < verdict["upper"]
    assert verdict["difference"] == pytest.approx(best - drawn, abs=0.02)
    served = night.tables["out_segment_distributions"].sort("probability").group_by("segment_id").last()
    chosen = {row["segment_id"]: row["item_id"] for row in served.iter_rows(named=True)}
    assert {
        segment[-1]: mail for segment, mail in chosen.items() if "newbie" in segment or segment in "01"
    } == {"0": "Mens E-Mail", "1": "Womens E-Mail"}


def test_a_platform_export_adds_its_ads_up_to_the_day_of_a_campaign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = night_of(shops.campaign_export, tmp_path, capsys)

    lines = pl.read_csv(tmp_path / "conversions.csv", infer_schema_length=None)
    plan = night.tables["out_budget_allocation"]
    assert plan["campaign_id"].sort().to_list() == sorted(shops.CAMPAIGNS)
    assert plan["logged_until"].unique().cast(pl.String).to_list() == ["2025-09-25"]
    [total] = night.tables["out_budget_totals"].filter(scope="shop").to_dicts()
    last = lines.filter(pl.col("reporting_start").str.to_date("%d-%m-%Y") > pl.date(2025, 9, 18))
    assert total["daily_spend_current_cents"] == pytest.approx(last["spent"].sum() * 100 / 7, abs=1)
    earned = lines["approved_conversion"].sum() * shops.APPROVED_WORTH * 100 / shops.N_DAYS
    assert total["daily_revenue_current_lower_cents"] < earned < total["daily_revenue_current_upper_cents"]
    assert "recommendation: nothing decided. The logs hold no impressions" in night.printed
    assert "advertising: nothing decided. The logs hold no ad impressions" in night.printed
    assert re.search(r"budget: .* budget lines change", night.printed)


def test_an_export_by_banner_says_which_line_counts_once_and_which_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = night_of(shops.display_export, tmp_path, capsys)

    assert "display.csv: 1 of 734 lines rejected: line 735: clicks is above impressions" in night.printed
    assert "display.csv: rows of ad_spend_daily that repeat a row of display.csv: 1" in night.printed
    quality = night.tables["out_data_quality"].filter(pl.col("rule") == "loaded = lines - rejected")
    [row] = quality.to_dicts()
    assert (row["n_rows"], row["n_loaded"], row["n_rejected"]) == (734, 733, shops.N_BROKEN)
    lines = pl.read_csv(tmp_path / "display.csv").filter(pl.col("displays") > 3).unique()
    [total] = night.tables["out_budget_totals"].filter(scope="shop").to_dicts()
    assert total["daily_revenue_current_lower_cents"] < lines["post_click_sales_amount"].sum() * 100 / 61
    assert lines["post_click_sales_amount"].sum() * 100 / 61 < total["daily_revenue_current_upper_cents"]
    moved = dict(
        night.tables["out_budget_allocation"]
        .group_by("channel")
        .agg(pl.col("spend_recommended_cents").sum() - pl.col("spend_current_cents").sum())
        .iter_rows()
    )
    # one more euro earns three times as much at def as at abc
    assert moved["abc"] < 0 < moved["def"]
    assert total["gain_lower_cents"] > 0
