"""Days that are over: a day ends at midnight UTC, and only then its logs can be complete.

The server asks this before a run is made, so nothing heavy is imported here.
"""

from datetime import date, timedelta

from features.errors import UsageError

DAY = timedelta(days=1)


def newest_over(today: date) -> date:
    """Return the newest day that is over; today: in UTC.

    >>> newest_over(date(2026, 3, 1))
    datetime.date(2026, 2, 28)
    """
    return today - DAY


def refuse_unfinished_day(as_of: date | None, today: date) -> None:
    """Refuse a night of today or later: its logs are not complete, and it would close days that are open.

    today: in UTC. Raises UsageError.
    """
    newest = newest_over(today)
    if as_of is not None and as_of > newest:
        raise UsageError(
            f"{as_of} is not over yet in UTC. Choose {newest} or an earlier day, or leave the day out "
            "(--as-of, as_of) for the newest one in the logs that is over."
        )
