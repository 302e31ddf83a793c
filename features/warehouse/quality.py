"""The rows of out_data_quality: loaded and rejected lines, with reasons."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from features.contracts.check import check_output
from features.contracts.findings import Finding, Say, codes_of, from_json, one_from_json, to_json
from features.contracts.logs import KEYS, LOGS
from features.contracts.outputs import DataQuality
from features.warehouse.stored_rows import USER_ID

SayRule = Callable[[Finding], str]
"""A finding → the rule behind it, the same for all lines that break it."""

OF_WHOLE_FILES = frozenset({"no_lines", "all_lines_loaded", "some_lines_rejected"})
"""Codes of the one row per file that says how its lines add up; all others are worth a look."""

_FILES = "SELECT source_name, n_lines, n_loaded, n_rejected FROM load_manifest"
_BROKEN_RULES = """
    SELECT
        source_name,
        any_value(n_lines),
        any_value(n_loaded),
        count(*),
        rule,
        min(line),
        arg_min(findings, line),
        arg_min(example, line)
    FROM rejected_lines JOIN load_manifest USING (load_number)
    GROUP BY source_name, rule
"""
_NOTES = """
    SELECT source_name, n_lines, n_loaded, findings
    FROM file_notes JOIN load_manifest USING (load_number)
"""
_SUPERSEDED = """
    SELECT
        file.source_name,
        any_value(file.n_lines),
        any_value(file.n_loaded),
        superseded.kind,
        log,
        count(*),
        min(file_line),
        min(newer.source_name),
        count(DISTINCT newer.source_name)
    FROM stg_superseded_lines AS superseded
    JOIN load_manifest AS file USING (load_number)
    JOIN load_manifest AS newer ON superseded.by_load_number = newer.load_number
    GROUP BY file.source_name, log, superseded.kind
"""
_CODE_OF_KIND = {
    "restated_day": "restated_day",
    "identical_line": "repeated_lines",
    "later_line": "later_rows",
}
_REPEATED = """
    SELECT
        file.source_name,
        any_value(file.n_lines),
        any_value(file.n_loaded),
        count(*),
        min(file_line),
        min(earlier.source_name),
        count(DISTINCT earlier.source_name)
    FROM stg_repeated_purchases AS repeated
    JOIN load_manifest AS file USING (load_number)
    JOIN load_manifest AS earlier ON repeated.by_load_number = earlier.load_number
    GROUP BY file.source_name
"""
_ROBOTS = """
    SELECT
        source_name,
        any_value(n_lines),
        any_value(n_loaded),
        bool_and(is_left_out),
        count(DISTINCT visit),
        max(most_acts),
        count(*),
        any_value(robot_share)
    FROM (
        SELECT load_number, coalesce(session_id, 'user ' || user_key) AS visit FROM raw_impressions
        UNION ALL
        SELECT load_number, coalesce(session_id, 'user ' || user_key) FROM raw_events
    )
    JOIN stg_robot_visits USING (visit)
    JOIN load_manifest USING (load_number)
    GROUP BY source_name
"""


# Only files of logs with users have pseudonyms.
_OTHER_KEYS = """
    SELECT
        min(source_name),
        arg_min(n_lines, source_name),
        arg_min(n_loaded, source_name),
        key_id,
        count(*),
        sum(n_loaded)::BIGINT,
        max(source_name)
    FROM load_manifest
    WHERE key_id <> $key_id AND n_loaded > 0 AND twin_of IS NULL AND list_has_any(logs, $logs)
    GROUP BY key_id
"""
_LOGS_OF_USERS = [log for log, contract in LOGS.items() if USER_ID in contract.columns()]


@dataclass(frozen=True)
class _Row:
    """A row before it has sentences.

    found: what is said of the file; rule: what its rule is said by; example: the first line that breaks it.
    """

    source_name: str
    n_rows: int
    n_loaded: int
    n_rejected: int
    found: Finding
    rule: Finding
    example: Finding | None = None


def data_quality(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    say: Say,
    say_rule: SayRule,
    *,
    key_id: str | None = None,
    unread: Sequence[str] = (),
) -> pl.DataFrame:
    """Return one row per file, and one per file and rule that some of its lines break.

    The reason and the example of a rule are those of the first line that breaks it. Notes that reject no line
    also have a row, with n_rejected 0: new and missing columns, late rows, a file that was replaced, and rows
    that don't count because of another one or that count although they equal another one, once the staging
    models of the night are built.

    key_id: of the present pseudonym key: rows under another one are noted, by their first file. None for no
        such note.
    unread: files that look like those that are read, and are not; see `features.sources.declared`.
    say, say_rule: make the sentences of the columns reason, example and rule.
    """
    rows = [*_of_files(connection), *_of_rules(connection), *_of_notes(connection)]
    rows += _of_other_keys(connection, key_id) if key_id else []
    rows += _of_unread_files(unread)
    built = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'stg_superseded_lines'")
    if built.fetchall():
        rows += [
            *_of_superseded_rows(connection),
            *_of_repeated_purchases(connection),
            *_of_robots(connection),
        ]
    said: list[dict[str, Any]] = [
        {
            "run_id": run_id,
            "source_name": row.source_name,
            "rule": say_rule(row.rule),
            "n_rows": row.n_rows,
            "n_loaded": row.n_loaded,
            "n_rejected": row.n_rejected,
            "reason": say([row.found]),
            "reason_codes": codes_of([row.found]),
            "findings": to_json([row.found]),
            "example": say([row.example]) if row.example else None,
            "is_whole": row.found.code in OF_WHOLE_FILES,
        }
        for row in rows
    ]
    said.sort(key=lambda row: (row["source_name"], -row["n_rejected"], not row.pop("is_whole"), row["rule"]))
    frame = pl.DataFrame(said, schema=DataQuality.create_empty().schema, infer_schema_length=None)
    return check_output(frame, DataQuality)


def _of_files(connection: duckdb.DuckDBPyConnection) -> Iterator[_Row]:
    for name, n_lines, n_loaded, n_rejected in connection.execute(_FILES).fetchall():
        code = "some_lines_rejected" if n_rejected else "all_lines_loaded" if n_lines else "no_lines"
        found = Finding(code, name)
        yield _Row(name, n_lines, n_loaded, n_rejected, found, found)


def _of_rules(connection: duckdb.DuckDBPyConnection) -> Iterator[_Row]:
    broken = connection.execute(_BROKEN_RULES).fetchall()
    for name, n_lines, n_loaded, n_rejected, rule, line, findings, example in broken:
        found = Finding("first_rejected_line", name, {"line": line}, from_json(findings))
        shapes = Finding("example_line", name, because=from_json(example)) if example else None
        yield _Row(name, n_lines, n_loaded, n_rejected, found, one_from_json(rule), shapes)


def _of_notes(connection: duckdb.DuckDBPyConnection) -> Iterator[_Row]:
    for name, n_lines, n_loaded, findings in connection.execute(_NOTES).fetchall():
        [found] = from_json(findings)
        yield _Row(name, n_lines, n_loaded, 0, found, found)


def _of_other_keys(connection: duckdb.DuckDBPyConnection, key_id: str) -> Iterator[_Row]:
    others = connection.execute(_OTHER_KEYS, {"key_id": key_id, "logs": _LOGS_OF_USERS}).fetchall()
    for name, n_lines, n_loaded, key, n_files, n_lines_of_all, last in others:
        numbers = {"key": key, "n_files": n_files, "n_lines": n_lines_of_all, "last": last}
        found = Finding("other_key", name, numbers)
        yield _Row(name, n_lines, n_loaded, 0, found, found)


def _of_unread_files(names: Sequence[str]) -> Iterator[_Row]:
    if names:
        found = Finding("unread_files", names[0], {"n_files": len(names), "last": names[-1]})
        yield _Row(names[0], 0, 0, 0, found, found)


def _of_superseded_rows(connection: duckdb.DuckDBPyConnection) -> Iterator[_Row]:
    superseded = connection.execute(_SUPERSEDED).fetchall()
    for name, n_lines, n_loaded, kind, log, n_rows, first_line, newer, n_newer in superseded:
        numbers = {"n_rows": n_rows, "first_line": first_line, "newer": newer, "n_newer": n_newer}
        key = {"log": log, "key": ", ".join(KEYS[log])}
        found = Finding(_CODE_OF_KIND[kind], name, key | numbers)
        yield _Row(name, n_lines, n_loaded, 0, found, found)


def _of_repeated_purchases(connection: duckdb.DuckDBPyConnection) -> Iterator[_Row]:
    repeated = connection.execute(_REPEATED).fetchall()
    for name, n_lines, n_loaded, n_rows, first_line, earlier, n_earlier in repeated:
        numbers = {"n_rows": n_rows, "first_line": first_line, "earlier": earlier, "n_earlier": n_earlier}
        found = Finding("equal_rows", name, {"log": "purchases"} | numbers)
        yield _Row(name, n_lines, n_loaded, 0, found, found)


def _of_robots(connection: duckdb.DuckDBPyConnection) -> Iterator[_Row]:
    robots = connection.execute(_ROBOTS).fetchall()
    for name, n_lines, n_loaded, is_left_out, n_visits, most_acts, n_rows, robot_share in robots:
        numbers = {
            "n_visits": n_visits,
            "most_acts": most_acts,
            "n_rows": n_rows,
            "robot_share": robot_share,
        }
        found = Finding("robots_left_out" if is_left_out else "robots_kept", name, numbers)
        yield _Row(name, n_lines, n_loaded, 0, found, found)
