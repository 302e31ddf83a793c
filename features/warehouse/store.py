"""The warehouse file of one shop: one writer, raw tables made from the log contracts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from features.contracts.check import column_checks
from features.contracts.logs import ADDED_UP, LOGS
from features.errors import BusyFileError, InputDataError, MetacartError
from features.machine_faults import is_damage, machine_fault
from features.warehouse.earlier_quotes import remove_quotes
from features.warehouse.earlier_reasons import keep_earlier_reasons

SQL = Path(__file__).parent / "sql"

STORED_AS = {"user_id": "user_key"}
# Of a log whose lines add up: a hash of the whole line, including columns that no mapping reads.
LINE_HASH = "line_hash"

IDLE_MEMORY = "64MB"


@contextmanager
def open_store(
    path: Path, *, memory_limit: str = "4GB", threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the shop's warehouse, and create file and raw tables on the first night.

    memory_limit: beyond it DuckDB spills to a folder next to the file.
    Raises BusyFileError when another process holds the file, InputDataError when it is damaged or no
    DuckDB file, MetacartError when its raw tables were made from other contracts.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Whatever made the folder: the file beside it that DuckDB logs to has the mode of any new file.
    path.parent.chmod(0o700)
    connection = _connect(path, memory_limit, threads)
    try:
        path.chmod(0o600)
        # Days are UTC days whatever the machine's zone, in casts and in text.
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET VARIABLE memory_limit = '{memory_limit}'")
        _create_tables(connection, path)
        yield connection
    finally:
        connection.close()


@contextmanager
def open_to_read(path: Path, *, memory_limit: str = "1GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an existing warehouse without changing it, its mode or its tables.

    Raises BusyFileError when another process writes to it, InputDataError when it is damaged.
    """
    connection = _connect(path, memory_limit, threads=1, read_only=True)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit all changes inside the block, or none of them if it ends with an exception."""
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def release_pages(connection: duckdb.DuckDBPyConnection) -> None:
    """Release the pages that are cached from earlier work, so that memory does not grow file by file.

    DuckDB keeps every page that it has used until its memory limit is reached. A lower limit makes it drop
    unused pages in milliseconds; pages in use stay.
    """
    # current_setting rounds, so that a limit that is read and set again would shrink each time
    [(limit,)] = connection.execute("SELECT getvariable('memory_limit')").fetchall()
    with suppress(duckdb.OutOfMemoryException):
        connection.execute(f"SET memory_limit = '{IDLE_MEMORY}'")
    connection.execute(f"SET memory_limit = '{limit}'")


def stored_columns(log: str) -> dict[str, str]:
    """Return the columns of a log's raw table with their DuckDB types: pseudonyms in place of user ids.

    `load_number` is the number of the file in load_manifest, `file_line` the line in that file.
    """
    checks = column_checks(LOGS[log])
    columns = {STORED_AS.get(check.column, check.column): check.sql_type for check in checks}
    line_hash = {LINE_HASH: "UBIGINT"} if log in ADDED_UP else {}
    return columns | line_hash | {"load_number": "BIGINT", "file_line": "BIGINT"}


def _connect(
    path: Path, memory_limit: str, threads: int, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "temp_directory": f"{path}.tmp",
        # All that is needed is in the wheel; a night never uses the network.
        "autoinstall_known_extensions": False,
    }
    try:
        return duckdb.connect(path, read_only=read_only, config=settings)
    except duckdb.Error as error:
        if "Could not set lock on file" in str(error):
            raise BusyFileError(
                f"Another process has {path} open; wait until it has ended. DuckDB says: {error}"
            ) from error
        if not is_damage(error) and (fault := machine_fault(error)):
            raise fault from error
        raise InputDataError(
            f"{path} can't be opened; restore it, or move it away and load the logs again. "
            f"DuckDB says: {error}"
        ) from error


def _create_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    for file in sorted((SQL / "manifest").glob("*.sql")):
        connection.execute(file.read_text())
    with transaction(connection):
        keep_earlier_reasons(connection)
        remove_quotes(connection)
    for log in LOGS:
        columns = stored_columns(log)
        described = ", ".join(f'"{name}" {sql_type}' for name, sql_type in columns.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS raw_{log} ({described})")
        found = {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE raw_{log}").fetchall()}
        if found.keys() - columns.keys():
            raise MetacartError(
                f"{path}: raw_{log} has the columns {', '.join(sorted(found))}, the contract has "
                f"{', '.join(sorted(columns))}; move the file away and load the logs again."
            )
        _widen(connection, f"raw_{log}", found, columns)


def _widen(
    connection: duckdb.DuckDBPyConnection, table: str, found: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    """Change a table of an earlier version to the present columns.

    New columns are null until the files are read again, which happens if they still exist.
    """
    for name, sql_type in expected.items():
        if name not in found:
            connection.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {sql_type}')
        elif (found[name], sql_type) == ("BIGINT", "DOUBLE"):
            connection.execute(f'ALTER TABLE {table} ALTER COLUMN "{name}" SET DATA TYPE DOUBLE')
