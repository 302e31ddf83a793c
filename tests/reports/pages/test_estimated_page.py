"""The report of a night whose propensities are estimated: what to test, how sure it is, what logging buys."""

from html import unescape

import pytest

from features.contracts.findings import Finding
from reports.pages import report_html
from tests.reports.sample_estimates import estimated_night
from tests.reports.sample_nights import SampleNight, demo_night


def page_of(sample: SampleNight) -> str:
    return unescape(report_html(sample.tables, sample.manifest))


def test_the_first_screen_says_what_is_worth_a_test_and_what_logging_would_buy() -> None:
    page = page_of(estimated_night())
    assert "No policy changes tomorrow. For recommendations one is worth a test" in page
    assert "incumbent keeps serving. maml is worth a test" in page
    assert "None of 199,000 impressions has a propensity" in page
    assert "21 days later as many as tonight (144,630)" in page
    assert page.count("21 days later") == 1
    assert "off by a factor of up to 1.31 in 95 of 100 cases" in page


def test_the_table_says_what_is_left_of_a_lead() -> None:
    page = page_of(estimated_night())
    assert "How far may estimated propensities be off?" in page
    assert (
        "maml against incumbent: a gain is shown as long as the odds are off by a factor of less than 1.42"
        in page
    )
    assert "What maml earns more per round" in page
    assert "+0.3 pp to +2.8 pp" in page


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (None, "a gain is shown however far the odds are off"),
        (1.0, "importance sampling alone shows no gain, even if the odds are exactly right"),
    ],
)
def test_no_factor_and_every_factor_have_words_of_their_own(factor: float | None, said: str) -> None:
    page = page_of(estimated_night(factor))
    assert said in page


def test_where_lists_serve_no_policy_is_said_to() -> None:
    lists = {"recommendation": Finding("acts_beside_rounds", "recommendation", {"n_rows": 199_000})}
    page = page_of(estimated_night(unproven=lists))
    assert "Until then lists serve that nothing proves." in page
    assert "incumbent keeps serving. maml" not in page
    assert "which were not judged" not in page


def test_logged_propensities_need_none_of_it() -> None:
    page = page_of(demo_night())
    assert "worth a test" not in page
    assert "How far may estimated propensities" not in page
