from features.contracts.findings import finding
from reports.summaries.data_quality import rule_counts, sources_that_lost_lines
from tests.reports.sample_rows import broken_rule, line_counts, table

RUN = {"run_id": "r"}
EVENTS = line_counts("events.csv", 100, rejected=5)
RULES = [
    broken_rule(EVENTS, finding("not_a_number", "propensity", kind="text", characters=1), 7, 3, "a line"),
    broken_rule(EVENTS, finding("value_missing", "event_type"), 9, 2, "a line"),
]


def test_a_source_whose_rules_each_explain_a_part_lost_nothing() -> None:
    counts = rule_counts(table("out_data_quality", [RUN | row for row in (EVENTS, *RULES)]))

    assert [count.n_rejected for count in counts] == [5, 3, 2]
    assert [count.adds_up for count in counts] == [True, False, False]
    assert sources_that_lost_lines(counts) == frozenset()


def test_a_source_whose_lines_do_not_add_up_lost_some() -> None:
    short = EVENTS | {"n_loaded": 90}

    counts = rule_counts(table("out_data_quality", [RUN | short]))

    assert sources_that_lost_lines(counts) == {"events.csv"}


def test_a_file_without_lines_has_no_share() -> None:
    (count,) = rule_counts(table("out_data_quality", [RUN | line_counts("empty.csv", 0)]))

    assert count.rejected_share is None
    assert count.adds_up
