"""Nights whose logs allow little: what could not be decided, and a page that shows no more than it knows."""

import re
from html import unescape
from typing import Any

import polars as pl
import pytest

from features.contracts.findings import Finding, as_plain, finding, of_plain
from flows.stages.worded import worded_manifest
from reports.pages import report_html
from reports.wording.language import LANGUAGE
from reports.wording.sentences import say
from tests.reports.sample_nights import (
    SampleNight,
    budget_only_night,
    demo_night,
    open_bandit_night,
    undecided_night,
)

NIGHTS = {
    "demo": demo_night(),
    "open_bandit": open_bandit_night(),
    "budget_only": budget_only_night(),
    "undecided": undecided_night(),
}


def printed(sample: SampleNight, **manifest: Any) -> str:
    return report_html(sample.tables, sample.manifest | manifest)


def section(page: str, anchor: str) -> str:
    return page[page.index(f'<section id="{anchor}"') :].split("</section>", maxsplit=1)[0]


def lead(page: str) -> str:
    found = re.search(r'<p class="lead">(.*?)</p>', page)
    assert found
    return unescape(found[1])


def undecided_cards(page: str) -> dict[str, str]:
    """Return domain → reason of the cards that say Not decided."""
    cards = re.findall(r'<article class="card quiet undecided">(.*?)</article>', page, flags=re.DOTALL)
    found = {}
    for card in cards:
        assert "</span> Not decided</span></h3>" in card
        [domain] = re.findall(r"<h3>(.*?) <span", card)
        [reason] = re.findall(r"<p>(.*?)</p>", card)
        found[domain] = unescape(reason)
    return found


@pytest.mark.parametrize("name", NIGHTS)
def test_each_undecided_domain_has_a_card_with_its_reason_and_no_table_is_missed(name: str) -> None:
    page = printed(NIGHTS[name])
    reasons = NIGHTS[name].manifest.get("undecided", {})

    assert undecided_cards(page) == {
        LANGUAGE.text(f"area.{domain}"): reason for domain, reason in reasons.items()
    }
    assert 'class="notice"' not in page


@pytest.mark.parametrize("name", ["budget_only", "undecided"])
def test_where_no_policy_was_judged_evaluation_is_one_sentence(name: str) -> None:
    evaluation = section(printed(NIGHTS[name]), "evaluation")

    assert re.findall(r"<p>(.*?)</p>", evaluation) == ["This night judged no policy; the overview says why."]
    assert not re.search("<table|<figure|<h3", evaluation)


def test_where_nothing_is_decided_tomorrow_is_one_sentence() -> None:
    tomorrow = section(printed(NIGHTS["undecided"]), "decisions")

    assert re.findall(r"<p>(.*?)</p>", tomorrow) == [
        "This night decided nothing for tomorrow; the overview says why."
    ]
    assert not re.search("<table|<figure|<h3", tomorrow)


def test_a_budget_alone_is_printed_without_headings_of_the_other_decisions() -> None:
    tomorrow = section(printed(NIGHTS["budget_only"]), "decisions")

    assert re.findall(r"<h3>(.*?)</h3>", tomorrow) == ["Budget"]
    assert "<figure>" in tomorrow and "decided nothing" not in tomorrow


def test_an_undecided_night_still_says_what_it_read() -> None:
    page = printed(NIGHTS["undecided"])

    assert "42,448,764" in section(page, "data_quality")
    assert "<p>1 source read, with rejected lines. " in section(page, "data_quality")
    assert "&lt; 0.0001 % of 2019-Oct.csv.gz" in section(page, "overview")
    assert "<h3>Key counts</h3>" in page
    assert "<dt>Recommendations</dt>" not in page


def test_a_table_that_a_decided_domain_owes_is_named_and_not_excused() -> None:
    sample = NIGHTS["budget_only"]
    quality = {"out_data_quality": sample.tables["out_data_quality"]}

    page = report_html(quality, sample.manifest)

    assert page.count("out_budget_allocation was not published: without it") == 2
    assert "decided nothing for tomorrow" not in page
    assert lead(page).startswith("The night published no verdict")


@pytest.mark.parametrize(
    ("name", "opening"),
    [
        ("undecided", "The night decided nothing: the reasons stand below, and data quality says"),
        ("budget_only", "The night decided the ad budget alone: no policy was judged."),
        ("open_bandit", "No policy changes tomorrow: no candidate passed the gate."),
        ("demo", "A new policy serves recommendations tomorrow."),
    ],
)
def test_the_lead_says_what_was_decided(name: str, opening: str) -> None:
    assert lead(printed(NIGHTS[name])).startswith(opening)


def test_ads_alone_are_judged_without_a_word_on_recommendations() -> None:
    demo = NIGHTS["demo"]
    ads_only = {
        name: frame.filter(domain="advertising") if "domain" in frame.columns else frame
        for name, frame in demo.tables.items()
        if name not in ("out_recommendations", "out_learning_curves")
    }
    curves = {
        "out_learning_curves": demo.tables["out_learning_curves"].with_columns(domain=pl.lit("advertising"))
    }
    none = finding("no_rows", "recommendation", as_of="2026-01-05")
    reason = say([none])

    page = report_html(ads_only | curves, demo.manifest | worded_manifest({"recommendation": none}, {}, []))

    assert lead(page) == "No policy changes tomorrow: no candidate passed the gate."
    assert undecided_cards(page) == {"Recommendations": reason}
    assert re.findall(r'<h3 id="(.*?)"', page) == ["evaluation-advertising"]
    assert 'class="notice"' not in page


CAUTIONS = {name: text for name, text in LANGUAGE.texts.items() if name.startswith("caution.")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo", {"LOGS", "CHANCE", "SEGMENTS", "SPEND", "SIMULATED"}),
        ("open_bandit", {"LOGS", "CHANCE", "SEGMENTS", "ROUNDS"}),
        ("budget_only", {"CHANCE", "SPEND"}),
        ("undecided", set()),
    ],
)
def test_cautions_speak_of_what_the_page_shows(name: str, expected: set[str]) -> None:
    page = unescape(printed(NIGHTS[name]))

    assert {
        caution.removeprefix("caution.").upper() for caution, text in CAUTIONS.items() if text in page
    } == expected
    assert ("What these numbers do not prove" in page) == bool(expected)


def test_without_verdicts_of_segments_nothing_is_said_of_harmed_ones() -> None:
    demo = NIGHTS["demo"]
    everyone = demo.tables["out_verdicts"].filter(segment_id="all")

    page = report_html(demo.tables | {"out_verdicts": everyone}, demo.manifest)

    assert LANGUAGE.text("caution.segments") not in unescape(page)
    assert LANGUAGE.text("caution.logs") in unescape(page)


@pytest.mark.parametrize("name", ["budget_only", "undecided"])
def test_a_night_without_evidence_names_no_unit_of_evidence(name: str) -> None:
    assert "Unit of evidence" not in printed(NIGHTS[name])
    assert "Unit of evidence" in printed(NIGHTS["demo"])


def test_domains_that_the_report_does_not_know_are_ignored() -> None:
    sample = NIGHTS["undecided"]
    more = {**of_manifest(sample), "assortment": finding("no_rows", "assortment", as_of="2026-02-01")}
    findings = {"undecided": {domain: as_plain(why) for domain, why in more.items()}}

    assert printed(sample, findings=findings) == printed(sample)


def of_manifest(sample: SampleNight) -> dict[str, Finding]:
    return {domain: of_plain(why) for domain, why in sample.manifest["findings"]["undecided"].items()}
