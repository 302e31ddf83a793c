"""Days that a newer file of sums replaces: a file that was cut off must not empty them.

Platforms correct the last weeks by some percent. A newer file with less than half of a day's spend, or of its
campaigns, is more likely half a file, or another source under the same pattern.
"""

from datetime import datetime

import duckdb

from features.contracts.logs import KEYS
from features.contracts.mapping import SourceFile
from features.contracts.sql_text import identifier
from features.errors import InputDataError

LEAST_KEPT = 0.5


def refuse_shrinking(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, load_number: int, received_at: datetime | None
) -> None:
    """Refuse a file that takes back more than half of a day; called before its rows are committed.

    Its days are compared with those that the newest files of its source hold until now.
    Raises InputDataError with the day, both amounts, and what to write in its [[files]] table.
    """
    key = ", ".join(identifier(name) for name in KEYS["ad_spend_daily"] if name != "date")
    found = connection.execute(
        f"""
        WITH held AS (
            SELECT
                raw_ad_spend_daily.*,
                source_name,
                {{
                    'received_at': coalesce(received_at, TIMESTAMPTZ '1970-01-01 00:00:00Z'),
                    'last_day': max("date") OVER (PARTITION BY load_number),
                    'load_number': load_number
                }} AS age
            FROM raw_ad_spend_daily JOIN load_manifest USING (load_number)
            WHERE coalesce(source, $source) = $source
                AND NOT coalesce(is_part, false)
                AND source_name <> $name
        ),
        newest AS (SELECT "date", max(age) AS age FROM held GROUP BY "date"),
        older AS (
            SELECT
                "date",
                any_value(source_name) AS source_name,
                sum(spend_cents) AS cents,
                count(DISTINCT ({key})) AS n_keys,
                age
            FROM held JOIN newest USING ("date", age)
            GROUP BY "date", age
        ),
        newer AS (
            SELECT
                "date",
                sum(spend_cents) AS cents,
                count(DISTINCT ({key})) AS n_keys,
                {{
                    'received_at': coalesce($received_at, TIMESTAMPTZ '1970-01-01 00:00:00Z'),
                    'last_day': max(max("date")) OVER (),
                    'load_number': $load_number::BIGINT
                }} AS age
            FROM raw_ad_spend_daily
            WHERE load_number = $load_number
            GROUP BY "date"
        )
        SELECT
            older."date", older.source_name, older.cents, newer.cents, older.n_keys, newer.n_keys,
            count(*) OVER () AS n_days
        FROM older JOIN newer USING ("date")
        WHERE newer.age > older.age
            AND (newer.cents < $least * older.cents OR newer.n_keys < $least * older.n_keys)
        ORDER BY older."date"
        LIMIT 1
        """,
        {
            "source": file.source,
            "name": file.name,
            "load_number": load_number,
            "received_at": received_at,
            "least": LEAST_KEPT,
        },
    ).fetchone()
    if found:
        day, older, cents_before, cents, n_before, n, n_days = found
        raise InputDataError(
            f"{file.name} is newer than {older} and takes back more than half of {n_days} of its days. The "
            f"first is {day}: spend {cents_before / 100:,.2f} becomes {cents / 100:,.2f}, and {n_before} "
            f"campaigns, channels and segments become {n}. Export it again if it was cut off. Give it a "
            "separate [[files]] table if it is another source, or write parts = true if both are parts of "
            "one export. "
            f"If it is right, export {older} again under its name without these days."
        )
