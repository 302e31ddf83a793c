"""Which logs happen on days, and how far the days of a warehouse reach."""

from datetime import date
from functools import cache

import dataframely as dy
import duckdb

from features.contracts.logs import LOGS
from features.contracts.sql_text import identifier


@cache
def time_column(log: str) -> str | None:
    """Return the column that says when a row of the log happened; None for the catalog and the people.

    >>> time_column("impressions"), time_column("ad_spend_daily"), time_column("items")
    ('shown_at', 'date', None)
    """
    times = (
        name
        for name, column in LOGS[log].columns().items()
        if isinstance(column, dy.Datetime | dy.Date) and not column.nullable
    )
    return next(times, None)


def dated_logs() -> dict[str, str]:
    """Return the time column of each log that has one, as an SQL identifier."""
    return {log: identifier(time) for log in LOGS if (time := time_column(log))}


def first_and_last_day(connection: duckdb.DuckDBPyConnection, layer: str) -> tuple[date, date] | None:
    """Return the first and the last day in UTC on which any log has a row; None where no log has one.

    layer: `raw` for all that was loaded, `stg` for what the night of the last build may know.
    """
    # the zone of a warehouse's session is UTC, so a cast to a day is a day in UTC
    days = " UNION ALL ".join(
        f"SELECT CAST({time} AS DATE) AS day FROM {layer}_{log}" for log, time in dated_logs().items()
    )
    [(first, last)] = connection.execute(f"SELECT min(day), max(day) FROM ({days})").fetchall()
    return (first, last) if last else None


def row_counts(connection: duckdb.DuckDBPyConnection, layer: str) -> dict[str, int]:
    """Return the number of rows of each dated log; layer: see `first_and_last_day`."""
    asked = " UNION ALL ".join(f"SELECT '{log}', count(*) FROM {layer}_{log}" for log in dated_logs())
    return dict(connection.execute(asked).fetchall())
