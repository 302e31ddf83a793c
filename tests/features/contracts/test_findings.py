"""Findings: codes of a vocabulary with typed numbers, and JSON that gives back what was found."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from features.contracts.finding_codes import CODES
from features.contracts.finding_units import COUNTS, TEXTS
from features.contracts.findings import Finding, codes_of, finding, from_json, to_json

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def findings(draw: st.DrawFn, depth: int = 1) -> Finding:
    code = draw(st.sampled_from(sorted(CODES)))
    kinds = {name: unit for name, unit in CODES[code].numbers.items() if unit in TEXTS or draw(st.booleans())}
    numbers: dict[str, int | float | str] = {
        name: draw(st.text() if unit in TEXTS else st.integers(0) if unit in COUNTS else NUMBERS)
        for name, unit in kinds.items()
    }
    has_causes = CODES[code].has_causes and depth > 0
    because = draw(st.lists(findings(depth - 1), max_size=2)) if has_causes else ()
    return Finding(code, draw(st.text()), numbers, tuple(because))


@given(st.lists(findings()))
def test_json_gives_back_what_was_found(found: list[Finding]) -> None:
    assert from_json(to_json(found)) == tuple(found)


@given(findings())
def test_a_record_of_the_night_folder_gives_it_back(found: Finding) -> None:
    kind = TypeAdapter(Finding)

    again = kind.validate_json(kind.dump_json(found))

    assert again == found
    assert hash(again) == hash(found)


def test_what_is_not_known_is_left_out() -> None:
    found = finding("segment_kept", "maml", harm_probability=nan, keep_above=inf)

    assert found.numbers == {}
    assert found.number("keep_above") != found.number("keep_above")


@pytest.mark.parametrize(
    ("code", "numbers", "fault"),
    [
        ("made_up", {}, "made_up is not a finding"),
        ("too_few_rounds", {"most": 5}, "too_few_rounds carries least, not most"),
        ("too_few_rounds", {"least": 5.5}, "needs least as a count, not 5.5"),
        ("merged_segment", {"n_rounds": 5, "least": 9}, "needs merged_into as a name, not None"),
        ("segment_kept", {"keep_above": "high"}, "needs keep_above as a share, not 'high'"),
    ],
)
def test_a_finding_outside_the_vocabulary_is_refused(
    code: str, numbers: dict[str, int | float | str], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        Finding(code, "x", numbers)


def test_only_refusals_have_causes() -> None:
    with pytest.raises(ValueError, match="own_task has no causes"):
        Finding("own_task", "x", because=(Finding("log_speaks", "arm"),))


def test_codes_come_once_in_the_order_of_findings() -> None:
    doubts = (finding("little_support", "a", supported_share=0.5, least=0.9), finding("little_support", "a"))
    refusals = [Finding("cannot_be_judged", subject, because=doubts) for subject in ("a", "b")]

    assert codes_of([*refusals, Finding("held", "a")]) == "cannot_be_judged little_support held"
