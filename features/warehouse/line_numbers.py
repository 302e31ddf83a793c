"""The line number of each row in its file, and the proof that no line was lost.

Rows keep the order of their lines. So a row's line follows from its position, and from the lines before it
that left no row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.contracts.finding_sql import finding_sql
from features.contracts.mapping import LINE, SourceFile
from features.contracts.sql_text import quoted
from features.errors import InputDataError
from features.text_files import text_chunks
from features.warehouse.reader import REJECTS, FileScan

_LINE = "line"
_CODES = {
    "MISSING COLUMNS": "too_few_fields",
    "TOO MANY COLUMNS": "too_many_fields",
    "UNQUOTED VALUE": "quote_not_closed",
    "INVALID ENCODING": "not_utf8",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
}
"""DuckDB's error type of an unreadable line → the code of its finding."""

# A line has as many fields as the header: one rule, which is broken in two ways.
_RULES = {**_CODES, "TOO MANY COLUMNS": "too_few_fields"}


@dataclass(frozen=True)
class NumberedRows:
    """The query for stored rows with LINE, and the number of unreadable lines, which have no row."""

    query: str
    n_unreadable: int


def number_rows(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, scan: FileScan, table: str, n_rows: int
) -> NumberedRows:
    """Add the line numbers to the rows of a table made from the scan of a file.

    Creates the table `unreadable_lines` where there are some: line, rule, finding, the latter two as JSON.
    Call it outside of a transaction: inside one DuckDB does not count row ids from 0.
    Raises InputDataError unless every data line became a row or is known to be unreadable: one stray quote
    can swallow the rest of a file, and the reader then reports a single bad line.
    """
    n_unreadable = _list_unreadable_lines(connection)
    if n_rows + n_unreadable != scan.n_rows:
        raise InputDataError(
            f"{file.name}{_suspect(file.path)}: the file has {scan.n_rows} data lines but reads as {n_rows} "
            f"rows and {n_unreadable} unreadable lines. A quote may not be closed, or a field may contain a "
            "newline; correct the line, or export JSONL or Parquet."
        )
    if not (scan.skipped or n_unreadable):
        return NumberedRows(f"SELECT *, rowid + {scan.first_line} AS {LINE} FROM {table}", 0)
    # The i-th line without a row, s_i (i = 0, 1, ...), lies behind s_i - first_line - i rows.
    unreadable = "SELECT line FROM unreadable_lines UNION" if n_unreadable else ""
    connection.execute(
        f"""
        CREATE TEMP TABLE skipped_lines AS
        WITH skipped AS (
            SELECT line, row_number() OVER (ORDER BY line) AS n_skipped
            FROM ({unreadable} SELECT unnest(?::BIGINT[]) AS line)
        )
        SELECT line - ? - (n_skipped - 1) AS n_rows_before, max(n_skipped) AS n_skipped
        FROM skipped GROUP BY n_rows_before
        """,
        [list(scan.skipped), scan.first_line],
    )
    query = (
        f"SELECT rows.*, rows.rowid + {scan.first_line} + coalesce(n_skipped, 0) AS {LINE} "
        f"FROM {table} AS rows ASOF LEFT JOIN skipped_lines ON rows.rowid >= skipped_lines.n_rows_before"
    )
    return NumberedRows(query, n_unreadable)


def _list_unreadable_lines(connection: duckdb.DuckDBPyConnection) -> int:
    [(n_unreadable,)] = connection.execute(f"SELECT count(DISTINCT line) FROM {REJECTS}").fetchall()
    if n_unreadable:
        connection.execute(
            f"""
            CREATE TEMP TABLE unreadable_lines AS
            SELECT line::BIGINT AS line, {_unreadable_rule()} AS rule, {_unreadable_finding()} AS finding
            FROM {REJECTS} QUALIFY row_number() OVER (PARTITION BY line ORDER BY column_idx NULLS FIRST) = 1
            """
        )
    return int(n_unreadable)


def _unreadable_rule() -> str:
    return _by_error({error: finding_sql(code, _LINE) for error, code in _RULES.items()}, error="''")


def _unreadable_finding() -> str:
    return _by_error(
        {error: finding_sql(code, _LINE) for error, code in _CODES.items()}, error="lower(error_type)"
    )


def _by_error(found: Mapping[str, str], error: str) -> str:
    cases = " ".join(f"WHEN {quoted(kind)} THEN {finding}" for kind, finding in found.items())
    other = finding_sql("unreadable_line", _LINE, error=error)
    return f"CASE CAST(error_type AS VARCHAR) {cases} ELSE {other} END"


def _suspect(path: Path) -> str:
    """Return a hint at the first line whose quotes don't pair up."""
    number, rest = 0, b""
    for chunk in text_chunks(path):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            if line.count(b'"') % 2:
                return f" line {number}"
    return f" line {number + 1}" if rest.count(b'"') % 2 else ""
