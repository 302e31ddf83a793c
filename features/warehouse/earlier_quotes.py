"""A warehouse of an earlier version quotes values of broken lines: the quotes leave it when it is opened.

A column may have been shifted, so a quote may be an address or a user id. Files that the shop still has are
read again, because their contract has changed, and then have the shapes of these values.
"""

import duckdb

from features.contracts.finding_sql import array_sql, finding_sql

_QUOTING = """regexp_matches(findings, '"(value|other_value|sum|said)":("[^"]|[-0-9])')"""
"""Findings with a value of a line; `said` is empty where nothing is quoted."""

# The sentence about a closed day says nothing of the line, and unpublishing a night reads its numbers.
_CLOSED_DAY = """
    '[' || json_merge_patch(json_extract(findings, '$[0]'), '{"numbers": {"value": null}}') || ']'
"""
_RULE_BEFORE = """
    '[' || json_merge_patch(json_extract(findings, '$[0]'), '{"numbers": {"said": ""}}') || ']'
"""


_PUBLISHED = "out_data_quality"
# An example of this version is an array of findings, or in what is published a sentence of shapes.
_IS_QUOTE = "starts_with(example, '{')"
_EXAMPLE = ("example", f"CASE WHEN NOT {_IS_QUOTE} THEN example END")


def remove_quotes(connection: duckdb.DuckDBPyConnection) -> int:
    """Take the values and examples of broken lines out of rejected_lines and out_data_quality.

    Returns the number of rows that had some. A warehouse of this version has none. The bytes stay in the file
    until it is written anew: by `metacart erase`, or by `metacart prune` once enough of it is free.
    """
    found = f"""
        CASE WHEN NOT {_QUOTING} THEN findings ELSE
            CASE json_extract_string(findings, '$[0].code')
                WHEN 'day_is_closed' THEN {_CLOSED_DAY}
                WHEN 'rejected_before' THEN {_RULE_BEFORE}
                ELSE {_removed("'$[0].subject'")}
            END
        END"""
    n_rejected = _update(connection, "rejected_lines", _QUOTING, ("findings", found), _EXAMPLE)
    known = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [_PUBLISHED]
    ).fetchall()
    if not known:
        return n_rejected
    if ("findings",) not in known:
        return n_rejected + _update(connection, _PUBLISHED, _IS_SENTENCE, ("reason", "rule"), _EXAMPLE)
    cause = _removed("'$[0].because[0].subject'")
    first = f"json_merge_patch(json_extract(findings, '$[0]'), '{{\"because\": ' || {cause} || '}}')"
    unquoted = f"CASE WHEN {_QUOTING} THEN '[' || {first} || ']' ELSE findings END"
    # a night of before the findings has none
    quoting = f"({_QUOTING} OR findings IS NULL AND {_IS_SENTENCE})"
    rule_alone = f"CASE WHEN {quoting} THEN rule ELSE reason END"
    values = (("findings", unquoted), ("reason", rule_alone), _EXAMPLE)
    return n_rejected + _update(connection, _PUBLISHED, quoting, *values)


_IS_SENTENCE = "(n_rejected > 0 AND reason <> rule)"


def _removed(subject: str) -> str:
    """Return the SQL of the findings in place of a quote; subject: SQL of the path of its column."""
    found = finding_sql("quote_removed", "column")
    name = f"json_object('subject', json_extract_string(findings, {subject}))"
    return array_sql(f"CAST(json_merge_patch({found}, {name}) AS VARCHAR)")


def _update(connection: duckdb.DuckDBPyConnection, table: str, quoting: str, *values: tuple[str, str]) -> int:
    """Set columns to the value of an SQL expression where a row quotes a line; return the number of rows."""
    changed = ", ".join(f"{name} = {value}" for name, value in values)
    [(n_rows,)] = connection.execute(
        f"UPDATE {table} SET {changed} WHERE {quoting} OR {_IS_QUOTE}"
    ).fetchall()
    return int(n_rows)
