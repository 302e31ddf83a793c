"""Small groups stay unseen: user counts below `SMALLEST_GROUP` are never printed.

If exactly one count of a table were hidden, a printed total less the others would give it away; so the
next smallest goes with it (complementary suppression).
"""

from collections.abc import Sequence

from features.contracts.finding_codes import CODES
from features.contracts.finding_units import Unit
from features.contracts.findings import Finding

SMALLEST_GROUP = 20

USERS = "users"
"""The word by which findings say that they count people."""


def is_hidden(n_users: Sequence[int]) -> list[bool]:
    """Return which counts must not be printed.

    >>> is_hidden([500, 7, 31, 90])
    [False, True, True, False]
    >>> is_hidden([500, 7, 8, 90])
    [False, True, True, False]
    """
    hidden = [number < SMALLEST_GROUP for number in n_users]
    open_rows = [row for row, is_small in enumerate(hidden) if not is_small]
    if sum(hidden) == 1 and open_rows:
        hidden[min(open_rows, key=lambda row: n_users[row])] = True
    return hidden


def has_small_count(found: Finding, smallest: int = SMALLEST_GROUP) -> bool:
    """Return whether a finding, or a cause of it, carries a count of users that must not be printed.

    >>> few = Finding("few_clusters", "a", {"n_clusters": 7, "least": 100, "clusters": "users"})
    >>> has_small_count(few), has_small_count(few, smallest=5)
    (True, False)
    """
    if found.numbers.get("clusters") != USERS:
        return any(has_small_count(cause, smallest) for cause in found.because)
    units = CODES[found.code].numbers
    return any(found.number(name) < smallest for name, unit in units.items() if unit is Unit.CLUSTERS)
