"""The deletion of rows that are older than a shop wants to keep, and the space that deleted rows leave."""

from datetime import date, timedelta

import duckdb

from features.contracts.logs import LOGS
from features.errors import UsageError
from features.warehouse.log_days import dated_logs
from features.warehouse.store import transaction


def first_kept_day(as_of: date, keep_days: int) -> date:
    """Return the oldest of the days that are kept: the night's own day is the last.

    Raises UsageError when nothing would be kept.

    >>> first_kept_day(date(2026, 1, 31), 30)
    datetime.date(2026, 1, 2)
    """
    if keep_days < 1:
        raise UsageError(f"Rows must be kept for at least 1 day; the setting is {keep_days}.")
    return as_of - timedelta(days=keep_days - 1)


def drop_old_rows(connection: duckdb.DuckDBPyConnection, first_day: date) -> dict[str, int]:
    """Delete the raw rows from before a day, and the rejected lines of files without later rows.

    Items, users and candidate sets have no age. A file without any loaded row is as old as the file loaded
    before it. Returns the number of deleted rows by table, without tables that lost none. The manifest keeps
    the loaded files, so that an unchanged file is not loaded again. Build the marts again afterwards;
    `rewrite_store` removes the bytes.
    """
    with transaction(connection):
        before = _counts(connection)
        connection.execute(f"DELETE FROM rejected_lines WHERE load_number IN ({_old_loads(first_day)})")
        for log, time in dated_logs().items():
            connection.execute(f"DELETE FROM raw_{log} WHERE {time} < {_sql(first_day)}")
        after = _counts(connection)
    return {table: before[table] - after[table] for table in before if before[table] > after[table]}


def first_kept_receipt(connection: duckdb.DuckDBPyConnection, keep_days: int) -> date | None:
    """Return the oldest day of receipt that is kept, the day of the newest file the last; None without files.

    The newest file says what time it is: so a machine with a wrong clock deletes nothing.
    """
    [(newest,)] = connection.execute("SELECT max(CAST(received_at AS DATE)) FROM file_receipts").fetchall()
    return first_kept_day(newest, keep_days) if newest else None


def old_rejected_lines(connection: duckdb.DuckDBPyConnection, first_day: date) -> int:
    """Count the rejected lines of files that were received before a day."""
    [(n_lines,)] = connection.execute(
        f"SELECT count(*) FROM rejected_lines WHERE load_number IN ({_received_before(first_day)})"
    ).fetchall()
    return int(n_lines)


def drop_old_rejected_lines(connection: duckdb.DuckDBPyConnection, first_day: date) -> None:
    """Delete the rejected lines of files received before a day; the manifest keeps their number."""
    with transaction(connection):
        connection.execute(f"DELETE FROM rejected_lines WHERE load_number IN ({_received_before(first_day)})")


def free_bytes(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return the bytes of the warehouse file that deleted rows have left free, and all of its bytes."""
    connection.execute("CHECKPOINT")
    [(block, total, free)] = connection.execute(
        "SELECT block_size, total_blocks, free_blocks FROM pragma_database_size()"
    ).fetchall()
    return int(free * block), int(total * block)


def _received_before(first_day: date) -> str:
    return f"SELECT load_number FROM load_manifest WHERE received_at < {_sql(first_day)}"


def _old_loads(first_day: date) -> str:
    """Return the query for the loads whose newest row is from before the day."""
    rows = " UNION ALL ".join(
        f"SELECT load_number, CAST({time} AS DATE) AS day FROM raw_{log}"
        for log, time in dated_logs().items()
    )
    return f"""
        WITH loads AS (
            SELECT load_number, max(day) AS newest
            FROM load_manifest LEFT JOIN ({rows}) USING (load_number)
            GROUP BY load_number
        ),
        aged AS (
            SELECT load_number, last_value(newest IGNORE NULLS) OVER (ORDER BY load_number) AS newest
            FROM loads
        )
        SELECT load_number FROM aged WHERE newest < {_sql(first_day)}
    """


def _sql(day: date) -> str:
    # The session of a warehouse is in UTC, so a bare day is its first moment in UTC.
    return f"DATE '{day.isoformat()}'"


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = ("rejected_lines", *(f"raw_{log}" for log in LOGS))
    counted = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
    return dict(connection.execute(counted).fetchall())
