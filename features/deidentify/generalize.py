"""Personal values made coarser, until many people share each: times, numbers, postal codes, rare categories.

Each idea is one function for Python and one that returns the equal DuckDB expression; null stays null.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

from features.errors import UsageError

OTHER = "other"


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


def band(value: float | None, edges: Sequence[float]) -> str | None:
    """Name the band of a number: `under 18`, `18 to 30`, ... `65 and over`.

    An edge belongs to the band above it; a number that is none (NaN) is in no band.
    Raises UsageError unless the edges are finite and increase.

    >>> [band(age, (18, 30, 65)) for age in (17.9, 18, 64, 65, None)]
    ['under 18', '18 to 30', '30 to 65', '65 and over', None]
    """
    names = _band_names(edges)
    if value is None or math.isnan(value):
        return None
    return names[sum(value >= edge for edge in edges)]


def band_sql(value: str, edges: Sequence[float]) -> str:
    """Return the expression that equals `band` of a number."""
    *lower, top = _band_names(edges)
    cases = " ".join(
        f"WHEN {value} < {float(edge)!r} THEN '{name}'" for edge, name in zip(edges, lower, strict=True)
    )
    return f"CASE WHEN {value} IS NULL OR isnan({value}::DOUBLE) THEN NULL {cases} ELSE '{top}' END"


def postal_prefix(code: str | None, keep: int = 2) -> str | None:
    """Keep the first characters of a postal code, and never all of them; blanks and signs don't count.

    A code of one character keeps nothing. Raises UsageError when keep is below 1.

    >>> postal_prefix("10115"), postal_prefix("sw1a 1aa", 4), postal_prefix("10")
    ('10', 'SW1A', '1')
    """
    _refuse_below_one(keep, "keep")
    if code is None:
        return None
    plain = re.sub("[^0-9A-Za-z]", "", code).upper()
    return plain[: min(keep, len(plain) - 1)] if len(plain) > 1 else None


def postal_prefix_sql(code: str, keep: int = 2) -> str:
    """Return the expression that equals `postal_prefix` of a text."""
    _refuse_below_one(keep, "keep")
    plain = f"upper(regexp_replace({code}, '[^0-9A-Za-z]', '', 'g'))"
    return f"nullif(left({plain}, greatest(least({keep}, length({plain}) - 1), 0)), '')"


def rare_to_other(
    values: Sequence[str | None], people: Sequence[str | None], k: int = 20
) -> list[str | None]:
    """Replace each category that fewer than k different people have by `other`.

    people: who has the value at the same place; rows without a person count for nobody. `other` itself may
    hold fewer than k people: whoever shows it counts once more.
    Raises UsageError when k is below 1.

    >>> rare_to_other(["red", "red", "mauve", None], ["ann", "ben", "cem", "dia"], k=2)
    ['red', 'red', 'other', None]
    """
    _refuse_below_one(k, "k")
    owners: dict[str | None, set[str]] = {}
    for value, person in zip(values, people, strict=True):
        owners.setdefault(value, set()).update(() if person is None else (person,))
    return [None if value is None else OTHER if len(owners[value]) < k else value for value in values]


def rare_to_other_sql(value: str, person: str = "user_key", k: int = 20) -> str:
    """Return the expression that equals `rare_to_other` over the rows of a query (a window function)."""
    _refuse_below_one(k, "k")
    n_people = f"count(DISTINCT {person}) OVER (PARTITION BY {value})"
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {n_people} < {k} THEN '{OTHER}' ELSE {value} END"


def _band_names(edges: Sequence[float]) -> list[str]:
    if not edges or not all(map(math.isfinite, edges)) or list(edges) != sorted(set(edges)):
        raise UsageError(f"The edges of bands must be finite and increase; they are {list(edges)}.")
    shown = [f"{edge:.15g}" for edge in edges]
    return [f"under {shown[0]}", *map(" to ".join, pairwise(shown)), f"{shown[-1]} and over"]


def _refuse_below_one(number: int, name: str) -> None:
    if number < 1:
        raise UsageError(f"{name} must be at least 1; it is {number}.")
