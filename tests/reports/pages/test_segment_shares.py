"""A shop without users: the page says with which probability visitors of a segment see what."""

from datetime import date

import polars as pl

from reports.pages import report_html
from reports.summaries.night import night
from reports.summaries.segment_distributions import LIKELIEST, likeliest_items
from tests.reports.sample_nights import SampleNight, open_bandit_night
from tests.reports.sample_rows import table

PROBABILITIES = {"red": 0.72, "blue": 0.15, "green": 0.08, "none": 0.05}


def shares(segment: str) -> list[dict[str, object]]:
    return [
        {
            "run_id": "r",
            "as_of": date(2026, 1, 5),
            "segment_id": segment,
            "surface": "mail",
            "slot_rank": 1,
            "item_id": item,
            "item_name": "Red mail" if item == "red" else None,
            "probability": probability,
            "score": 0.2,
            "score_lower": 0.18,
            "score_upper": 0.22,
            "reason_code": "promoted",
            "reason_text": "The learned policy serves here.",
            "fallback_level": "segment",
            "policy_version": "mixed-1",
            "evidence_level": "logged",
        }
        for item, probability in PROBABILITIES.items()
    ]


def night_of_segments() -> SampleNight:
    sample = open_bandit_night()
    tables = {name: frame for name, frame in sample.tables.items() if name != "out_recommendations"}
    rows = [*shares("new"), *shares("old")]
    return SampleNight(
        tables | {"out_segment_distributions": table("out_segment_distributions", rows)}, sample.manifest
    )


def test_the_likeliest_items_of_each_segment_come_first() -> None:
    items = likeliest_items(night_of_segments().tables["out_segment_distributions"])

    assert [(item.segment_id, item.item_id) for item in items] == [
        (segment, item) for segment in ("new", "old") for item in list(PROBABILITIES)[:LIKELIEST]
    ]


def test_the_page_shows_probabilities_and_misses_no_slates() -> None:
    sample = night_of_segments()
    page = report_html(sample.tables, sample.manifest)

    assert "Recommendations by segment" in page
    assert "Red mail (red)" in page
    assert "out_recommendations" not in night(sample.tables, sample.manifest).missing()
    assert "without it nobody can see what would be shown tomorrow" not in page


def test_a_log_without_times_says_that_chance_split_it() -> None:
    sample = open_bandit_night()
    verdicts = sample.tables["out_verdicts"]
    by_user = verdicts.with_columns(split_by=pl.lit("user").cast(verdicts.schema["split_by"]))

    page = report_html(sample.tables | {"out_verdicts": by_user}, sample.manifest)

    assert "The log has no times, so chance decided which users teach and which judge" in page
    assert "The log has no times" not in report_html(sample.tables, sample.manifest)
