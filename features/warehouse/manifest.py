"""The manifest of loaded files: one row per file, written together with the file's rows."""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb


@dataclass(frozen=True)
class HeldFile:
    """A row of load_manifest; its SQL explains each column."""

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
    source: str | None = None
    is_part: bool | None = None
    adds_identical_lines: bool | None = None
    one_row_per_key: list[str] | None = None
    received_at: datetime | None = None
    twin_of: str | None = None
    joined_sha256: str | None = None

    @property
    def meaning(self) -> tuple[str, str, str, str | None]:
        """All that the stored rows depend on: content, pseudonym key, mapping, and joined file."""
        return self.file_sha256, self.key_id, self.contract_version, self.joined_sha256


_COLUMNS = ", ".join(HeldFile.__dataclass_fields__)
# seconds since 1970, because a time zone would ask the driver for a library that is not needed otherwise
_READ = _COLUMNS.replace("received_at", "epoch_us(received_at) // 1000000 AS received_at")


def held_file(connection: duckdb.DuckDBPyConnection, name: str) -> HeldFile | None:
    """Return the manifest row of a file's name."""
    return _one(connection, "source_name = ?", name)


def held_content(connection: duckdb.DuckDBPyConnection, file_sha256: str) -> HeldFile | None:
    """Return the first file of this content with stored rows."""
    return _one(connection, "file_sha256 = ? AND twin_of IS NULL", file_sha256)


def held_meanings(
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, tuple[str, str, str, str | None]]:
    """Return file → `HeldFile.meaning` of all files with a row."""
    found = connection.execute(
        "SELECT source_name, file_sha256, key_id, contract_version, joined_sha256 FROM load_manifest"
    ).fetchall()
    return {name: tuple(meaning) for name, *meaning in found}


def key_ids(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return the ids of the pseudonym keys of all files with stored rows."""
    found = connection.execute(
        "SELECT DISTINCT key_id FROM load_manifest WHERE n_loaded > 0 ORDER BY 1"
    ).fetchall()
    return tuple(key_id for (key_id,) in found)


def _one(connection: duckdb.DuckDBPyConnection, condition: str, value: str) -> HeldFile | None:
    found = connection.execute(
        f"SELECT {_READ} FROM load_manifest WHERE {condition} ORDER BY load_number LIMIT 1", [value]
    ).fetchone()
    if found is None:
        return None
    fields = dict(zip(HeldFile.__dataclass_fields__, found, strict=True))
    seconds = fields["received_at"]
    return HeldFile(**fields | {"received_at": seconds and datetime.fromtimestamp(seconds, UTC)})


def forget_file(connection: duckdb.DuckDBPyConnection, held: HeldFile) -> None:
    """Remove a file's rows, rejected lines, notes and its row of the manifest."""
    for table in (
        *(f"raw_{log}" for log in held.logs),
        "rejected_lines",
        "file_notes",
        "item_prices",
        "load_manifest",
    ):
        connection.execute(f"DELETE FROM {table} WHERE load_number = ?", [held.load_number])


def next_load_number(connection: duckdb.DuckDBPyConnection) -> int:
    """Return a number above those of all stored files."""
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
