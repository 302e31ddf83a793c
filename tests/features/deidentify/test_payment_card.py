from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.deidentify.payment_card import MASK, is_card_number, mask_cards, mask_cards_sql

# A long expression takes DuckDB some milliseconds to plan.
FEW = settings(max_examples=25, deadline=None)

# Numbers that the card networks publish for tests.
PUBLISHED = (
    "4111111111111111",
    "5500000000000004",
    "340000000000009",
    "30000000000004",
    "6011000000000004",
    "2223000048400011",
    "6304000000000000",
)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    start = draw(st.integers(2, 9).map(str))
    body = start + draw(st.text("0123456789", min_size=11, max_size=17))
    return next(body + check for check in "0123456789" if is_card_number(body + check))


def grouped(digits: str, separator: str) -> str:
    return separator.join(digits[place : place + 4] for place in range(0, len(digits), 4))


@pytest.mark.parametrize("digits", PUBLISHED)
def test_published_numbers_are_cards_and_their_neighbors_are_not(digits: str) -> None:
    assert is_card_number(digits)
    assert not is_card_number(digits[:-1] + str((int(digits[-1]) + 1) % 10))


@given(digits=card_numbers(), place=st.integers(0, 11))
def test_one_wrong_digit_is_always_noticed(digits: str, place: int) -> None:
    wrong = digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :]

    assert not is_card_number(wrong)


@FEW
@given(
    digits=card_numbers(),
    separator=st.sampled_from(["", " ", "-", "  ", " - ", "\u00a0"]),
    before=st.sampled_from(["", "paid with ", "card:", "1234 ", "of 2026-01-05 ", '{"card": "', "x"]),
    after=st.sampled_from(["", ", thanks", " 12/28", " 123", '"}', "."]),
)
def test_no_card_survives_whatever_stands_beside_it(
    in_sql: Callable[..., Any], digits: str, separator: str, before: str, after: str
) -> None:
    text = before + grouped(digits, separator) + after

    masked = mask_cards(text)

    assert MASK in masked
    assert digits[:12] not in "".join(character for character in masked if character.isdigit())
    assert in_sql(mask_cards_sql("x"), text) == masked


@FEW
@given(text=st.text("0123456789 -.ab", max_size=60))
def test_sql_equals_python(in_sql: Callable[..., Any], text: str) -> None:
    assert in_sql(mask_cards_sql("x"), text) == mask_cards(text)


@pytest.mark.parametrize(
    "text",
    [
        "0.4111111111111111",
        "1767225600000",
        "2026-01-05 2026-01-06 2026-01-07",
        "4111111111111112",
        "41111111111111110000",
        "10.99 12.99 14.99 20.00",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_cards(text) == text
