"""English: every sentence of the reports. Another language is another such package."""

from features.areas import AREAS
from features.errors import closed
from reports.wording.catalog import OTHER, Catalog
from reports.wording.english import (
    budget,
    budget_findings,
    charts,
    decisions,
    estimation_findings,
    evaluation,
    evaluation_findings,
    findings,
    loop,
    pages,
    plan,
    policy_terminal,
    policy_value,
    quality_findings,
    tables,
)
from reports.wording.english.glossary import GLOSSARY
from reports.wording.english.number_formats import NUMBERS
from reports.wording.english.plurals import PLURALS

_ROOMS = (
    pages,
    evaluation,
    decisions,
    budget,
    policy_value,
    policy_terminal,
    plan,
    loop,
    tables,
    charts,
    quality_findings,
)


def _alone(clause: str) -> str:
    # Some clauses end in a question, which needs no other mark.
    return closed(f"{clause[0].upper()}{clause[1:]}")


def _form(count: int) -> str:
    return "one" if count == 1 else OTHER


ENGLISH = Catalog(
    tag="en",
    numbers=NUMBERS,
    texts={key: text for room in _ROOMS for key, text in room.TEXTS.items()},
    glossary=GLOSSARY,
    sentences=findings.SENTENCES,
    clauses=findings.CLAUSES,
    short=findings.SHORT,
    rules=quality_findings.RULES,
    bounds=quality_findings.BOUNDS,
    words=findings.WORDS,
    subjects=findings.SUBJECTS,
    areas={area.name: {"rows": area.rows, "unknown_without": area.unknown_without} for area in AREAS},
    plurals={
        **PLURALS,
        **budget_findings.PLURALS,
        **quality_findings.PLURALS,
        **evaluation_findings.PLURALS,
        **estimation_findings.PLURALS,
    },
    form=_form,
    between_names=", ",
    last_name=" and ",
    between_bounds=" and ",
    between_causes="; ",
    between_sentences=" ",
    alone=_alone,
)
