"""The rows of out_data_quality: loaded and rejected lines, with reasons."""

import duckdb
import polars as pl

from features.contracts.check import check_output
from features.contracts.logs import KEYS
from features.contracts.outputs import DataQuality
from features.contracts.sql_text import quoted

RECONCILED = "loaded = lines - rejected"

_RECONCILED_FILES = """
    SELECT
        source_name, ? AS rule, n_lines AS n_rows, n_loaded, n_rejected,
        CASE WHEN n_lines = 0 THEN 'the file holds no data lines'
            WHEN n_rejected = 0 THEN 'every line was loaded'
            ELSE 'every line was loaded or has a reason below' END AS reason,
        NULL AS example
    FROM load_manifest
"""
_BROKEN_RULES = """
    SELECT
        source_name, rule, any_value(n_lines) AS n_rows, any_value(n_loaded) AS n_loaded,
        count(*) AS n_rejected,
        'line ' || min(line) || ': ' || arg_min(reason, line) AS reason,
        arg_min(example, line) AS example
    FROM rejected_lines JOIN load_manifest USING (load_number)
    GROUP BY source_name, rule
"""
_NOTES = """
    SELECT source_name, rule, n_lines AS n_rows, n_loaded, 0 AS n_rejected, reason, NULL AS example
    FROM file_notes JOIN load_manifest USING (load_number)
"""
_SUPERSEDED = """
    SELECT
        file.source_name,
        CASE superseded.kind
            WHEN 'restated_day' THEN 'a day counts as its newest file states it'
            WHEN 'identical_line' THEN 'a line that comes twice counts once'
            ELSE 'one row for each ' || keys[log]
        END AS rule,
        any_value(file.n_lines) AS n_rows,
        any_value(file.n_loaded) AS n_loaded,
        0 AS n_rejected,
        'rows of ' || log || CASE superseded.kind
            WHEN 'restated_day' THEN ' that gave way to those of '
            WHEN 'identical_line' THEN ' that repeat a row of '
            ELSE ' that gave way to a later row of '
        END || min(newer.source_name)
            || CASE WHEN count(DISTINCT newer.source_name) > 1 THEN ' or other files' ELSE '' END
            || ': ' || count(*) || ', the first on line ' || min(file_line) AS reason,
        NULL AS example
    FROM stg_superseded_lines AS superseded
    JOIN load_manifest AS file USING (load_number)
    JOIN load_manifest AS newer ON superseded.by_load_number = newer.load_number
    CROSS JOIN (SELECT MAP {{{keys}}} AS keys)
    GROUP BY file.source_name, log, superseded.kind, keys
"""

ROBOTS = "people are slower than 150 acts in five minutes"
_ROBOTS = f"""
    SELECT
        source_name, '{ROBOTS}' AS rule, any_value(n_lines) AS n_rows,
        any_value(n_loaded) AS n_loaded, 0 AS n_rejected,
        'visits at the rate of robots: ' || count(DISTINCT visit) || ', with ' || max(most_acts)
            || ' acts in five minutes at most; their rows: ' || count(*) || '; ' || CASE
            WHEN bool_and(is_left_out) THEN 'they enter no table'
            ELSE 'they hold ' || round(100 * any_value(robot_share))::INTEGER
                || ' % of all rows, too many for robots, and are kept. Does session_id name a visit?'
            END AS reason,
        NULL AS example
    FROM (
        SELECT load_number, coalesce(session_id, 'user ' || user_key) AS visit FROM raw_impressions
        UNION ALL
        SELECT load_number, coalesce(session_id, 'user ' || user_key) FROM raw_events
    )
    JOIN stg_robot_visits USING (visit)
    JOIN load_manifest USING (load_number)
    GROUP BY source_name
"""


def data_quality(connection: duckdb.DuckDBPyConnection, run_id: str) -> pl.DataFrame:
    """Return one row per file, and one per file and rule that some of its lines break.

    The reason and the example of a rule are those of the first line that breaks it. Notes that reject no line
    also have a row, with n_rejected 0: new and missing columns, late rows, a file that was replaced, and rows
    that don't count because of another one, once the staging models of the night are built.
    """
    parts = [_RECONCILED_FILES, _BROKEN_RULES, _NOTES]
    built = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'stg_superseded_lines'")
    if built.fetchall():
        keys = ", ".join(f"{quoted(log)}: {quoted(' and '.join(key))}" for log, key in KEYS.items())
        parts += [_SUPERSEDED.format(keys=keys), _ROBOTS]
    rows = connection.sql(
        f"SELECT ? AS run_id, * FROM ({' UNION ALL '.join(parts)}) "
        "ORDER BY source_name, n_rejected DESC, rule = ? DESC, rule",
        params=[run_id, RECONCILED, RECONCILED],
    )
    return check_output(rows.pl(), DataQuality)
