"""Counts and days in the sentences of the terminal: one of something in the singular, one day named once."""

from datetime import date


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "round"), counted(2_000, "round")
    ('1 round', '2,000 rounds')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def period(first: date, last: date) -> str:
    """Return the days of a period.

    >>> period(date(2026, 2, 9), date(2026, 2, 10)), period(date(2026, 2, 10), date(2026, 2, 10))
    ('2026-02-09 to 2026-02-10', '2026-02-10')
    """
    return f"{first}" if first == last else f"{first} to {last}"


def since(first: date, last: date) -> str:
    """Return which days logs are of.

    >>> since(date(2026, 2, 9), date(2026, 2, 10)), since(date(2026, 2, 10), date(2026, 2, 10))
    ('from 2026-02-09 to 2026-02-10', 'of 2026-02-10')
    """
    return f"of {first}" if first == last else f"from {first} to {last}"
