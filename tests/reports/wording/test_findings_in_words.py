"""Every language says every finding, by the finding's own numbers, and English as it always did."""

from dataclasses import replace
from string import Formatter

import pytest

from features.contracts.estimation_codes import ESTIMATED, ESTIMATES
from features.contracts.evaluation_codes import CHANCES
from features.contracts.finding_codes import CODES, COMPARISONS, DOUBTS, REFUSALS, UNDECIDED
from features.contracts.finding_units import COUNTS, TEXTS, Unit
from features.contracts.findings import Finding, finding
from features.contracts.interval_codes import INTERVALS, WIDENINGS
from features.contracts.quality_codes import QUALITY, REJECTIONS
from features.contracts.value_shape import SHAPE
from reports.wording.catalog import OTHER, Catalog
from reports.wording.english import ENGLISH
from reports.wording.sentences import say, say_rule, sentences
from tests.reports.wording.catalogs import CATALOGS

CLAUSES = {**DOUBTS, **CHANCES, **INTERVALS}
"""Codes that stand behind others, or beside a number."""

OFFERED = {
    **dict.fromkeys(COMPARISONS, ("digits", "resolution_digits", "unit", "others")),
    **{code: ("causes",) for code, meaning in CODES.items() if meaning.has_causes},
    **{code: ("value",) for code, meaning in CODES.items() if SHAPE.keys() <= meaning.numbers.keys()},
    "outside_bounds": ("bounds", "value"),
    **dict.fromkeys((*DOUBTS, *WIDENINGS), ("below",)),
    **dict.fromkeys((*UNDECIDED, *ESTIMATED, *ESTIMATES), ("rows", "unknown_without")),
}
"""Code → names that a template knows beside `subject` and the code's own numbers."""


def example(code: str, count: int = 3) -> Finding:
    def number(unit: Unit) -> int | float | str:
        if unit in TEXTS:
            return "2026-01-05T10:00Z" if unit is Unit.TIME else "2026-01-05" if unit is Unit.DATE else "x"
        return count if unit in COUNTS else 0.5

    numbers = {name: number(unit) for name, unit in CODES[code].numbers.items()}
    return Finding(code, "recommendation", numbers)


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
def test_a_language_is_complete(catalog: Catalog) -> None:
    assert set(CLAUSES) == {key for key in catalog.clauses if "." not in key}
    assert set(CODES) - set(CLAUSES) == {key for key in catalog.sentences if "." not in key}
    assert {*COMPARISONS, *REFUSALS} == {key for key in catalog.short if "." not in key}
    assert all(f"{code}.named" in catalog.short for code in (*COMPARISONS, *REFUSALS))
    counted = [code for code in CLAUSES if Unit.CLUSTERS in CODES[code].numbers.values()]
    assert all(f"{code}.hidden" in catalog.clauses for code in counted)
    assert {*QUALITY, *REJECTIONS} - {"first_rejected_line", "no_partner"} == set(catalog.rules)
    assert set(CODES["outside_bounds"].numbers) == {*SHAPE, *catalog.bounds}


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
def test_templates_name_numbers_of_their_finding_and_nothing_else(catalog: Catalog) -> None:
    texts = [*catalog.sentences.items(), *catalog.clauses.items(), *catalog.short.items()]
    bounds = [("outside_bounds", text) for text in catalog.bounds.values()]
    for key, text in [*texts, *catalog.rules.items(), *bounds]:
        code = key.partition(".")[0]
        named = {part[1] for part in Formatter().parse(text) if part[1] is not None}
        assert named <= {"subject", *CODES[code].numbers, *OFFERED.get(code, ())}, key


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("count", [1, 3])
def test_every_finding_has_a_sentence(catalog: Catalog, code: str, count: int) -> None:
    [said] = sentences([example(code, count)], catalog=catalog)

    assert said
    assert "nan" not in said


OF_LINES = {*SHAPE, "years", "digits", "other_digits", "logged", "published"}
"""Numbers that each broken line has of its own."""


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
@pytest.mark.parametrize("code", sorted({*QUALITY, *REJECTIONS} - {"first_rejected_line", "no_partner"}))
def test_a_rule_is_the_same_for_every_line(catalog: Catalog, code: str) -> None:
    found = example(code)
    shared = {name: number for name, number in found.numbers.items() if name not in OF_LINES}

    assert say_rule(found, catalog=catalog) == say_rule(Finding(code, found.subject, shared), catalog=catalog)
    assert "nan" not in say_rule(found, catalog=catalog)


@pytest.mark.parametrize("code", REJECTIONS)
def test_no_rejection_carries_a_text_of_a_line(code: str) -> None:
    texts = {name: unit for name, unit in CODES[code].numbers.items() if unit in TEXTS}

    # words of the contract, the configuration and the database, days of the shop, and the kind of a value
    assert texts.keys() <= {
        *("words", "form", "other", "key", "error", "rule", "said", "kind"),
        *("first_day", "received_at", "first_open", "last_night", "night"),
    }


@pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)
@pytest.mark.parametrize(
    "code", [code for code, meaning in CODES.items() if SHAPE.keys() <= meaning.numbers.keys()]
)
def test_a_shape_that_is_not_known_is_not_printed(catalog: Catalog, code: str) -> None:
    found = example(code)
    hidden = Finding(code, found.subject, {k: v for k, v in found.numbers.items() if k not in SHAPE})

    assert "(not shown)" in say([hidden], catalog=catalog) and "nan" not in say([hidden], catalog=catalog)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"kind": "text", "characters": 18, "at_signs": 0}, "slot is a text of 18 characters"),
        ({"kind": "text", "characters": 1200, "at_signs": 0}, "slot is a text of 1,200 characters"),
        ({"kind": "text", "characters": 18, "at_signs": 1}, "slot is a text of 18 characters with an @"),
        ({"kind": "number", "characters": 1, "at_signs": 0}, "slot is a number of 1 character"),
    ],
)
def test_a_shape_is_said_in_words(shape: dict[str, int | str], said: str) -> None:
    assert say([Finding("not_a_whole_number", "slot", shape)]) == f"{said}; it must be a whole number"


def test_an_area_without_rows_is_named_with_the_day() -> None:
    assert say([finding("no_rows", "budget", as_of="2026-01-05")]) == (
        "The logs hold no daily ad spend up to 2026-01-05: it is unknown what was spent on ads, so that no "
        "budget can be divided."
    )


@pytest.mark.parametrize(("uses", "times"), [(1, "once"), (2, "2 times")])
def test_earlier_uses_are_counted_in_words(uses: int, times: str) -> None:
    said = say([finding("holdout_used_before", "advertising", n_earlier_uses=uses)])

    assert said.startswith(f"advertising: this holdout was used {times} before, by runs with other settings")


def test_probabilities_that_are_not_known_are_not_printed() -> None:
    kept = finding("segment_kept", "maml", keep_above=0.5)

    assert say([kept]) == (
        "No round shows what would be earned here, so harm counts as more likely than the 50% that "
        "segments.keep_above allows."
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "is 0%,"),
        (0.00075, "is below 1%,"),
        (0.0049, "is below 1%,"),
        (0.0051, "is 1%,"),
        (0.3, "is 30%,"),
    ],
)
def test_a_little_is_not_said_to_be_nothing(share: float, said: str) -> None:
    assert said in say([finding("segment_served", "maml", harm_probability=share, keep_above=0.5)])


def test_a_small_limit_has_the_digits_that_it_needs() -> None:
    said = say([finding("segment_kept", "maml", harm_probability=0.3, keep_above=0.002)])
    assert "above the 0.2% that segments.keep_above allows" in said


def test_a_clause_that_asks_has_one_mark_at_its_end() -> None:
    assert ENGLISH.alone("is it another time zone?") == "Is it another time zone?"
    assert ENGLISH.alone("it is another time zone") == "It is another time zone."


def test_another_language_has_its_own_order_signs_and_stops() -> None:
    backward = replace(
        ENGLISH,
        sentences={"cannot_be_judged": "{causes}。{subject}"},
        clauses={"few_clusters": "{least}以上{clusters}:{n_clusters}"},
        short={},
        rules={},
        bounds={},
        words={"users": "用户"},
        subjects={"arm": "组"},
        plurals={},
        form=lambda count: OTHER,
        between_names="、",
        between_bounds="、",
        between_causes=";",
        between_sentences="",
        alone=lambda clause: f"{clause}。",
    )
    few = finding("few_clusters", "arm", n_clusters=4000, least=5000, clusters="users")
    refusal = Finding("cannot_be_judged", "arm", because=(few, few))

    assert say([refusal], catalog=backward) == "5000以上用户:4000;5000以上用户:4000。组"
    assert say([few], catalog=backward) == "5000以上用户:4000。"


def test_a_loss_within_the_rounding_of_probabilities_is_printed_as_none() -> None:
    numbers = {"difference": -4e-7, "lower": -9e-7, "upper": 0.0021, "confidence": 0.95}

    assert say([finding("no_gain_shown", "a", other="b", resolution=1e-6, **numbers)]) == (
        "a against b: no gain is shown, +0.0000 per round (95% interval +0.0000 to +0.0021)."
    )
