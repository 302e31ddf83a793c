"""The pseudonyms of all people with rows in the warehouse."""

from pathlib import Path

import duckdb

from features.contracts.sql_text import identifier, quoted


def write_user_keys(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write each user_key of the raw tables once, as a Parquet file with this column alone."""
    found = connection.execute(
        "SELECT table_name FROM duckdb_columns() WHERE column_name = 'user_key' "
        "AND starts_with(table_name, 'raw_') ORDER BY table_name"
    )
    every = " UNION ALL ".join(
        f"SELECT user_key FROM {identifier(name)} WHERE user_key IS NOT NULL" for (name,) in found.fetchall()
    )
    query = f"SELECT DISTINCT user_key FROM ({every})" if every else "SELECT '' AS user_key WHERE false"
    connection.execute(f"COPY ({query}) TO {quoted(str(path))} (FORMAT parquet)")
