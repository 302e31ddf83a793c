"""A warehouse of an earlier version has sentences where findings are now: each becomes a finding with it.

Rejected lines and notes of a file are written again as soon as it is read again, which a changed contract
causes; what stays is about files that the shop no longer has.
"""

import duckdb

_CODES = {
    "rejected_lines": ("rejected_before", "line"),
    "file_notes": ("noted_before", "file"),
}
"""Table → the code and the subject of the finding that its sentence becomes."""


def keep_earlier_reasons(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the sentences of an earlier version into findings; a warehouse of this version stays as it is.

    To be called inside a transaction: the name of the column says which of the two a table holds, so the
    name and the rows must change together.
    """
    for table, (code, subject) in _CODES.items():
        columns = {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()}
        if "reason" not in columns:
            continue
        connection.execute(f"ALTER TABLE {table} RENAME COLUMN reason TO findings")
        connection.execute(
            f"UPDATE {table} SET findings = '[' || {_object_sql(code, subject, 'findings')} || ']'"
        )
        if table == "rejected_lines":
            connection.execute(f"UPDATE {table} SET rule = {_object_sql(code, subject, repr(''))}")


def _object_sql(code: str, subject: str, said: str) -> str:
    """Return the SQL of a finding: a rule of an earlier version, and the sentence in the SQL `said`."""
    return (
        f"CAST(json_object('code', '{code}', 'subject', '{subject}', "
        f"'numbers', json_object('rule', rule, 'said', {said})) AS VARCHAR)"
    )
