"""New segments on the page: what is claimed of learners there, what is not, and how much support it takes."""

import re
from html import unescape

import polars as pl

from features.contracts.outputs import OUTPUTS
from reports.pages import report_html
from tests.reports.sample_nights import SampleNight, demo_night, open_bandit_night, tiny_night

TITLE = "<h4>Segments that taught no learner</h4>"


def sections(sample: SampleNight) -> list[str]:
    """Return the section of each domain, as text with its tags."""
    page = unescape(report_html(sample.tables, sample.manifest))
    return [re.split(r"<h[34]|</section>", rest)[0] for rest in page.split(TITLE)[1:]]


def test_claims_name_whom_a_learner_beats() -> None:
    [recommendation, _] = sections(demo_night())

    assert (
        "Learning pays on 24 new segments: maml beats pooled_reward_model and random_effects; "
        "reptile beats pooled_reward_model."
    ) in recommendation
    assert recommendation.count("</span> better</td>") == 3
    assert recommendation.count("</span> not claimed</td>") == 1
    assert "+0.81 pp (+0.61 to +1.06)" in recommendation


def test_the_plain_policies_stand_apart_the_others_folded() -> None:
    [recommendation, _] = sections(demo_night())

    first, folded = recommendation.split("<summary>Against the other plain policies</summary>")
    assert "Against pooled_reward_model:" in first and "Against random_effects:" not in first
    assert "Against random_effects:" in folded


def test_how_much_support_it_takes_is_the_conclusion_of_the_chart() -> None:
    [recommendation, _] = sections(demo_night())

    assert (
        "adapting pays for 1 of 2 learners: maml gains most, +0.81 pp per round, and 100 rounds bring at "
        "least half of it."
    ) in recommendation
    assert "true, in the simulated world" in recommendation
    assert "<summary>With more or fewer gradient steps</summary>" in recommendation


def test_a_single_segment_is_reported_and_nothing_claimed() -> None:
    [_, advertising] = sections(demo_night())

    assert (
        "Nothing can be claimed of learners on new segments yet: 1 segment says too little, 20 are needed."
        in advertising
    )
    assert "−0.21 pp (–)" in advertising
    assert "No learner adapts to a segment tonight" in advertising
    assert "nan" not in advertising.lower()


def test_few_segments_are_too_few() -> None:
    [section] = sections(tiny_night())

    assert "5 segments say too little, 20 are needed." in section
    assert "true, in the simulated world" not in section


def test_a_night_without_comparisons_says_why() -> None:
    sample = open_bandit_night()
    [section] = sections(sample)
    assert "No learner stood beside the plain baseline" in section
    assert "<table" not in section

    kept = sample.tables["out_segment_tasks"].filter(split="meta_train")
    [section] = sections(SampleNight(sample.tables | {"out_segment_tasks": kept}, sample.manifest))
    assert "Nothing can be said about new segments" in section


def test_a_night_from_before_these_tables_has_no_such_section() -> None:
    sample = tiny_night()
    older = {name: frame for name, frame in sample.tables.items() if name != "out_learner_comparisons"}

    assert sections(SampleNight(older, sample.manifest)) == []


def test_curves_may_be_missing_where_comparisons_are_not() -> None:
    sample = tiny_night()
    empty = {"out_adaptation_curves": OUTPUTS["out_adaptation_curves"].create_empty()}

    [section] = sections(SampleNight(sample.tables | empty, sample.manifest))

    assert "<figure>" not in section and "No learner adapts" in section


def test_a_learner_that_chooses_as_the_pooled_model_does_says_so_in_place_of_zeros() -> None:
    sample = tiny_night()
    comparisons = sample.tables["out_learner_comparisons"]
    same = comparisons.with_columns(
        difference=pl.lit(0.0), lower=pl.lit(0.0), upper=pl.lit(0.0), is_claimed=pl.lit(False)
    )

    [section] = sections(SampleNight(sample.tables | {"out_learner_comparisons": same}, sample.manifest))

    assert "learned nothing beyond the pooled model" in section
    assert "not claimed" not in section
