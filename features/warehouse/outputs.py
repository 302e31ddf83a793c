"""The published tables inside the warehouse: one table per contract, every run's rows side by side."""

from collections.abc import Mapping

import duckdb
import polars as pl

from features.warehouse.store import transaction


def store_outputs(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pl.DataFrame], run_id: str
) -> None:
    """Replace the rows of a run in every table, all of them or none."""
    with transaction(connection):
        for name, frame in tables.items():
            connection.register("fresh", frame.to_arrow())
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} AS FROM fresh LIMIT 0")
            connection.execute(f"DELETE FROM {name} WHERE run_id = ?", [run_id])
            connection.execute(f"INSERT INTO {name} BY NAME FROM fresh")
            connection.unregister("fresh")
