"""Published tables in the warehouse: runs side by side, and columns that earlier versions did not know."""

from datetime import date

import duckdb
import polars as pl
import pytest

from features.contracts.outputs import PolicyValues
from features.warehouse.outputs import store_outputs


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def test_a_run_replaces_its_own_rows_and_no_others(connection: duckdb.DuckDBPyConnection) -> None:
    for run, value in (("a", 1), ("b", 2), ("a", 3)):
        store_outputs(connection, {"out_x": pl.DataFrame({"run_id": [run], "value": [value]})}, run)
    assert connection.sql("FROM out_x ORDER BY run_id").fetchall() == [("a", 3), ("b", 2)]


def test_a_column_that_an_earlier_version_did_not_know_is_null_in_its_rows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    before = pl.DataFrame({"run_id": ["old"], "value": [1.0]})
    verdict = pl.Series("verdict", ["hold"], dtype=pl.Enum(["hold", "promote"]))
    after = pl.DataFrame({"run_id": ["new"], "judged_from": [date(2026, 1, 8)], "value": [2.0]})
    store_outputs(connection, {"out_x": before}, "old")
    store_outputs(connection, {"out_x": after.with_columns(verdict)}, "new")
    rows = connection.sql("SELECT run_id, value, judged_from, verdict FROM out_x ORDER BY run_id").fetchall()
    assert rows == [("new", 2.0, date(2026, 1, 8), "hold"), ("old", 1.0, None, None)]


def test_a_code_stands_beside_the_sentences_of_earlier_nights(connection: duckdb.DuckDBPyConnection) -> None:
    method, sentence = PolicyValues.interval_method.dtype, "BCa bootstrap over users, 1000 resamples"
    before = pl.DataFrame({"run_id": ["old"], "interval_method": [sentence]})
    after = pl.DataFrame({"run_id": ["new"], "interval_method": pl.Series(["bca"], dtype=method)})
    store_outputs(connection, {"out_x": before}, "old")
    store_outputs(connection, {"out_x": after}, "new")
    said = dict(connection.sql("SELECT run_id, interval_method FROM out_x").fetchall())
    assert said == {"new": "bca", "old": sentence}


def test_a_column_that_is_given_up_is_null_from_then_on(connection: duckdb.DuckDBPyConnection) -> None:
    store_outputs(connection, {"out_x": pl.DataFrame({"run_id": ["old"], "gone": [1]})}, "old")
    store_outputs(connection, {"out_x": pl.DataFrame({"run_id": ["new"]})}, "new")
    assert connection.sql("FROM out_x ORDER BY run_id").fetchall() == [("new", None), ("old", 1)]
