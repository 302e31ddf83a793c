"""The storing of good lines as rows of the raw tables: with pseudonyms for user ids, free text scrubbed."""

from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from features.contracts.logs import ADDED_UP, KEYS, LOGS
from features.contracts.mapping import LINE, SourceFile
from features.contracts.sql_text import identifier
from features.errors import MetacartError
from features.warehouse.checked_lines import BROKEN_TEXT, CONTENT, CheckedFile, CheckedLines
from features.warehouse.database_words import words_of
from features.warehouse.log_columns import LogColumns
from features.warehouse.store import LINE_HASH, STORED_AS

StoredValue = Callable[[str, Mapping[str, Any] | None], str]
"""The stored form of a value: from its SQL expression and its column's metadata, another expression."""

USER_ID = "user_id"


def as_it_is(value: str, metadata: Mapping[str, Any] | None) -> str:  # noqa: ARG001
    """Store the value unchanged."""
    return value


def store_rows(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    checked: CheckedFile,
    load_number: int,
    *,
    stored_value: StoredValue,
    not_erased: str,
    has_implausible: bool,
) -> None:
    """Copy the lines that are not in quarantine into the raw tables of their logs; see `make_pseudonyms`.

    has_implausible: whether lines are in quarantine that break no rule alone.
    Raises MetacartError when a row can't be stored, without a word of its line.
    """
    # A line can be bad because of another row: of several tables, of one list, or of the whole file.
    rejected = f"(SELECT line FROM rejected_lines WHERE load_number = {load_number})"
    others = "true" if checked.has_line_per_row and not has_implausible else f"{LINE} NOT IN {rejected}"
    try:
        for lines in checked.tables:
            for log in lines.logs:
                _insert(
                    connection,
                    lines,
                    log,
                    load_number=load_number,
                    others=others,
                    stored_value=stored_value,
                    not_erased=not_erased,
                )
        for name in dict.fromkeys(mapping.log for mapping in file.logs):
            if _can_have_twins(file, name):
                _delete_twins(connection, name, load_number)
    except duckdb.Error as error:
        # Without the cause: it quotes the query, and the query holds the line.
        raise MetacartError(f"{file.name}: its rows could not be stored: {words_of(error)}") from None


def make_pseudonyms(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, checked: CheckedFile, pseudonym_sql: str
) -> None:
    """Write each user's pseudonym once to the temporary table pseudonyms: a hash costs more than a look-up.

    Raises MetacartError when one can't be computed, without a word of the key that the query holds.
    """
    users = " UNION ".join(
        f"SELECT {check.typed} AS {USER_ID} FROM ({lines.query})"
        for lines in checked.tables
        for log in lines.logs
        for check in log.checks
        if check.column == USER_ID
    )
    if not users:
        return
    try:
        connection.execute(
            f"CREATE TEMP TABLE pseudonyms AS SELECT {USER_ID}, {pseudonym_sql} AS user_key "
            f"FROM (SELECT DISTINCT {USER_ID} FROM ({users}) WHERE {USER_ID} IS NOT NULL)"
        )
    except duckdb.Error as error:
        # Without the cause: it quotes the query, and the query holds the key.
        raise MetacartError(f"{file.name}: its pseudonyms could not be made: {words_of(error)}") from None


def _insert(
    connection: duckdb.DuckDBPyConnection,
    lines: CheckedLines,
    log: LogColumns,
    *,
    load_number: int,
    others: str,
    stored_value: StoredValue,
    not_erased: str,
) -> None:
    metadata = {name: column.metadata for name, column in LOGS[log.mapping.log].columns().items()}
    values = ", ".join(
        f"{'user_key' if check.column == USER_ID else stored_value(check.typed, metadata[check.column])} "
        f"AS {_stored_name(check.column)}"
        for check in log.checks
    )
    user = next((check.typed for check in log.checks if check.column == USER_ID), None)
    if log.mapping.log in ADDED_UP:
        values += f", {CONTENT} AS {LINE_HASH}"
    join = f"LEFT JOIN pseudonyms ON {user} = pseudonyms.{USER_ID}" if user else ""
    connection.execute(
        f"""
        INSERT INTO raw_{log.mapping.log} BY NAME
        SELECT {values}, {load_number} AS load_number, {LINE} AS file_line
        FROM ({lines.query}) {join}
        WHERE {log.belongs} AND {BROKEN_TEXT} IS NULL AND {others} AND {f"({not_erased})" if user else "true"}
        {_last_of_key(log)}
        """
    )


def _stored_name(column: str) -> str:
    return identifier(STORED_AS.get(column, column))


def _key(log: str) -> str:
    return ", ".join(_stored_name(name) for name in KEYS[log])


def _last_of_key(log: LogColumns) -> str:
    if not log.mapping.one_row_per_key:
        return ""
    key = ", ".join(check.typed for check in log.checks if check.column in KEYS[log.mapping.log])
    return f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {LINE} DESC) = 1"


def _can_have_twins(file: SourceFile, log: str) -> bool:
    if log in ADDED_UP:
        return False
    feeding = [mapping for mapping in file.logs if mapping.log == log]
    return len(feeding) > 1 or feeding[0].elements is not None


def _delete_twins(connection: duckdb.DuckDBPyConnection, log: str, load_number: int) -> None:
    """Keep the last row of a key on a line, so that key and line identify every row."""
    connection.execute(
        f"""
        DELETE FROM raw_{log} WHERE load_number = {load_number} AND rowid IN (
            SELECT rowid FROM raw_{log} WHERE load_number = {load_number}
            QUALIFY row_number() OVER (PARTITION BY {_key(log)}, file_line ORDER BY rowid DESC) > 1
        )
        """
    )
