"""The erasure of a person from the warehouse: the rows, and then the bytes of the rows.

In a DuckDB file the bytes of a row remain after DELETE, CHECKPOINT and VACUUM. They are not in a new file
written from the remaining rows. Erased people are recorded outside of the warehouse, one tombstone per
person, so that the record survives when a warehouse is deleted and loaded again.
"""

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.contracts.findings import Finding, to_json
from features.contracts.sql_text import identifier, quoted
from features.errors import MetacartError
from features.warehouse.store import transaction

REJECTED_LINES = "rejected_lines"
ERASED = Finding("person_erased", "line")
"""All that stays known of a rejected line about a person who was erased."""

_SESSIONS = "sessions_of_the_person"
_WORD_STARTS, _WORD_ENDS = "(^|[^0-9A-Za-z_])", "([^0-9A-Za-z_]|$)"


@dataclass(frozen=True)
class Tombstone:
    """The tombstone of an erased person, whose rows are not loaded again: the pseudonym, and its key."""

    user_key: str
    key_id: str


def read_tombstones(folder: Path) -> tuple[Tombstone, ...]:
    """Return all erased people: one JSON object with user_key and key_id per file of the folder.

    A tombstone does not work with another key: when the shop changes its key, a file that is loaded again
    brings back its people, unless they are erased again.
    """
    records = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    return tuple(Tombstone(record["user_key"], record["key_id"]) for record in records)


def not_erased_sql(user_keys: Collection[str]) -> str:
    """Return the SQL condition over stored rows that is true for all people except the erased.

    >>> not_erased_sql(["ab", "cd"])
    "(user_key IS NULL OR user_key NOT IN ('ab', 'cd'))"
    >>> not_erased_sql([])
    'true'
    """
    listed = ", ".join(map(quoted, sorted(user_keys)))
    return f"(user_key IS NULL OR user_key NOT IN ({listed}))" if listed else "true"


def find_person(connection: duckdb.DuckDBPyConnection, user_key: str, user_id: str) -> dict[str, int]:
    """Count the rows about a person, by table; tables without such rows are left out.

    A row is about the person when one of its texts contains the pseudonym; when it has no user and belongs to
    a session with no other user; or, among the rejected lines, when its texts contain the shop's own id as a
    word, or such a session.
    """
    _collect_sessions(connection, user_key)
    counts = {
        table: _count(connection, f"SELECT count(*) FROM {identifier(table)} WHERE {condition}")
        for table, condition in _conditions(connection, user_key, user_id).items()
    }
    return {table: n_rows for table, n_rows in counts.items() if n_rows}


def erase_person(connection: duckdb.DuckDBPyConnection, user_key: str, user_id: str) -> None:
    """Delete every row that `find_person` counts, all or none; of a rejected line only the number stays.

    The number stays because loaded and rejected lines add up to the lines of a file. Tables that were made
    from the rows still contain sums over them: build these again. The bytes stay until `rewrite_store`.
    """
    with transaction(connection):
        _collect_sessions(connection, user_key)
        for table, condition in _conditions(connection, user_key, user_id).items():
            if table == REJECTED_LINES:
                left = f"findings = {quoted(to_json([ERASED]))}, example = NULL"
                connection.execute(f"UPDATE {table} SET {left} WHERE {condition}")
            else:
                connection.execute(f"DELETE FROM {identifier(table)} WHERE {condition}")
        connection.execute(f"DROP TABLE {_SESSIONS}")


def rewrite_store(path: Path, *, memory_limit: str = "4GB", threads: int = 2) -> None:
    """Replace a warehouse file by a new one with its live rows, in one step.

    No other process may have it open. After a crash there is the old file or the new one. The blocks of the
    old file are then free, but unreadable only where the disk is encrypted or has overwritten them. Raises
    MetacartError when the disk lacks the room or the copy lacks rows.
    """
    fresh = path.with_name(f".{path.name}.rewritten")
    for leftover in (fresh, _log_of(fresh)):
        leftover.unlink(missing_ok=True)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "temp_directory": f"{path}.tmp",
        "autoinstall_known_extensions": False,
    }
    try:
        with duckdb.connect(config=settings) as connection:
            connection.execute(f"ATTACH {quoted(str(path))} AS old (READ_ONLY)")
            connection.execute(f"ATTACH {quoted(str(fresh))} AS fresh")
            fresh.chmod(0o600)
            connection.execute("COPY FROM DATABASE old TO fresh")
            before, after = _n_rows(connection, "old"), _n_rows(connection, "fresh")
            # Detaching writes the last rows from the log into the file.
            connection.execute("DETACH fresh")
    except duckdb.Error as error:
        raise MetacartError(
            f"{path} could not be rewritten, so it still contains the bytes of deleted rows: "
            f"{str(error).splitlines()[0]} Free as much room as the file takes, then erase again."
        ) from error
    if before != after:
        raise MetacartError(
            f"{path} was rewritten with other rows: {before} became {after}. The old file stays."
        )
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(fresh, path)  # noqa: PTH105 - the one call that is atomic on every file system
    # A log of the old file would be replayed into the new one.
    _log_of(path).unlink(missing_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _collect_sessions(connection: duckdb.DuckDBPyConnection, user_key: str) -> None:
    """List the sessions in which the person was the only known user.

    A session of several people, or one id that a shop gives to all, does not identify the person of a row.
    """
    visits = " UNION ALL ".join(
        f"SELECT session_id, user_key FROM {identifier(table)}"
        for table, columns in _text_columns(connection).items()
        if table.startswith("raw_") and {"session_id", "user_key"} <= set(columns)
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {_SESSIONS} AS
        SELECT session_id FROM ({visits}) WHERE session_id IS NOT NULL AND user_key IS NOT NULL
        GROUP BY session_id HAVING bool_and(user_key = {quoted(user_key)})
        """
    )


def _conditions(connection: duckdb.DuckDBPyConnection, user_key: str, user_id: str) -> dict[str, str]:
    """Return, for each table with texts, the condition under which a row is about the person."""
    conditions = {}
    for table, columns in _text_columns(connection).items():
        about = [f"contains({identifier(column)}, {quoted(user_key)})" for column in columns]
        if table.startswith("raw_") and {"session_id", "user_key"} <= set(columns):
            about.append(f"user_key IS NULL AND session_id IN (FROM {_SESSIONS})")
        if table == REJECTED_LINES:
            about.extend(_holds_word(column, user_id) for column in columns)
            about.append(f"json_extract_string(example, '$.session_id') IN (FROM {_SESSIONS})")
        conditions[table] = " OR ".join(f"coalesce({condition}, false)" for condition in about)
    return conditions


def _holds_word(column: str, word: str) -> str:
    """Return the condition that a text holds a word by itself, as it is or with the escapes of JSON."""
    spellings = {word, json.dumps(word, ensure_ascii=False)[1:-1]}
    return " OR ".join(
        f"regexp_matches({identifier(column)}, '{_WORD_STARTS}' || regexp_escape({quoted(spelling)}) || "
        f"'{_WORD_ENDS}')"
        for spelling in sorted(spellings)
    )


def _text_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    rows = connection.execute(
        """
        SELECT table_name, list(column_name ORDER BY column_index)
        FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, schema_name, table_name)
        WHERE NOT duckdb_tables.temporary AND data_type IN ('VARCHAR', 'JSON')
        GROUP BY table_name ORDER BY table_name
        """
    ).fetchall()
    return dict(rows)


def _n_rows(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, int]:
    tables = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY ALL", [database]
    ).fetchall()
    return {
        table: _count(connection, f"SELECT count(*) FROM {database}.{identifier(schema)}.{identifier(table)}")
        for schema, table in tables
    }


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
