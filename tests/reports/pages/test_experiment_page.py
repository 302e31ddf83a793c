from html import unescape

import polars as pl

from reports.pages.area_part import Paragraph, Printed
from reports.pages.areas.experiment import experiment_lines, experiment_section
from reports.pages.report import report_html
from reports.summaries.formatting import RewardFormat
from reports.summaries.night import night
from reports.wording.language import LANGUAGE
from tests.reports.sample_nights import demo_night
from tests.reports.sample_rows import experiment_rows, table

RATE = RewardFormat("%", 100, 1)
RUN = {"run_id": "2026-01-05-77b0e3f2"}


def test_both_arms_and_their_difference_stand_in_a_table_and_the_interval_is_drawn():
    sample = demo_night()
    [section] = experiment_section(night(sample.tables, sample.manifest), RATE, LANGUAGE)
    [printed] = [block.table for block in section.blocks if isinstance(block, Printed)]
    cells = [[cell.text for cell in row] for row in printed.rows]
    assert [row[0] for row in cells] == ["Candidate", "Today's policy", "Difference"]
    assert cells[0][2:4] == ["1,204", "9,377"]
    assert printed.rows[2][4].bar is not None
    said = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert said[0].startswith("An experiment with reptile-2026-01-01-77b0e3f2 runs, day 4 of at most 28")


def test_small_arms_are_not_counted_and_a_night_without_an_experiment_has_no_section():
    sample = demo_night()
    few = sample.tables | {"out_experiments": table("out_experiments", experiment_rows(RUN, (7, 11)))}
    [section] = experiment_section(night(few, sample.manifest), RATE, LANGUAGE)
    [printed] = [block.table for block in section.blocks if isinstance(block, Printed)]
    assert [row[2].text for row in printed.rows[:2]] == ["< 20", "< 20"]
    none = {name: frame for name, frame in sample.tables.items() if name != "out_experiments"}
    assert experiment_section(night(none, sample.manifest), RATE, LANGUAGE) == ()
    assert experiment_lines(night(none, sample.manifest), LANGUAGE) == ()


def test_the_first_sentences_say_that_an_experiment_serves_some_users_until_it_has_ended():
    sample = demo_night()
    said = "An experiment gives 20 % of the users the recommendations of a candidate."
    assert said in unescape(report_html(sample.tables, sample.manifest))
    ended = sample.tables["out_experiments"].with_columns(status=pl.lit("ended"))
    changed = sample.tables | {"out_experiments": ended}
    assert "An experiment gives" not in unescape(report_html(changed, sample.manifest))
