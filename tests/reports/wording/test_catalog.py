"""A catalog has a text for everything that code asks of it, and code asks for every text."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from markupsafe import Markup

from features.areas import AREAS
from features.contracts import columns
from features.contracts.outputs import OCCASIONAL, OUTPUTS
from flows.simulations.loop.run import WAYS
from offline_rl.ope.robust_values import RobustValue
from reports.summaries import loop_outcome, policy_answer
from reports.wording.catalog import OTHER, Catalog
from reports.wording.english import _ROOMS, ENGLISH
from tests.reports.wording.catalogs import CATALOGS

ROOT = Path(__file__).parents[3]
FOLDERS = ("reports", "flows/commands")


@cache
def source() -> str:
    """Return all code and templates that ask a catalog for texts."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    asking = [path for path in paths if path.suffix in (".py", ".j2") and "english" not in path.parts]
    return "\n".join(path.read_text(encoding="utf-8") for path in asking)


def is_printed(key: str) -> bool:
    """Return whether code writes the key, or the beginning of it that a word of a vocabulary completes."""
    room, _, name = key.rpartition(".")
    as_head = {f'"{name}{kind}"' for kind in ("", "#", "…")} if room == "head" else set()
    as_word = {f'"{room}"'} if room in VOCABULARIES else set()
    begun = {f'"{key[:end]}{{' for end in range(1, len(key))}
    return any(written in source() for written in {f'"{key}"', f'"{room}." ~', *as_head, *as_word, *begun})


def test_no_key_stands_in_two_rooms() -> None:
    assert sum(len(room.TEXTS) for room in _ROOMS) == len(ENGLISH.texts)


def test_every_text_is_printed_somewhere() -> None:
    forms = {f"{key}.one" for key in ENGLISH.plurals}

    assert [key for key in ENGLISH.texts if key not in forms and not is_printed(key)] == []


def test_every_key_that_code_writes_has_a_text() -> None:
    asked = set(
        re.findall(
            r"""(?:(?<=catalog\.)|(?<=LANGUAGE\.)|(?<![.\w]))(?:text|markup)\(\s*"([a-z0-9_. ]+)"\s*[,)]""",
            source(),
        )
    )

    assert len(asked) > 150
    assert asked - ENGLISH.texts.keys() == set()


VOCABULARIES = {
    "verdict": ("promote", "test", "hold", "reject"),
    "segment_verdict": ("served", "kept", "protected"),
    "harmed.segment": ("served", "kept", "protected"),
    "decided": ("promote", "test", "hold", "reject"),
    "task_status": columns.task_status.categories,
    "fact.segments": columns.task_status.categories,
    "split": columns.split.categories,
    "fallback": columns.fallback_level.categories,
    "budget_status": columns.budget_status.categories,
    "budget_method": columns.backtest_method.categories,
    "policy.finding": get_args(policy_answer.Finding),
    "goal.asked": get_args(loop_outcome.GoalName),
    "goal.found": get_args(loop_outcome.GoalName),
    "goal.judgement": get_args(loop_outcome.Judgement),
    "goal.why": get_args(loop_outcome.WhyNot),
    "coverage.method": get_args(loop_outcome.CoverageMethod),
    "way": (*WAYS, "first", "oracle"),
    "robust.method": get_args(RobustValue.__annotations__["kind"]),
    "robust.about": get_args(RobustValue.__annotations__["kind"]),
    "area": tuple(area.name for area in AREAS),
    "area_inside": tuple(area.name for area in AREAS),
    "absent_why": tuple(name for name in OUTPUTS if name not in OCCASIONAL),
}


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_word_of_a_vocabulary_has_a_text(vocabulary: str) -> None:
    words = VOCABULARIES[vocabulary]

    assert words
    assert [word for word in words if not ENGLISH.texts.get(f"{vocabulary}.{word}")] == []


def test_verdicts_are_those_of_the_contract() -> None:
    assert set(columns.verdict.categories) == {*VOCABULARIES["verdict"], *VOCABULARIES["segment_verdict"]}
    assert set(columns.split_by.categories) == {"time", "user", "round"}
    assert "judged.split_by_user" in ENGLISH.texts and "judged.split_by_round" in ENGLISH.texts


each_language = pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)


@each_language
def test_a_language_has_every_text_and_no_other(catalog: Catalog) -> None:
    assert without_forms(catalog) == without_forms(ENGLISH)
    assert all(catalog.texts.values())


@each_language
def test_every_form_of_a_counted_text_is_there(catalog: Catalog) -> None:
    forms = {catalog.form(count) for count in range(200)} - {OTHER}

    for key in catalog.plurals:
        texts = catalog.texts if key in catalog.texts else catalog.sentences
        assert {f"{key}.{form}" for form in forms} <= texts.keys(), key


@each_language
def test_placeholders_are_those_of_english_and_arrive_written(catalog: Catalog) -> None:
    for key, text in catalog.texts.items():
        whole = key if key in without_forms(catalog) else key.rpartition(".")[0]
        offered = placeholders(ENGLISH.texts[whole]) | {ENGLISH.plurals.get(whole, "")}

        assert placeholders(text) <= offered, key
        assert all(not spec and not sign for _, _, spec, sign in Formatter().parse(text)), key


def without_forms(catalog: Catalog) -> set[str]:
    """Return the keys of texts, without those of plural forms beside `other`."""
    counted = tuple(f"{key}." for key in catalog.plurals if key in catalog.texts)
    forms = {catalog.form(count) for count in range(200)}
    return {key for key in catalog.texts if not (key.startswith(counted) and key.rpartition(".")[2] in forms)}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 budget line"), (0, "0 budget lines"), (1200, "1,200 budget lines")]
)
def test_the_count_decides_the_form(n: int, said: str) -> None:
    assert ENGLISH.text("budget.n_lines", n_lines=n) == said


def test_a_language_without_plural_forms_needs_no_second_text() -> None:
    chinese = replace(
        ENGLISH, texts={"budget.n_lines": "{n_lines}条预算"}, form=lambda count: OTHER, plurals={}
    )

    assert [chinese.text("budget.n_lines", n_lines=n) for n in (1, 2)] == ["1条预算", "2条预算"]


def test_a_text_in_a_page_escapes_what_it_is_given_and_keeps_markup() -> None:
    link = Markup('<a href="x.csv">x.csv</a>')

    assert "All rows are in <a " in ENGLISH.markup("table.left_out", n_rows=3, file=link)
    assert "&lt;b&gt;" in ENGLISH.markup("page.title", shop="<b>", date="2026-01-05")


def test_names_that_belong_together_end_in_a_word() -> None:
    assert ENGLISH.together(["a"]) == "a"
    assert ENGLISH.together(["a", "b", "c"]) == "a, b and c"
