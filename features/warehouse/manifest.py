"""What the warehouse knows about the files that it holds: one row each, written with their rows."""

from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class HeldFile:
    """A row of load_manifest."""

    load_number: int
    source_name: str
    file_sha256: str
    replaced_sha256: str | None
    n_bytes: int
    n_lines: int
    n_loaded: int
    n_rejected: int
    logs: list[str]
    key_id: str
    contract_version: str
    names: list[str]


_COLUMNS = ", ".join(HeldFile.__dataclass_fields__)


def held_file(connection: duckdb.DuckDBPyConnection, name: str) -> HeldFile | None:
    """Return what is held under a file's name."""
    found = connection.execute(f"SELECT {_COLUMNS} FROM load_manifest WHERE source_name = ?", [name])
    return next((HeldFile(*row) for row in found.fetchall()), None)


def forget_file(connection: duckdb.DuckDBPyConnection, held: HeldFile) -> None:
    """Remove a file's rows, rejected lines, notes and its row of the manifest."""
    for table in (*(f"raw_{log}" for log in held.logs), "rejected_lines", "file_notes", "load_manifest"):
        connection.execute(f"DELETE FROM {table} WHERE load_number = ?", [held.load_number])


def next_load_number(connection: duckdb.DuckDBPyConnection) -> int:
    """Return a number above those of all files held."""
    [(number,)] = connection.execute("SELECT coalesce(max(load_number), 0) + 1 FROM load_manifest").fetchall()
    return int(number)


def record_file(connection: duckdb.DuckDBPyConnection, held: HeldFile) -> None:
    """Write a file's row of the manifest."""
    values = [getattr(held, name) for name in HeldFile.__dataclass_fields__]
    marks = ", ".join("?" for _ in values)
    connection.execute(f"INSERT INTO load_manifest ({_COLUMNS}) VALUES ({marks})", values)


def previous_names(connection: duckdb.DuckDBPyConnection, contract_version: str) -> list[str] | None:
    """Return the column names of the newest file that the same mapping read, None for the first one."""
    found = connection.execute(
        "SELECT names FROM load_manifest WHERE contract_version = ? AND len(names) > 0 "
        "ORDER BY load_number DESC LIMIT 1",
        [contract_version],
    )
    return next((list(names) for (names,) in found.fetchall()), None)
