import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.finding_codes import CODES, Unit
from features.contracts.findings import Finding, finding
from reports.pages.cells import shown_users
from reports.summaries.suppression import SMALLEST_GROUP, is_hidden
from reports.wording.language import LANGUAGE
from reports.wording.sentences import say


@given(st.lists(st.integers(0, 200)))
def test_no_small_count_is_printed(n_users: list[int]) -> None:
    printed = shown_users(n_users, LANGUAGE)

    assert not any(words == str(n) for words, n in zip(printed, n_users, strict=True) if n < SMALLEST_GROUP)


@given(st.lists(st.integers(0, 200), min_size=2))
def test_a_printed_total_gives_no_single_count_away(n_users: list[int]) -> None:
    assert sum(is_hidden(n_users)) != 1


@given(st.lists(st.integers(SMALLEST_GROUP, 10_000)))
def test_large_groups_are_all_printed(n_users: list[int]) -> None:
    assert not any(is_hidden(n_users))


def test_a_count_that_protects_another_says_so() -> None:
    assert shown_users([500, 7, 31], LANGUAGE) == ["500", "< 20", "hidden"]


COUNTED = [code for code, meaning in CODES.items() if Unit.CLUSTERS in meaning.numbers.values()]


@pytest.mark.parametrize("code", COUNTED)
@pytest.mark.parametrize("n", [0, 1, SMALLEST_GROUP - 1, SMALLEST_GROUP, 4321])
def test_a_count_of_users_is_printed_where_it_is_large_enough_and_nowhere_else(code: str, n: int) -> None:
    found = doubt(code, n, "users")

    printed = re.findall(r"(?<!than )\b([\d,]+) users", say([found], smallest=SMALLEST_GROUP))

    assert printed == ([f"{n:,}"] if n >= SMALLEST_GROUP else [])
    assert f"{n:,} users" in say([found])


@pytest.mark.parametrize("code", COUNTED)
def test_what_is_not_people_is_not_hidden(code: str) -> None:
    assert "3 rounds" in say([doubt(code, 3, "rounds")], smallest=SMALLEST_GROUP)


def test_a_limit_that_a_hidden_count_repeats_is_left_out() -> None:
    found = [doubt("few_clusters", 4, "users"), doubt("few_informative_clusters", 1, "users", least=20)]
    refusal = Finding("cannot_be_judged", "x", because=tuple(found))

    assert say([refusal], smallest=SMALLEST_GROUP) == (
        "x can't be judged: fewer than 20 users, where 100 are needed; fewer than 20 users have a reward "
        "that matters and is not the usual one."
    )


def doubt(code: str, n: int, clusters: str, least: int = 100) -> Finding:
    known: dict[str, int | float | str] = {"n_clusters": n, "least": least, "clusters": clusters}
    known |= {"of": "weighted rewards", "effective": 2.5, "units": "sessions"}
    return finding(code, "x", **{name: known[name] for name in CODES[code].numbers})
