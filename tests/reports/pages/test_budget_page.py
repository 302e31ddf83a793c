"""The budget in words: gain with its interval, limits, back-test, and logs that end early."""

from datetime import date

import polars as pl
import pytest

from reports.pages import report_html
from reports.pages.budget_words import BudgetWords, budget_words
from reports.summaries.night import night
from reports.wording import budget as wording
from reports.wording.language import LANGUAGE
from tests.reports.sample_nights import SampleNight, demo_night

SAMPLE = demo_night()
TOTALS, LINES, BACKTEST = "out_budget_totals", "out_budget_allocation", "out_budget_backtest"


def words_of(sample: SampleNight, **tables: pl.DataFrame) -> BudgetWords:
    words = budget_words(night(sample.tables | tables, sample.manifest), LANGUAGE)
    assert words is not None
    return words


def shop_with(**values: object) -> dict[str, pl.DataFrame]:
    columns = [pl.lit(value).alias(name) for name, value in values.items()]
    return {TOTALS: SAMPLE.tables[TOTALS].with_columns(columns)}


def test_the_gain_stands_with_its_interval_and_both_revenues() -> None:
    shop = SAMPLE.tables[TOTALS].row(by_predicate=pl.col("scope") == "shop", named=True)
    words = words_of(SAMPLE)
    assert f"{shop['gain_lower_cents'] / 100:+,.0f} to " in words.gain.replace("\N{MINUS SIGN}", "-")
    assert f"{shop['daily_revenue_current_cents'] / 100:,.0f} EUR" in words.expectation
    assert f"{shop['daily_revenue_expected_cents'] / 100:,.0f} EUR" in words.expectation
    assert words.limits.startswith(f"{shop['n_at_limit']} of 24 budget lines stop")
    assert "1 of 24 budget lines have logs that say too little" in words.limits


def test_a_gain_whose_interval_holds_zero_is_called_not_shown() -> None:
    sure = shop_with(gain_cents=900, gain_lower_cents=100, gain_upper_cents=2000)
    unsure = shop_with(gain_cents=900, gain_lower_cents=-100, gain_upper_cents=2000)
    assert "not shown" not in words_of(SAMPLE, **sure).gain
    assert words_of(SAMPLE, **unsure).gain.endswith("The interval contains zero: the gain is not shown.")


def test_where_nothing_moves_no_gain_is_promised() -> None:
    words = words_of(
        SAMPLE,
        **shop_with(n_moved=0, n_at_limit=0, gain_cents=0, gain_lower_cents=0, gain_upper_cents=0),
    )
    assert words.gain == "No gain is promised."
    assert "under the plan" not in words.expectation
    assert "No budget line stops at a limit." in words.limits


def test_a_cautious_plan_says_what_predicted_better_and_how_far_lines_move() -> None:
    words = words_of(SAMPLE, **shop_with(is_cautious=True, move_limit=0.15))
    assert "the curves missed 12 %" in words.backtest
    assert "last week's return 16 %, last week's revenue 15 %" in words.backtest
    assert words.backtest.endswith("no budget line moves by more than 15 %.")


def test_a_log_too_short_to_test_says_so() -> None:
    words = words_of(SAMPLE, **shop_with(is_cautious=True), **{BACKTEST: SAMPLE.tables[BACKTEST].clear()})
    assert words.backtest.startswith("The log is too short to hold out a week")
    assert words.last_week == ""


def test_whose_log_ends_early_stands_on_the_page() -> None:
    lines = SAMPLE.tables[LINES].with_columns(
        logged_until=pl.when(pl.col("channel") == "social")
        .then(date(2026, 1, 3))
        .otherwise(pl.col("logged_until"))
    )
    page = report_html(SAMPLE.tables | {LINES: lines}, SAMPLE.manifest)
    assert page.count("The log of social ends on 2026-01-03, 2 days before the others") == 2


def test_a_refused_line_shows_a_dash_for_what_it_would_earn() -> None:
    page = report_html(SAMPLE.tables, SAMPLE.manifest)
    refused = SAMPLE.tables[LINES].filter(status="refused").row(0, named=True)
    name = " · ".join(refused[key] for key in ("campaign_id", "channel", "segment_id"))
    row = page[page.index(f">{name}</th>") :].split("</tr>")[0]
    assert row.count("–") == 3


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (wording.limits(1, 1, "30 %", LANGUAGE), "The only budget line stops at a limit"),
        (wording.limits(1, 3, "30 %", LANGUAGE), "1 of 3 budget lines stops at a limit"),
        (wording.refused(1, 1, LANGUAGE), "1 of 1 budget line has a log that says too little"),
        (
            wording.decision("9", "100", "100", LANGUAGE, n_moved=0, n_lines=3),
            "No money moves tonight: 100 a day",
        ),
        (
            wording.decision("9", "100", "120", LANGUAGE, n_moved=2, n_lines=3),
            "Total spend goes from 100 to 120 a day",
        ),
        (
            LANGUAGE.text("budget.late", channel="tv", until=date(2026, 1, 3), n_days=1),
            "ends on 2026-01-03, 1 day before the others'",
        ),
    ],
)
def test_sentences_count_in_plain_english(sentence: str, expected: str) -> None:
    assert expected in sentence
