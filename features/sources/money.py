"""Amounts of money as shops write them, in cents, by decimal arithmetic."""

# What one unit of the text is worth in cents. Ad platforms count millionths of the currency unit.
CENTS_PER = {"currency": "100", "cents": "1", "millionths": "0.0001"}


def cents(said: str, unit: str) -> str:
    """Return the SQL for an amount in whole cents, as text; half a cent is rounded away from zero.

    said: SQL of the text that holds it, with a decimal point.
    unit: one of CENTS_PER; with `currency`, 35.79 is 3579 cents.
    Text that is no number comes out with a word behind it, so that no contract takes it for cents.
    """
    amount = f"round(TRY_CAST({said} AS DECIMAL(30, 12)) * {CENTS_PER[unit]})"
    return f"coalesce(CAST({amount} AS VARCHAR), {said} || ' {unit}')"
