from datetime import date

import polars as pl
import pytest

from reports.summaries.budget import (
    budget_cells,
    budget_totals,
    held_out_weeks,
    late_channels,
    main_total,
    mean_miss,
    moved_cents,
)
from reports.summaries.night import night
from tests.reports.sample_nights import demo_night

SAMPLE = demo_night()
NIGHT = night(SAMPLE.tables, SAMPLE.manifest)
CELLS = budget_cells(NIGHT.rows("out_budget_allocation"))
TOTALS = budget_totals(NIGHT.rows("out_budget_totals"))
WEEKS = held_out_weeks(NIGHT.rows("out_budget_backtest"))


def test_the_shop_comes_first_and_its_channels_add_up_to_it() -> None:
    shop, *channels = TOTALS

    assert (shop.scope, shop.channel) == ("shop", "all")
    assert sum(channel.daily_spend_recommended_cents for channel in channels) == (
        shop.daily_spend_recommended_cents
    )
    assert sum(channel.n_cells for channel in channels) == len(CELLS)


def test_what_lines_gain_less_what_they_give_up_is_the_change_of_the_total() -> None:
    given_up = sum(-cell.daily_change_cents for cell in CELLS if cell.daily_change_cents < 0)

    assert moved_cents(CELLS) - given_up == TOTALS[0].change_cents


def test_the_biggest_move_comes_first() -> None:
    moves = [abs(cell.change_cents) for cell in CELLS]

    assert moves == sorted(moves, reverse=True)


def test_the_main_scenario_is_nearest_to_the_spend_of_today() -> None:
    rows = SAMPLE.tables["out_budget_totals"]
    richer = rows.with_columns(
        scenario=pl.lit("a_tenth_more"),
        daily_spend_recommended_cents=(1.1 * pl.col("daily_spend_recommended_cents")).cast(pl.Int64),
    )
    total = main_total(budget_totals(pl.concat([rows, richer])))

    assert total is not None
    assert (total.scenario, total.scope) == ("same_total", "shop")
    assert main_total(()) is None


def test_a_channel_whose_log_ends_early_is_named_with_its_days() -> None:
    early = SAMPLE.tables["out_budget_allocation"].with_columns(
        logged_until=pl.when(pl.col("channel") == "social")
        .then(date(2026, 1, 2))
        .otherwise(pl.col("logged_until"))
    )

    assert late_channels(CELLS) == {}
    assert late_channels(budget_cells(early)) == {"social": (date(2026, 1, 2), 3)}


def test_a_miss_over_weeks_is_weighted_by_what_they_earned() -> None:
    newest, before = WEEKS

    assert newest.first > before.first
    assert mean_miss(WEEKS, "curves") == pytest.approx((0.11 + 0.12) / 2)
    assert mean_miss((), "curves") is None
