"""One value through a DuckDB expression."""

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest


@pytest.fixture(scope="session")
def in_sql() -> Iterator[Callable[..., Any]]:
    """Return what an expression over a column `x` makes of a value of an SQL type."""
    with duckdb.connect() as connection:
        # A zone that is not UTC, so that an expression can't lean on the session's.
        connection.execute("SET TimeZone = 'America/New_York'")

        def ask(expression: str, value: object, sql_type: str = "VARCHAR") -> Any:
            query = f"SELECT {expression} FROM (SELECT ?::{sql_type} AS x)"
            return connection.execute(query, [value]).fetchall()[0][0]

        yield ask
