"""The erasure of a person from the warehouse: the rows, and then the bytes of the rows.

In a DuckDB file the bytes of a row remain after DELETE, CHECKPOINT and VACUUM. They are not in a new file
written from the remaining rows.
"""

import os
from collections.abc import Collection
from pathlib import Path

import duckdb

from features.contracts.findings import Finding, codes_of, to_json
from features.contracts.logs import LOGS
from features.contracts.sql_text import identifier, quoted
from features.errors import MetacartError
from features.warehouse.shop_ids import ShopId, count_words, execute, text_columns
from features.warehouse.store import transaction

# Tables that quote lines of the shop's files, and the columns that do so.
REJECTED_LINES = "rejected_lines"
QUOTING = (REJECTED_LINES, "out_data_quality")
QUOTES = ("reason", "findings", "example")
ERASED = Finding("person_erased", "line")
"""All that stays known of a rejected line about a person who was erased."""

_SESSIONS = "sessions_of_the_person"

# In a row without a user, the shop's id inside one of these says whose row it is.
_OWN_IDS = ("session_id", "impression_id", "event_id", "order_id", "ad_impression_id")

# In rows of other people, the shop's id can be masked where the text only links rows or describes.
_MASKED = {"session_id", "candidate_set_id"} | {
    name
    for contract in LOGS.values()
    for name, column in contract.columns().items()
    if (column.metadata or {}).get("free_text")
}


def find_person(connection: duckdb.DuckDBPyConnection, user_key: str, shop_id: ShopId) -> dict[str, int]:
    """Count the rows about a person, by table; tables without such rows are left out.

    A row is about the person when one of its texts contains the pseudonym; when it has no user and belongs to
    a session with no other user; when it has no user, and its session or its own id contains the shop's id,
    if that is distinct; or, among rejected lines and in out_data_quality, when its quotes contain the shop's
    id as a word; or, among rejected lines, when they contain such a session.
    """
    _collect_sessions(connection, user_key)
    counts = {}
    for table, condition in _conditions(connection, user_key, shop_id).items():
        query = f"SELECT count(*) FROM {identifier(table)} WHERE {condition}"
        [(n_rows,)] = execute(connection, query, shop_id.parameters).fetchall()
        counts[table] = int(n_rows)
    return {table: n_rows for table, n_rows in counts.items() if n_rows}


def erase_person(
    connection: duckdb.DuckDBPyConnection,
    user_key: str,
    shop_id: ShopId,
    *,
    mask: str,
    sentence: str = ERASED.code,
) -> None:
    """Delete every row that `find_person` counts, all or none; of a quoted line only the number stays.

    The number stays because loaded and rejected lines add up to the lines of a file. In rows of other people
    the words that `find_maskable` counts become `mask`. Tables that were made from the rows still contain
    sums over them: build these again. The bytes stay until `rewrite_store`. sentence: what out_data_quality
    says in place of a quoted line.
    """
    with transaction(connection):
        _collect_sessions(connection, user_key)
        for table, condition in _conditions(connection, user_key, shop_id).items():
            change = f"DELETE FROM {identifier(table)}"
            if table in QUOTING:
                change = f"UPDATE {table} SET {_emptied(connection, table, sentence)}"
            execute(connection, f"{change} WHERE {condition}", shop_id.parameters)
        for table, column in find_maskable(connection, user_key, shop_id):
            query = (
                f"UPDATE {identifier(table)} SET {identifier(column)} = {shop_id.masked(column)} "
                f"WHERE {shop_id.held_by(column)}"
            )
            execute(connection, query, shop_id.parameters | {"mask": mask})
        connection.execute(f"DROP TABLE {_SESSIONS}")


def find_words(connection: duckdb.DuckDBPyConnection, shop_id: ShopId) -> dict[tuple[str, str], int]:
    """Count the rows whose texts contain the shop's id as a word, by table and column.

    Every column with texts is searched, also in lists and records; columns of numbers and times are not.
    """
    return {
        (table, column): n_rows
        for table in _tables(connection)
        for column, n_rows in count_words(
            connection, identifier(table), text_columns(connection, identifier(table)), shop_id
        ).items()
    }


def find_maskable(
    connection: duckdb.DuckDBPyConnection, user_key: str, shop_id: ShopId
) -> dict[tuple[str, str], int]:
    """Count the rows of other people in which the shop's id can be masked, by table and column.

    None if the word could mean something else.
    """
    if not shop_id.is_distinct:
        return {}
    _collect_sessions(connection, user_key)
    found = {}
    for table, condition in _conditions(connection, user_key, shop_id).items():
        columns = [name for name in text_columns(connection, identifier(table)) if name in _MASKED]
        others = f"(SELECT * FROM {identifier(table)} WHERE NOT ({condition}))"
        for column, n_rows in count_words(connection, others, columns, shop_id).items():
            found[table, column] = n_rows
    return found


def count_rows_of(connection: duckdb.DuckDBPyConnection, user_keys: Collection[str]) -> dict[str, int]:
    """Count the raw rows of each of the pseudonyms; those without rows are left out."""
    visits = " UNION ALL ".join(
        f"SELECT user_key FROM {identifier(table)}"
        for table, columns in _text_columns(connection).items()
        if table.startswith("raw_") and "user_key" in columns
    )
    rows = connection.execute(
        f"SELECT user_key, count(*) FROM ({visits}) WHERE list_contains(?, user_key) GROUP BY user_key",
        [list(user_keys)],
    )
    return {user_key: int(n_rows) for user_key, n_rows in rows.fetchall()}


def _emptied(connection: duckdb.DuckDBPyConnection, table: str, sentence: str) -> str:
    """Return the assignments that empty the quotes of a row; a table of an earlier version lacks some."""
    left = {
        "reason": quoted(sentence),
        "reason_codes": quoted(codes_of([ERASED])),
        "findings": quoted(to_json([ERASED])),
        "example": "NULL",
    }
    known = connection.execute(f"DESCRIBE {identifier(table)}").fetchall()
    return ", ".join(f"{name} = {left[name]}" for name, *_ in known if name in left)


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


def _conditions(connection: duckdb.DuckDBPyConnection, user_key: str, shop_id: ShopId) -> dict[str, str]:
    """Return, for each table with texts, the condition under which a row is about the person."""
    conditions = {}
    for table, columns in _text_columns(connection).items():
        about = [f"contains({identifier(column)}, {quoted(user_key)})" for column in columns]
        if table.startswith("raw_") and {"session_id", "user_key"} <= set(columns):
            about.append(f"user_key IS NULL AND session_id IN (FROM {_SESSIONS})")
        if shop_id.is_distinct and "user_key" in columns:
            about.extend(
                f"user_key IS NULL AND {shop_id.held_by(name)}" for name in _OWN_IDS if name in columns
            )
        if table in QUOTING:
            about.extend(shop_id.held_by(column) for column in QUOTES if column in columns)
        if table == REJECTED_LINES:
            about.append(f"json_extract_string(example, '$.session_id') IN (FROM {_SESSIONS})")
        conditions[table] = " OR ".join(f"coalesce({condition}, false)" for condition in about)
    return conditions


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY table_name"
    ).fetchall()
    return [table for (table,) in rows]


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
