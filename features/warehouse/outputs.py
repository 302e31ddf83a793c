"""The published tables inside the warehouse: one table per contract, every run's rows side by side."""

from collections.abc import Mapping

import duckdb
import polars as pl

from features.contracts.outputs import OUTPUTS
from features.warehouse.store import transaction


def store_outputs(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pl.DataFrame], run_id: str
) -> None:
    """Replace the rows of a run in every table, all of them or none.

    A column that an earlier version did not know is added, and is null in the rows of its nights.
    """
    with transaction(connection):
        for name, frame in tables.items():
            connection.register("fresh", frame.to_arrow())
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} AS FROM fresh LIMIT 0")
            known = _columns(connection, name)
            for column, kind in _columns(connection, "fresh").items():
                if column not in known:
                    connection.execute(f'ALTER TABLE {name} ADD COLUMN "{column}" {kind}')
            connection.execute(f"DELETE FROM {name} WHERE run_id = ?", [run_id])
            connection.execute(f"INSERT INTO {name} BY NAME FROM fresh")
            connection.unregister("fresh")


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return name → type of the columns of a table or view, in their order."""
    rows = connection.sql(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
    return dict(rows)


def remove_outputs(connection: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Delete the rows of a run from every table, from all of them or none."""
    with transaction(connection):
        for name in OUTPUTS:
            if has_table(connection, name):
                connection.execute(f"DELETE FROM {name} WHERE run_id = ?", [run_id])


def has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a night has stored rows of this output table."""
    found = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall()
    return bool(found)
