"""The logs with days, and the first and last day of a warehouse."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

import dataframely as dy
import duckdb

from features.areas import AREAS
from features.contracts.logs import LOGS
from features.contracts.sql_text import identifier

# Three windows need three different times; rounds with fewer count as without times.
FEWEST_MOMENTS = 3
# With fewer days there is no typical distance.
FEWEST_GAPS = 3


@cache
def time_column(log: str) -> str | None:
    """Return the time column of a log; None for items and users.

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

    layer: `raw` for all loaded rows, `stg` for the rows that the night of the last build may use.
    """
    # the zone of a warehouse's session is UTC, so a cast to a day is a day in UTC
    days = " UNION ALL ".join(
        f"SELECT CAST({time} AS DATE) AS day FROM {layer}_{log}" for log, time in dated_logs().items()
    )
    [(first, last)] = connection.execute(f"SELECT min(day), max(day) FROM ({days})").fetchall()
    return (first, last) if last else None


def last_day_with_rewards(
    connection: duckdb.DuckDBPyConnection, last_day: date, attribution_hours: float
) -> date:
    """Return the first day at whose end every reward has arrived, where the logs' rounds have no times.

    An experiment's table gives all rounds one or two invented times, and has their rewards already. Where
    rounds have times, or there are no rounds, the result is the last day.
    """
    moments: set[datetime] = set()
    for log in (area.decision_log for area in AREAS if area.is_learned):
        # the first few rows are enough; a log with times is not read to its end
        found = connection.execute(
            f"SELECT DISTINCT epoch({time_column(log)}) FROM raw_{log} LIMIT {FEWEST_MOMENTS}"
        ).fetchall()
        if len(found) >= FEWEST_MOMENTS:
            return last_day
        moments |= {datetime.fromtimestamp(seconds, UTC) for (seconds,) in found}
    if not moments:
        return last_day
    # a round is old enough strictly before its window ends, so that midnight belongs to the day after
    return max(last_day, (max(moments) + timedelta(hours=attribution_hours)).date())


def days_between(connection: duckdb.DuckDBPyConnection, log: str, load_number: int) -> int | None:
    """Return the median number of days from one day of a file to the next; None with too few days."""
    [(n_gaps, usual)] = connection.execute(
        f"""
        SELECT count(gap), median(gap) FROM (
            SELECT day - lag(day) OVER (ORDER BY day) AS gap
            FROM (
                SELECT DISTINCT CAST({time_column(log)} AS DATE) AS day FROM raw_{log} WHERE load_number = ?
            )
        )
        """,
        [load_number],
    ).fetchall()
    return int(usual) if n_gaps >= FEWEST_GAPS else None


def row_counts(connection: duckdb.DuckDBPyConnection, layer: str) -> dict[str, int]:
    """Return the number of rows of each dated log; layer: see `first_and_last_day`."""
    counts = " UNION ALL ".join(f"SELECT '{log}', count(*) FROM {layer}_{log}" for log in dated_logs())
    return dict(connection.execute(counts).fetchall())
