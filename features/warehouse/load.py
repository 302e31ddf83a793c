"""One file into the raw tables: checked line by line, in one transaction with its manifest row.

A file loaded twice is there once; a file whose content changed replaces its old rows. Every data line is
either loaded or in quarantine with its number and a reason.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

import duckdb

from features.contracts.check import ColumnCheck, column_checks
from features.contracts.logs import LOGS
from features.contracts.mapping import LogMapping, SourceFile
from features.errors import InputDataError, MetacartError, UsageError
from features.warehouse.census import Census, take_census
from features.warehouse.quarantine import mapped_lines, quarantine, refuse_file
from features.warehouse.reader import LINE, blame_file, drop_lines, identifier, read_lines
from features.warehouse.store import STORED_AS, transaction

Outcome = Literal["loaded", "replaced", "unchanged"]


@dataclass(frozen=True)
class LoadedFile:
    """What became of a file.

    outcome: `replaced` when rows of an older content, mapping or key gave way; `unchanged` when the
        warehouse held the file already and nothing was done.
    n_lines = n_loaded + n_rejected.
    """

    name: str
    sha256: str
    outcome: Outcome
    n_lines: int
    n_loaded: int
    n_rejected: int


def load_file(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    *,
    pseudonym_sql: str,
    key_id: str,
    max_rejected_share: float,
) -> LoadedFile:
    """Load one file into the raw tables of the logs that it feeds.

    pseudonym_sql: SQL expression over a text column `user_id`; key_id: which key is in it.
    max_rejected_share: above it the file is refused and the warehouse left as it was.
    A line is quarantined whole when it breaks a rule of any of its logs.

    Raises InputDataError when the file is missing, unreadable, changing, or has too many bad lines;
    UsageError when the mapping doesn't fit the contracts.
    """
    _refuse_unfit_mapping(file)
    _refuse_unfit_path(file)
    before = file.path.stat()
    census = take_census(file.path)
    version = _contract_version(file)
    held = _held(connection, file.name)
    if held and (held.sha256, held.key_id, held.contract_version) == (census.sha256, key_id, version):
        return LoadedFile(file.name, held.sha256, "unchanged", held.n_lines, held.n_loaded, held.n_rejected)
    try:
        n_lines = _read(connection, file, census)
        with transaction(connection):
            if held:
                _forget(connection, held)
            load_number = _next_load_number(connection)
            n_rejected = quarantine(connection, file, load_number, n_lines)
            if n_rejected > max_rejected_share * n_lines:
                said = (
                    f"{n_rejected} of {n_lines} lines are bad, above the allowed share {max_rejected_share:g}"
                )
                raise refuse_file(connection, file, load_number, said)
            if n_lines > n_rejected:
                for mapping in file.logs:
                    _insert(connection, file, mapping, load_number, pseudonym_sql)
            after = file.path.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise InputDataError(
                    f"{file.name} changed while it was read; load it when its writer is done."
                )
            manifest_row = [
                load_number,
                file.name,
                census.sha256,
                held.sha256 if held else None,
                census.n_bytes,
                n_lines,
                n_lines - n_rejected,
                n_rejected,
                [mapping.log for mapping in file.logs],
                key_id,
                version,
            ]
            marks = ", ".join("?" for _ in manifest_row)
            connection.execute(f"INSERT INTO load_manifest VALUES ({marks})", manifest_row)
    finally:
        drop_lines(connection)
    outcome: Outcome = "replaced" if held else "loaded"
    return LoadedFile(file.name, census.sha256, outcome, n_lines, n_lines - n_rejected, n_rejected)


@dataclass(frozen=True)
class _Held:
    """What the manifest says about a file of this name."""

    load_number: int
    sha256: str
    n_lines: int
    n_loaded: int
    n_rejected: int
    logs: list[str]
    key_id: str
    contract_version: str


def _held(connection: duckdb.DuckDBPyConnection, name: str) -> _Held | None:
    row = connection.execute(
        "SELECT load_number, file_sha256, n_lines, n_loaded, n_rejected, logs, key_id, contract_version "
        "FROM load_manifest WHERE source_name = ?",
        [name],
    ).fetchone()
    return _Held(*row) if row else None


def _forget(connection: duckdb.DuckDBPyConnection, held: _Held) -> None:
    """Remove the rows that the file left before."""
    for table in (*(f"raw_{log}" for log in held.logs), "rejected_lines", "load_manifest"):
        connection.execute(f"DELETE FROM {table} WHERE load_number = ?", [held.load_number])


def _next_load_number(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT coalesce(max(load_number), 0) + 1 FROM load_manifest").fetchone()
    assert row is not None
    return int(row[0])


def _refuse_unfit_path(file: SourceFile) -> None:
    if not file.path.is_file():
        raise InputDataError(f"{file.name}: there is no file at {file.path}.")
    if any(character in str(file.path) for character in "*?[]"):
        raise InputDataError(
            f"{file.name}: the path {file.path} has one of *?[], which DuckDB takes for a pattern."
        )


def _refuse_unfit_mapping(file: SourceFile) -> None:
    for mapping in file.logs:
        if mapping.log not in LOGS:
            raise UsageError(f"{file.name} is mapped to {mapping.log}; the logs are {', '.join(LOGS)}.")
        columns = LOGS[mapping.log].columns()
        unknown = [name for name in mapping.columns if name not in columns]
        missing = [
            name for name, column in columns.items() if not column.nullable and name not in mapping.columns
        ]
        if unknown or missing:
            raise UsageError(
                f"{file.name} does not fit the log {mapping.log}: columns without a mapping: "
                f"{', '.join(missing) or 'none'}; mapped but not in the log: {', '.join(unknown) or 'none'}."
            )


def _contract_version(file: SourceFile) -> str:
    """Return 12 characters that change when the same bytes would come to mean something else."""
    checks = [column_checks(LOGS[mapping.log]) for mapping in file.logs]
    mappings = [(mapping.log, sorted(mapping.columns.items()), mapping.where) for mapping in file.logs]
    meaning = repr((file.file_format, sorted(file.required), mappings, checks))
    return hashlib.sha256(meaning.encode()).hexdigest()[:12]


def _read(connection: duckdb.DuckDBPyConnection, file: SourceFile, census: Census) -> int:
    if not census.n_bytes:
        return 0
    with blame_file(f"{file.name} can't be read as {file.file_format}"):
        return read_lines(connection, file, census)


def _insert(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    mapping: LogMapping,
    load_number: int,
    pseudonym_sql: str,
) -> None:
    checks = column_checks(LOGS[mapping.log])
    values = ", ".join(f"{_stored(check, pseudonym_sql)} AS {_stored_name(check)}" for check in checks)
    try:
        connection.execute(
            f"""
            INSERT INTO raw_{mapping.log} BY NAME
            SELECT {values}, {load_number} AS load_number, {LINE} AS file_line
            FROM ({mapped_lines(mapping)})
            WHERE {LINE} NOT IN (SELECT line FROM rejected_lines WHERE load_number = {load_number})
            """
        )
    except duckdb.Error as error:
        # Only the first line, and without the cause: the rest quotes the query, and the query holds the key.
        said = str(error).splitlines()[0]
        raise MetacartError(f"{file.name}: rows of {mapping.log} could not be stored: {said}") from None


def _stored(check: ColumnCheck, pseudonym_sql: str) -> str:
    return pseudonym_sql if check.column == "user_id" else check.value


def _stored_name(check: ColumnCheck) -> str:
    return identifier(STORED_AS.get(check.column, check.column))
