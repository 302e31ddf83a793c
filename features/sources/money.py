"""Amounts of money as shops write them, in cents, by decimal arithmetic."""

from features.contracts.refusal_marks import NOT_AN_AMOUNT, TWO_READINGS, marked

# What one unit of the text is worth in cents. Ad platforms count millionths of the currency unit.
CENTS_PER = {"currency": "100", "cents": "1", "millionths": "0.0001"}

# 1.299 is a price of 1.30 in one country and of 1,299 in another. After a leading zero the point is not
# a thousands separator.
AMBIGUOUS = r"[-+]?[1-9]\d{0,2}\.\d{3}"


def cents(said: str, unit: str) -> str:
    """Return the SQL for an amount in whole cents, as text; half a cent is rounded away from zero.

    said: SQL of the text that holds it, with a decimal point.
    unit: one of CENTS_PER; with `currency`, 35.79 is 3579 cents.
    Text that is not a number gets a mark, by which the contract refuses it.
    """
    amount = f"round(TRY_CAST({said} AS DECIMAL(30, 12)) * {CENTS_PER[unit]})"
    return f"coalesce(CAST({amount} AS VARCHAR), {marked(said, NOT_AN_AMOUNT)})"


def unmistakable_cents(said: str, unit: str) -> str:
    """Return the SQL for an amount in whole cents; ambiguous text gets a mark for the contract."""
    return (
        f"CASE WHEN regexp_full_match({said}, '{AMBIGUOUS}') THEN {marked(said, TWO_READINGS)} "
        f"ELSE {cents(said, unit)} END"
    )
