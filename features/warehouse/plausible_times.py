"""The times that a row may have: from the shop's first day to the time when its file was received.

A count since 1970 in the wrong unit becomes a time in January 1970, or thousands of years ahead: both are
outside. A row after the night's date is not implausible: it is stored, and a later night reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dataframely as dy
import duckdb

from features.contracts.check import Rule
from features.contracts.logs import LOGS

# Before it nobody logged clicks; a shop with older logs sets shop.first_day.
FIRST_DAY = date(2000, 1, 1)

# Clocks may be wrong by minutes. A day without a clock may have begun already in the east, at UTC+14.
_CLOCK_ERROR = timedelta(hours=1)
_EARLIEST_ZONE = timedelta(hours=14)


@dataclass(frozen=True)
class PlausibleTimes:
    """The first day and the last moment that a row of a file may have.

    received_at: when the file was first seen, in UTC; None for no last moment.
    """

    first_day: date = FIRST_DAY
    received_at: datetime | None = None

    def rules(self, log: str, typed: Mapping[str, str]) -> tuple[Rule, ...]:
        """Return the rules for every time and day of a log.

        typed: SQL identifier of the typed value of each mapped column.
        """
        columns = LOGS[log].columns()
        return tuple(
            rule
            for name, value in typed.items()
            if isinstance(columns[name], dy.Datetime | dy.Date)
            for rule in self._rules(name, value, is_day=isinstance(columns[name], dy.Date))
        )

    def _rules(self, name: str, value: str, *, is_day: bool) -> list[Rule]:
        first = self.first_day.isoformat()
        first_time = f"TIMESTAMP '{first}'"
        rules = [
            Rule(
                "before_first_day",
                name,
                f"{value} < DATE '{first}'",
                {"first_day": first},
                {"years": _years(value, first_time)},
            )
        ]
        if self.received_at:
            last = self.received_at + _CLOCK_ERROR + (_EARLIEST_ZONE if is_day else timedelta())
            text = last.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
            latest = (
                f"DATE '{last.astimezone(UTC).date().isoformat()}'" if is_day else f"TIMESTAMPTZ '{text}'"
            )
            received = {"received_at": self.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")}
            years = {"years": _years(f"TIMESTAMP '{text[:-1]}'", value)}
            rules.append(Rule("after_receipt", name, f"{value} > {latest}", received, years))
        return rules


def _years(earlier: str, later: str) -> str:
    """Return the SQL of the number of years that two times lie less than apart.

    The time itself is not kept: of a shifted column it may be a birthday, or a telephone number read as a
    count since 1970.
    """
    return f"date_sub('year', CAST({earlier} AS TIMESTAMP), CAST({later} AS TIMESTAMP)) + 1"


def first_received(
    connection: duckdb.DuckDBPyConnection, name: str, file_sha256: str, now: datetime | None
) -> datetime | None:
    """Return when a file of this name and content first came, so that reading it again gives the same result.

    now: the time to store for a new file; None stores nothing.
    """
    found = connection.execute(
        "SELECT epoch_us(received_at) FROM file_receipts WHERE source_name = ? AND file_sha256 = ?",
        [name, file_sha256],
    ).fetchone()
    if found:
        return datetime.fromtimestamp(found[0] // 1_000_000, UTC)
    if now is None:
        return None
    moment = now.astimezone(UTC).replace(microsecond=0)
    connection.execute("INSERT INTO file_receipts VALUES (?, ?, ?)", [name, file_sha256, moment])
    return moment
