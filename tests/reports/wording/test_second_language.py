"""A second language is one more catalog: with a made-up one, no page keeps an English word or number.

Every text of a page is read: what stands between tags, in the labels for screen readers, and in charts.
Outside of the made-up language's marks only its own digits, signs, and names from the data may stand.
"""

import re
from collections.abc import Iterator, Mapping, Set
from functools import cache

import pytest

from features.areas import BUDGET, RECOMMENDATION, Area
from features.contracts import finding_codes
from features.contracts.finding_units import Unit
from features.contracts.findings import Finding, from_json
from features.contracts.outputs import OUTPUTS
from flows.commands.ope.printed_answer import printed
from flows.commands.plan.printed_plan import printed as printed_plan
from reports.pages import report_html
from reports.pages.area_part import part_of
from reports.pages.loop import loop_html
from reports.pages.policy_value import policy_value_html
from reports.summaries.loop_outcome import LoopOutcome
from reports.summaries.night import night
from reports.summaries.policy_answer import PolicyAnswer
from tests.flows.commands.plan.sample_plans import PLANS
from tests.reports.page_reader import read
from tests.reports.pages.test_policy_value_page import AUDITED, ESTIMATED, HEAVY, REFUSED, REMARKED, TRUSTED
from tests.reports.pages.test_segment_shares import night_of_segments
from tests.reports.sample_estimates import estimated_night
from tests.reports.sample_loops import LOOPS, NULLS
from tests.reports.sample_nights import (
    SampleNight,
    budget_only_night,
    demo_night,
    open_bandit_night,
    tiny_night,
    undecided_night,
    unproven_night,
)
from tests.reports.wording.made_up import DIGITS, MADE_UP

NIGHTS = {
    "demo": demo_night(),
    "open_bandit": open_bandit_night(),
    "tiny": tiny_night(),
    "late": SampleNight(tiny_night().tables, tiny_night().manifest | {"data_to": "2026-01-02"}),
    "segments": night_of_segments(),
    "budget_only": budget_only_night(),
    "undecided": undecided_night(),
    "unproven": unproven_night(),
    "estimated": estimated_night(),
    "nothing": SampleNight({}, {}),
}
ANSWERS = {
    "trusted": TRUSTED,
    "refused": REFUSED,
    "audited": AUDITED,
    "estimated": ESTIMATED,
    "heavy": HEAVY,
    "remarked": REMARKED,
}

NAMES = (
    "segment_id",
    "policy",
    "candidate",
    "champion",
    "baseline",
    "learner",
    "estimator",
    "logged_by",
    "policy_version",
    "ranker",
    "surface",
    "item_id",
    "item_name",
    "campaign_id",
    "channel",
    "creative_id",
    "source_name",
    "run_id",
    "scenario",
)
"""Columns whose values are names: whoever named them says how."""

NAMED_BY_MANIFEST = ("run_id", "shop", "source", "reward", "currency", "config_hash", "seed", "device")
"""Its dates and counts are the language's to write."""

CODES = ("rule", "reason_code", "fallback_level", "example")
"""Columns whose cells print what the tables have, for whoever looks it up there: codes, and bad lines."""

NOT_YET = {
    "reason_text": "sentences of budget lines and of recommendations come with the tables, said by the night",
}
"""Columns that bring English sentences to a page → why they still do."""


SIGNS = frozenset(f"{DIGITS}{MADE_UP.numbers.thousands}{MADE_UP.numbers.decimal}+−–% ·✓✕○■↔=▼!?")
"""What may stand outside: numbers as the language writes them, and symbols, which are not words."""


def flat(tree: Mapping[str, object]) -> Iterator[str]:
    """Yield the names of settings, dotted, and their values."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from (f"{key}.{name}" if name in value else name for name in flat(value))
            yield from (f"{key}.{name}" for name in value)
        else:
            yield from (key, str(value))


def names_of(sample: SampleNight) -> set[str]:
    """Return what the data name, and the names of tables and settings."""
    manifest = sample.manifest
    found = {str(manifest[key]) for key in NAMED_BY_MANIFEST if manifest.get(key) is not None}
    found |= {text for name in ("config", "versions") for text in flat(manifest.get(name, {}))}
    found |= {*OUTPUTS, *(f"{name}.csv" for name in OUTPUTS)}
    return found | of_columns(sample, NAMES) | set(of_findings(sample))


def of_findings(sample: SampleNight) -> Iterator[str]:
    """Yield the subjects of findings, such as columns of a log, and the texts among their numbers."""
    for text in of_columns(sample, ("findings", "interval_findings")):
        for found in from_json(text):
            yield from named_by(found)


def named_by(found: Finding) -> Iterator[str]:
    """Yield the subject of a finding and of its causes, and the names among their numbers."""
    for each in (found, *found.because):
        yield each.subject
        for name, number in each.numbers.items():
            if isinstance(number, str) and finding_codes.CODES[each.code].numbers[name] is not Unit.WORD:
                yield from (number, *number.split(", "))


def of_columns(sample: SampleNight, columns: tuple[str, ...]) -> set[str]:
    return {
        str(value)
        for frame in sample.tables.values()
        for column in columns
        if column in frame.columns
        for value in frame[column].unique().drop_nulls()
    }


def outside(text: str, names: set[str]) -> str:
    """Return what stands outside of the marks and is not a name, a sign, or a digit of the language."""
    rest = re.sub("⟦[^⟦⟧]*⟧", " ", text)
    for name in sorted(filter(None, names), key=len, reverse=True):
        rest = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", rest)
    return "".join(letter if letter not in SIGNS else " " for letter in rest).strip()


def leaks(page: str, names: set[str], codes: Set[str] = frozenset()) -> list[str]:
    found = read(page)
    assert found.mistakes == []
    of_texts = [outside(text, names) for text in found.texts if text.strip() not in codes]
    # Axes are numbered by the chart's own digits.
    of_charts = [re.sub(r"\d+", "", outside(text, names)) for text in found.of_charts]
    return sorted({leak for leak in (*of_texts, *of_charts) if leak.strip()})


@cache
def page_of(name: str) -> str:
    return report_html(NIGHTS[name].tables, NIGHTS[name].manifest, catalog=MADE_UP)


@pytest.mark.parametrize("name", NIGHTS)
def test_a_report_has_no_word_and_no_number_that_is_not_of_the_language(name: str) -> None:
    sample = NIGHTS[name]

    names = names_of(sample) | of_columns(sample, tuple(NOT_YET))

    assert leaks(page_of(name), names, of_columns(sample, CODES)) == []
    assert '<html lang="x-made-up">' in page_of(name)


@pytest.mark.parametrize(
    ("name", "area"),
    [("demo", BUDGET), ("tiny", BUDGET), ("budget_only", BUDGET), ("unproven", RECOMMENDATION)],
    ids=lambda given: given if isinstance(given, str) else given.name,
)
def test_the_terminal_says_what_areas_decide_in_the_language(name: str, area: Area) -> None:
    sample = NIGHTS[name]
    lines = part_of(area).lines(night(sample.tables, sample.manifest), MADE_UP)

    assert lines
    assert [outside(line, names_of(sample)) for line in lines] == [""] * len(lines)


@pytest.mark.parametrize("column", NOT_YET)
def test_a_column_is_excused_only_while_it_brings_words(column: str) -> None:
    """Ask that a column leaves the list once its sentences are findings."""
    others = tuple(other for other in NOT_YET if other != column)

    assert any(
        leaks(page_of(name), names_of(sample) | of_columns(sample, others), of_columns(sample, CODES))
        for name, sample in NIGHTS.items()
    )


def names_of_answer(answer: PolicyAnswer) -> set[str]:
    found = [found for e in (answer.logged, *answer.estimates) for found in e.interval_findings]
    named = {name for each in found for name in named_by(each)} - {found[0].subject}
    return named | {answer.source, answer.cluster, str(answer.seed), *(e.estimator for e in answer.estimates)}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_page_of_a_policy_has_no_word_that_is_not_of_the_language(name: str) -> None:
    answer = ANSWERS[name]

    page = policy_value_html(answer, catalog=MADE_UP)

    assert leaks(page, names_of_answer(answer)) == []


@pytest.mark.parametrize("outcome", [LOOPS, NULLS], ids=["many", "null"])
def test_the_page_of_loops_has_no_word_that_is_not_of_the_language(outcome: LoopOutcome) -> None:
    names = {goal.world for goal in outcome.goals} | {world.world for world in outcome.worlds}
    codes = {gate.code for world in outcome.worlds for gate in world.closed}

    assert leaks(loop_html(outcome, catalog=MADE_UP), names, codes) == []


@pytest.mark.parametrize("name", ANSWERS)
def test_the_terminal_says_a_policy_in_the_language(name: str) -> None:
    answer = ANSWERS[name]

    lines = printed(answer, catalog=MADE_UP).splitlines()

    assert len(lines) > 15
    assert [found for line in lines if (found := outside(line, names_of_answer(answer)))] == []


@pytest.mark.parametrize("name", PLANS)
def test_the_terminal_says_a_plan_in_the_language(name: str) -> None:
    names = {"shop", "*", PLANS[name].question.money or "shop"}

    lines = printed_plan(PLANS[name], catalog=MADE_UP).splitlines()

    assert lines
    assert [found for line in lines if (found := outside(line, names))] == []


def test_the_check_sees_a_word_and_a_number_that_code_wrote() -> None:
    assert outside("⟦Judged on ⟧٤٠٠⟦ rounds⟧", set()) == ""
    assert outside("⟦Judged on ⟧400 rounds", set()) == "400 rounds"
    assert outside("⟦Served by ⟧maml, kept", {"maml"}) == ", kept"
    assert outside("⟦half a mark", set()) == "⟦half a mark"
