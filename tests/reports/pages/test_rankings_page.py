"""Recommendations that nothing proves: which ranking serves, what it foretold, and what to log."""

from html import unescape

import pytest

from flows.stages.worded import worded_manifest
from reports.pages import report_html
from reports.pages.areas.rankings import lines
from reports.summaries.night import night
from reports.summaries.recommendation_quality import measured_rankers
from reports.wording.language import LANGUAGE
from tests.reports.sample_nights import SampleNight, demo_night, unproven_night


def page_of(sample: SampleNight) -> str:
    return unescape(report_html(sample.tables, sample.manifest))


def test_the_page_says_what_serves_how_it_did_and_what_it_does_not_prove() -> None:
    page = page_of(unproven_night())
    assert "Tomorrow every user with a history gets a list by item_to_item" in page
    assert "From 2026-01-23 to 2026-01-31, after the days that chose it" in page
    assert "NDCG is 0.080 (0.050 to 0.110) above that of popularity there." in page
    assert "does not prove that it brings any choice about" in page
    assert "A log of impressions with surface, slot, policy_version and propensity" in page
    assert "Rankings on later days, by their first 10 items; 2 were compared on earlier days" in page
    assert "no policy was judged" in page


def test_the_first_sentences_tell_judged_areas_from_unproven_ones() -> None:
    demo, unproven = demo_night(), unproven_night()
    verdicts = demo.tables["out_verdicts"].filter(domain="advertising")
    both = SampleNight(unproven.tables | {"out_verdicts": verdicts}, unproven.manifest)
    assert "Nothing proves the recommendations, which were not judged." in page_of(both)
    assert "Nothing proves" not in page_of(demo)


def test_no_table_is_missed_that_an_unproven_night_does_not_owe() -> None:
    sample = unproven_night()
    assert night(sample.tables, sample.manifest).missing() == ()
    without = {name: table for name, table in sample.tables.items() if name != "out_recommendations"}
    assert night(without, sample.manifest).missing() == ("out_recommendations",)


def test_few_users_are_not_counted() -> None:
    sample = unproven_night()
    few = sample.tables["out_recommendations"].head(8)
    [first, *_] = lines(night(sample.tables | {"out_recommendations": few}, sample.manifest), LANGUAGE)
    assert first.endswith("users: < 20.")


def test_a_ranking_that_was_not_measured_has_no_number() -> None:
    sample = unproven_night()
    tables = {name: table for name, table in sample.tables.items() if name != "out_recommendation_quality"}
    page = page_of(SampleNight(tables, sample.manifest))
    assert "too few days or users to try a ranking" in page
    assert "Rankings on later days" not in page


def test_lists_without_chance_prove_nothing_ever() -> None:
    sample = unproven_night()
    certain = sample.tables["out_recommendations"].with_columns(propensity=1.0)
    page = page_of(SampleNight(sample.tables | {"out_recommendations": certain}, sample.manifest))
    assert "Nothing is left to chance, because learning.exploration is 0" in page


def test_a_night_without_a_list_says_so() -> None:
    sample = unproven_night()
    none = sample.tables["out_recommendations"].clear()
    page = page_of(SampleNight(sample.tables | {"out_recommendations": none}, sample.manifest))
    assert "Nobody gets a list: no item with an act is in the catalog." in page


def test_popularity_serves_where_no_ranking_was_surely_better() -> None:
    sample = unproven_night()
    quality = sample.tables["out_recommendation_quality"]
    plain = quality.with_columns(is_chosen=quality["ranker"] == "popularity")
    page = page_of(SampleNight(sample.tables | {"out_recommendation_quality": plain}, sample.manifest))
    assert "no ranking was surely better than popularity" in page


def test_the_last_window_is_the_one_that_is_shown() -> None:
    tested = measured_rankers(unproven_night().tables["out_recommendation_quality"])
    assert tested is not None
    assert [score.ranker for score in tested.scores] == ["item_to_item", "popularity"]
    assert (tested.n_tried, tested.n_users) == (2, 400)
    assert tested.served is not None
    assert tested.served.difference == pytest.approx(0.08)


def test_a_proved_night_says_nothing_of_rankings() -> None:
    sample = demo_night()
    assert "unproven" not in page_of(sample).lower()
    assert lines(night(sample.tables, sample.manifest), LANGUAGE) == ()
    assert worded_manifest({}, {}, [])["unproven"] == {}
