"""Arms that both ran: the table beside the policy values, and the refusal in it."""

from reports.pages import report_html
from tests.reports.sample_nights import demo_night, open_bandit_night


def test_each_arm_stands_beside_what_it_was_seen_to_earn() -> None:
    sample = open_bandit_night()

    page = report_html(sample.tables, sample.manifest)

    assert "Arms that both ran" in page
    assert "In 2 of 2 cases the observed reward lies inside the interval" in page
    assert "1 more is refused" in page
    assert "the log is worth 2.1 effective rounds of 10,000, less than 100." in page


def test_a_refused_estimate_is_not_shown() -> None:
    sample = open_bandit_night()

    page = report_html(sample.tables, sample.manifest)

    # the refused value, 0.24 %, would stand beside its interval up to 1.51 %
    assert "1.51" not in page


def test_a_shop_with_one_arm_has_no_such_section() -> None:
    sample = demo_night()

    assert "Arms that both ran" not in report_html(sample.tables, sample.manifest)
