"""A fresh warehouse, files to load into it, and rows put straight into its raw tables."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import duckdb
import pytest

from features.contracts.logs import LOGS
from features.contracts.mapping import FileFormat, LogMapping, SourceFile
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.store import open_store
from reports.wording.sentences import say

PSEUDONYM_SQL = "'key of ' || user_id"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(tmp_path / "warehouse" / "shop.duckdb") as connection:
        yield connection


@pytest.fixture
def source_file(tmp_path: Path) -> Callable[..., SourceFile]:
    """Write a file of one log whose columns are called as in the contract."""

    def write(
        content: str | bytes,
        log: str = "impressions",
        *,
        name: str = "day.csv",
        file_format: FileFormat = "csv",
        columns: Mapping[str, str] | None = None,
    ) -> SourceFile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        names = LOGS[log].columns()
        required = frozenset(name for name, column in names.items() if not column.nullable)
        mapping = LogMapping(log, columns or {name: name for name in required})
        return SourceFile(path, name, file_format, required, (mapping,))

    return write


@pytest.fixture
def load(warehouse: duckdb.DuckDBPyConnection) -> Callable[..., LoadedFile]:
    def load_into_warehouse(
        file: SourceFile, *, max_rejected_share: float = 1.0, key_id: str = "k1"
    ) -> LoadedFile:
        return load_file(
            warehouse,
            file,
            pseudonym_sql=PSEUDONYM_SQL,
            key_id=key_id,
            max_rejected_share=max_rejected_share,
            say=say,
        )

    return load_into_warehouse


@pytest.fixture
def put(warehouse: duckdb.DuckDBPyConnection) -> Callable[..., None]:
    """Insert rows into a raw table as a load would leave them; what a row does not say is null."""

    def insert(log: str, *rows: Mapping[str, object], load_number: int = 1) -> None:
        # a line is there once: rows that are put later stand behind those that are there
        [(n_rows,)] = warehouse.execute(f"SELECT count(*) FROM raw_{log}").fetchall()
        for line, row in enumerate(rows, start=n_rows + 2):
            named = {**row, "load_number": load_number, "file_line": line}
            columns = ", ".join(f'"{name}"' for name in named)
            marks = ", ".join("?" for _ in named)
            warehouse.execute(f"INSERT INTO raw_{log} ({columns}) VALUES ({marks})", list(named.values()))

    return insert
