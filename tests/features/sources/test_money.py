from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts.refusal_marks import NOT_AN_AMOUNT, SIGN
from features.sources.money import cents

DATABASE = duckdb.connect()


def ask(text: str | None, unit: str) -> object:
    sql = f"SELECT {cents('said', unit)} FROM (SELECT CAST(? AS VARCHAR) AS said)"
    [(said,)] = DATABASE.execute(sql, [text]).fetchall()
    return said


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        ("35.79", "currency", "3579"),
        ("1.115", "currency", "112"),
        ("-3.5", "currency", "-350"),
        ("1e-3", "currency", "0"),
        ("7", "cents", "7"),
        ("1250000", "millionths", "125"),
        (None, "currency", None),
    ],
)
def test_amounts_become_cents(text: str | None, unit: str, said: str | None) -> None:
    assert ask(text, unit) == said


@pytest.mark.parametrize("text", ["1,50", "free", "nan", "inf", "0x10", "99999999999999999999"])
def test_what_is_not_an_amount_is_never_taken_for_cents(text: str) -> None:
    assert ask(text, "currency") == f"{text}{SIGN}{NOT_AN_AMOUNT}"


@settings(max_examples=100, deadline=None)
@given(st.decimals(-(10**9), 10**9, places=4))
def test_cents_are_those_of_decimal_arithmetic(amount: Decimal) -> None:
    """As floating point, 1.005 times 100 is below 100.5."""
    expected = (amount * 100).quantize(Decimal(1), ROUND_HALF_UP)

    assert Decimal(str(ask(str(amount), "currency"))) == expected
