"""A warehouse of an earlier version has sentences where findings are now: each becomes a finding with it.

Rejected lines and notes of a file are written again as soon as it is read again, which a changed contract
causes; what stays is about files that the shop no longer has.
"""

import duckdb

_FINDINGS = {
    "rejected_lines": (
        "json_object('code', 'rejected_before', 'subject', 'line', "
        "'numbers', json_object('rule', rule, 'said', findings))"
    ),
    "file_notes": (
        "json_object('code', 'noted_before', 'subject', 'file', "
        "'numbers', json_object('rule', rule, 'said', findings))"
    ),
}
"""Table → the SQL of the finding that its sentence becomes."""

_RULE = (
    "json_object('code', 'rejected_before', 'subject', 'line', "
    "'numbers', json_object('rule', rule, 'said', ''))"
)


def keep_earlier_reasons(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the sentences of an earlier version into findings; a warehouse of this version stays as it is."""
    for table, finding in _FINDINGS.items():
        columns = {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()}
        if "reason" not in columns:
            continue
        connection.execute(f"ALTER TABLE {table} RENAME COLUMN reason TO findings")
        connection.execute(f"UPDATE {table} SET findings = '[' || CAST({finding} AS VARCHAR) || ']'")
        if table == "rejected_lines":
            connection.execute(f"UPDATE {table} SET rule = CAST({_RULE} AS VARCHAR)")
