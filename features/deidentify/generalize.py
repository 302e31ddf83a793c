"""Personal values made coarser, until many people share each: times and postal codes.

Each idea is one function for Python and one that returns the equal DuckDB expression; null stays null.
"""

import re
from datetime import UTC, datetime
from typing import Literal

from features.errors import UsageError


def round_down(time: datetime, to: Literal["hour", "day"]) -> datetime:
    """Return the beginning of the hour or day in UTC that a time lies in.

    >>> round_down(datetime(2026, 1, 5, 10, 59, tzinfo=UTC), "hour").isoformat()
    '2026-01-05T10:00:00+00:00'
    """
    hour = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if to == "hour" else hour.replace(hour=0)


def round_down_sql(time: str, to: Literal["hour", "day"]) -> str:
    """Return the expression that equals `round_down` of a TIMESTAMPTZ, whatever zone the session is in."""
    return f"timezone('UTC', date_trunc('{to}', timezone('UTC', {time})))"


def postal_prefix(code: str | None, keep: int = 2) -> str | None:
    """Keep the first characters of a postal code, and never all of them; blanks and signs don't count.

    A code of one character keeps nothing. Raises UsageError when keep is below 1.

    >>> postal_prefix("10115"), postal_prefix("sw1a 1aa", 4), postal_prefix("10")
    ('10', 'SW1A', '1')
    """
    _refuse_nothing_kept(keep)
    if code is None:
        return None
    plain = re.sub("[^0-9A-Za-z]", "", code).upper()
    return plain[: min(keep, len(plain) - 1)] if len(plain) > 1 else None


def postal_prefix_sql(code: str, keep: int = 2) -> str:
    """Return the expression that equals `postal_prefix` of a text."""
    _refuse_nothing_kept(keep)
    plain = f"upper(regexp_replace({code}, '[^0-9A-Za-z]', '', 'g'))"
    return f"nullif(left({plain}, greatest(least({keep}, length({plain}) - 1), 0)), '')"


def _refuse_nothing_kept(keep: int) -> None:
    if keep < 1:
        raise UsageError(f"keep must be at least 1; it is {keep}.")
