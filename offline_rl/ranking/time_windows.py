"""Time windows: learn on what came first, choose on what came next, and measure on the last, once.

    learning          | validation        | test
    .. validation_from .. test_from        .. test_until

A random split would let rankers learn from a basket whose other half measures them, and from items that only
became popular later. Users without any act before a window are kept: they are served, and measured, too.
"""

from dataclasses import dataclass

import numpy as np

from features.contracts.findings import Finding, finding
from offline_rl.interactions import DAY, Interactions, Ints

FEWEST_USERS = 100
"""Least users with purchases in a window that says anything: below, an interval is as wide as the metric."""

FEWEST_MOMENTS = 3
"""Least distinct moments of a log: one for each window."""


@dataclass(frozen=True)
class TimeWindows:
    """Ends of the windows, microseconds since 1970-01-01 UTC; each window holds its start and not its end.

    Raises ValueError unless the moments come in this order.

    >>> TimeWindows(0, 10, 20)
    TimeWindows(validation_from=0, test_from=10, test_until=20)
    """

    validation_from: int
    test_from: int
    test_until: int

    def __post_init__(self) -> None:
        if not self.validation_from < self.test_from < self.test_until:
            raise ValueError(
                f"windows from {self.validation_from} and {self.test_from} until {self.test_until}: "
                "give three moments, each after the one before."
            )


def time_windows(
    acts: Interactions,
    *,
    validation_days: float,
    test_days: float,
    until: int | None = None,
    fewest_users: int = FEWEST_USERS,
) -> TimeWindows | Finding:
    """Return windows that end with the log, or the finding that says why later acts can't measure a ranker.

    until: end of the test window; None: right after the last act. The findings are `no_test_window`, where
    acts lie at too few moments or too few users bought in the test window, and `no_learning_window`, where
    too few users did anything before the validation window.
    Raises ValueError unless both windows are longer than 0 days.
    """
    if not (validation_days > 0 and test_days > 0):
        raise ValueError(
            f"a validation window of {validation_days:g} days and a test window of {test_days:g} days: "
            "give numbers above 0."
        )
    n_moments = len(np.unique(acts.moment))
    if n_moments < FEWEST_MOMENTS:
        few = finding("few_moments", "log", n_moments=n_moments, least=FEWEST_MOMENTS)
        return Finding("no_test_window", "test", {"days": test_days}, (few,))
    end = int(acts.moment.max()) + 1 if until is None else until
    test_from = end - max(1, round(test_days * DAY))
    windows = TimeWindows(test_from - max(1, round(validation_days * DAY)), test_from, end)
    if few_buy := _few_users(users_of(acts, windows.test_from, end), fewest_users, "test"):
        return Finding("no_test_window", "test", {"days": test_days}, few_buy)
    learned_from = np.unique(acts.between(None, windows.validation_from).user)
    if few_act := _few_users(learned_from, fewest_users, "learning"):
        return Finding("no_learning_window", "learning", {"days": validation_days + test_days}, few_act)
    return windows


def no_validation(
    acts: Interactions, windows: TimeWindows, fewest_users: int = FEWEST_USERS
) -> Finding | None:
    """Return the finding that too few users bought in the validation window to choose by it, or None."""
    users = users_of(acts, windows.validation_from, windows.test_from)
    few = _few_users(users, fewest_users, "validation")
    days = (windows.test_from - windows.validation_from) / DAY
    return Finding("no_validation_window", "validation", {"days": days}, few) if few else None


def users_of(acts: Interactions, start: int, end: int) -> Ints:
    """Return the users with a purchase in a window, int64 in ascending order."""
    window = acts.between(start, end)
    return np.unique(window.user[window.purchases])


def _few_users(users: Ints, least: int, window: str) -> tuple[Finding, ...]:
    if len(users) >= least:
        return ()
    return (finding("few_clusters", window, n_clusters=len(users), least=least, clusters="users"),)
