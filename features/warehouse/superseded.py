"""Lines that a key makes go missing: a file whose lines share keys that were not meant as such is refused.

A row that is corrected by a later file is an update, and a row that comes twice is a repeated delivery: both
are printed and no more. But lines of one file that share a key and differ are a sign that the key is none.
"""

import duckdb

from features.contracts.logs import KEYS
from features.contracts.sql_text import identifier
from features.errors import InputDataError

# A campaign that was deleted is gone from the newer file; most of them are not.
MOST_MISSING = 0.5


def refuse_vanishing_lines(connection: duckdb.DuckDBPyConnection, max_share: float) -> None:
    """Refuse files of which more than a share of the lines counts for nothing, by no intention.

    Asked when stg_superseded_lines is built. Two kinds of lines vanish: those that differ from the line of
    the same key in the same file that counts, unless the mapping says one_row_per_key; and daily sums that
    gave way to a newer file of their source that lacks most of their keys on those days, as when two sources
    share a pattern, or the newer file was cut off.
    Raises InputDataError with the file, the share, and what to write in its [[files]] table.
    """
    _refuse_shared_keys(connection, max_share)
    _refuse_strangers(connection)


def _refuse_shared_keys(connection: duckdb.DuckDBPyConnection, max_share: float) -> None:
    found = connection.execute(
        """
        SELECT source_name, log, count(*) AS n_vanished, any_value(n_lines), min(file_line)
        FROM stg_superseded_lines JOIN load_manifest USING (load_number)
        WHERE kind = 'later_line' AND by_load_number = load_number
            AND NOT list_contains(coalesce(one_row_per_key, []), log)
        GROUP BY source_name, log
        HAVING n_vanished > ? * any_value(n_lines)
        ORDER BY n_vanished DESC, source_name, log
        LIMIT 1
        """,
        [max_share],
    ).fetchone()
    if found:
        name, log, n_vanished, n_lines, line = found
        raise InputDataError(
            f"{name}: {n_vanished} of {n_lines} lines would go missing, because another line of the file has "
            f"the same {' and '.join(KEYS[log])} and says something else; the first is line {line}. Name the "
            f"columns that tell the rows of {log} apart (ids.{KEYS[log][-1]} = [...]), or write "
            "one_row_per_key = true where the last line of each key is the one that counts."
        )


def _refuse_strangers(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse sums that give way to a file that doesn't speak of most of what they are the sums of."""
    key = ", ".join(identifier(name) for name in KEYS["ad_spend_daily"])
    found = connection.execute(
        f"""
        WITH replaced AS (
            SELECT DISTINCT load_number, by_load_number, {key}
            FROM raw_ad_spend_daily
            JOIN stg_superseded_lines USING (load_number, file_line)
            WHERE log = 'ad_spend_daily' AND kind = 'restated_day' AND hash({key}) = key_hash
        ),
        stated AS (
            SELECT DISTINCT load_number AS by_load_number, {key}, true AS is_stated
            FROM raw_ad_spend_daily
        )
        SELECT
            older.source_name,
            newer.source_name,
            older.source,
            count(*) AS n_sums,
            count(*) FILTER (is_stated IS NULL) AS n_missing
        FROM replaced
        LEFT JOIN stated USING (by_load_number, {key})
        JOIN load_manifest AS older ON replaced.load_number = older.load_number
        JOIN load_manifest AS newer ON replaced.by_load_number = newer.load_number
        GROUP BY ALL
        HAVING n_missing > {MOST_MISSING} * n_sums
        ORDER BY n_missing DESC, older.source_name, newer.source_name
        LIMIT 1
        """
    ).fetchone()
    if found:
        older, newer, source, n_sums, n_missing = found
        raise InputDataError(
            f"{older}: {n_sums} daily sums would give way to {newer}, which is newer and of the same source "
            f"({source or 'the adapter'}), but lacks {n_missing} of them. If the newer file was cut off, "
            "export it again; if both are sources of their own, give each its own [[files]] table; if they "
            "are parts of one export, write parts = true."
        )
