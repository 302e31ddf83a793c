"""Amounts of money as shops write them, in cents, by decimal arithmetic."""

# What one unit of the text is worth in cents. Ad platforms count millionths of the currency unit.
CENTS_PER = {"currency": "100", "cents": "1", "millionths": "0.0001"}

# 1.299 is a price of 1.30 in one country and of 1,299 in another. After a leading zero the point is not
# a thousands separator.
TWO_READINGS = r"[-+]?[1-9]\d{0,2}\.\d{3}"


def cents(said: str, unit: str) -> str:
    """Return the SQL for an amount in whole cents, as text; half a cent is rounded away from zero.

    said: SQL of the text that holds it, with a decimal point.
    unit: one of CENTS_PER; with `currency`, 35.79 is 3579 cents.
    For text that is not a number, the result has a word after it, so that no contract reads it as cents.
    """
    amount = f"round(TRY_CAST({said} AS DECIMAL(30, 12)) * {CENTS_PER[unit]})"
    return f"coalesce(CAST({amount} AS VARCHAR), {said} || ' {unit}')"


def unmistakable_cents(said: str, unit: str) -> str:
    """Return the SQL for an amount in whole cents, or for quarantine a reason where the text is ambiguous.

    A reason is cut after features.contracts.check.SHOWN_CHARACTERS, and this one is shorter with any amount.
    """
    reason = f'{said} || \', which may mean thousands: set decimal = "." or thousands = "."\''
    return f"CASE WHEN regexp_full_match({said}, '{TWO_READINGS}') THEN {reason} ELSE {cents(said, unit)} END"
