"""Marks that a mapping puts behind a value which it can't make a value of the contract.

The check of the column then names the fault by its code. The sign before the code is of no language, so a
marked value is never a number or a time, and a line that holds the sign by itself is at most refused by
another code.
"""

from features.contracts.sql_text import quoted

SIGN = "\ue000"

HOUR_SKIPPED, HOUR_TWICE = "hour_skipped", "hour_twice"
OTHER_NUMBER_FORM, TWO_READINGS = "other_number_form", "two_readings"
NOT_ABOVE_ZERO, NOT_AN_AMOUNT = "not_above_zero", "not_an_amount"
OTHER_INVOICE = "other_invoice"

OF_TIMES = (HOUR_SKIPPED, HOUR_TWICE)
OF_NUMBERS = (OTHER_NUMBER_FORM, TWO_READINGS, NOT_ABOVE_ZERO, NOT_AN_AMOUNT)
OF_FLAGS = (OTHER_INVOICE,)
"""The codes that a mapping may give, by the type of the column; of two marks the first one counts."""


def marked(said: str, code: str) -> str:
    """Return the SQL of a text with the mark of a code behind it.

    >>> marked("price", NOT_AN_AMOUNT)
    "price || '\\ue000not_an_amount'"
    """
    return f"{said} || {quoted(SIGN + code)}"


def has_mark(text: str, code: str) -> str:
    """Return the SQL condition that a text carries the mark of a code."""
    return f"contains({text}, {quoted(SIGN + code)})"


def unmarked(text: str) -> str:
    """Return the SQL of the text without its mark."""
    return f"split_part({text}, {quoted(SIGN)}, 1)"
