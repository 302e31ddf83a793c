"""The closed days: rows that come much later don't change a night with decisions.

A row is late when an earlier night has run for its day. The last closed days still accept late rows (an app
that was offline, an export that was cut off); older rows go to quarantine. Logs whose lines add up are never
late: their exports state the last weeks again every night, see stg_superseded_lines.sql.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from features.contracts.check import Rule
from features.contracts.logs import ADDED_UP
from features.contracts.sql_text import identifier
from features.warehouse.log_days import time_column


@dataclass(frozen=True)
class Watermark:
    """The last closed day, and the number of closed days that still accept rows.

    last_night: the date of the last night that was finished; its day and those before it are closed.
    days: this many closed days, of which `last_night` is the newest, accept late rows.

    >>> Watermark(date(2026, 1, 5)).first_open_date
    datetime.date(2026, 1, 3)
    """

    last_night: date
    days: int = 3

    @property
    def first_open_date(self) -> date:
        """The oldest day that a row may have."""
        return self.last_night - timedelta(days=self.days - 1)


def late_dates(
    connection: duckdb.DuckDBPyConnection, logs: Iterable[str], load_number: int, watermark: Watermark
) -> tuple[date, ...]:
    """Return the closed days that got rows by a load, oldest first."""
    # the day after, because a bare day is compared as its first moment
    open_from = f"DATE '{(watermark.last_night + timedelta(days=1)).isoformat()}'"
    queries = [
        f"SELECT CAST({identifier(column)} AS DATE) FROM raw_{log} "
        f"WHERE load_number = {load_number} AND {identifier(column)} < {open_from}"
        for log in dict.fromkeys(logs)
        if log not in ADDED_UP and (column := time_column(log))
    ]
    if not queries:
        return ()
    # days are days in UTC, because that is the zone of the session
    found = connection.execute(f"SELECT DISTINCT * FROM ({' UNION ALL '.join(queries)}) ORDER BY 1")
    return tuple(late for (late,) in found.fetchall())


def late_rule(log: str, watermark: Watermark, typed: Mapping[str, str]) -> Rule | None:
    """Return the rule that a row is not too late, checked after the rules of its columns; or None.

    typed: SQL expression of the typed value of each column.
    """
    column = time_column(log)
    if column is None or column not in typed or log in ADDED_UP:
        return None
    first = watermark.first_open_date.isoformat()
    return Rule(
        "day_is_closed",
        column,
        f"{typed[column]} < DATE '{first}'",
        {
            "n_days": watermark.days,
            "first_open": first,
            "last_night": watermark.last_night.isoformat(),
        },
    )


def forget_refusals_of(connection: duckdb.DuckDBPyConnection, night: date) -> tuple[str, ...]:
    """Return the files with rows that came too late for the days closed by a night, and mark them.

    A marked file is read again at the next ingest: its days are open when the night is taken back.
    """
    chosen = """load_number IN (
        SELECT load_number FROM rejected_lines
        WHERE json_extract_string(findings, '$[0].code') = 'day_is_closed'
            AND json_extract_string(findings, '$[0].numbers.last_night') = $night
    )"""
    named = connection.execute(
        f"SELECT source_name FROM load_manifest WHERE {chosen} ORDER BY 1", {"night": night.isoformat()}
    ).fetchall()
    # No contract has this version, so the file is not taken for unchanged.
    connection.execute(
        f"UPDATE load_manifest SET contract_version = 'read again' WHERE {chosen}",
        {"night": night.isoformat()},
    )
    return tuple(name for (name,) in named)
