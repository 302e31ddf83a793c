import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from features.contracts.logs import LOGS
from features.errors import InputDataError, LockedError, MetacartError
from features.warehouse.store import open_store, release_pages, stored_columns, transaction


def test_every_log_has_a_raw_table_without_user_ids(tmp_path: Path) -> None:
    with open_store(tmp_path / "shop.duckdb") as connection:
        for log in LOGS:
            names = [row[0] for row in connection.execute(f"DESCRIBE raw_{log}").fetchall()]
            assert names == list(stored_columns(log))
            assert "user_id" not in names


def test_rows_outlive_the_connection_and_nobody_else_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "shop.duckdb"
    with open_store(path) as connection:
        connection.execute("INSERT INTO raw_candidate_sets VALUES ('set', 'shoe', 1, 2)")

    with open_store(path) as connection:
        assert connection.execute("SELECT item_id FROM raw_candidate_sets").fetchall() == [("shoe",)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_times_are_utc_whatever_the_machine_says(tmp_path: Path) -> None:
    with open_store(tmp_path / "shop.duckdb") as connection:
        said = connection.execute("SELECT TIMESTAMPTZ '2026-01-05 00:30:00+02:00'::DATE::VARCHAR").fetchone()
    assert said == ("2026-01-04",)


def test_a_file_that_another_process_holds_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(LockedError, match="Another process has"), open_store(path):
            pass
    finally:
        holder.communicate(b"\n")


def test_a_file_that_is_not_a_warehouse_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    path.write_bytes(b"not a database " * 1000)

    with pytest.raises(InputDataError, match="can't be opened"), open_store(path):
        pass


def test_a_warehouse_of_other_contracts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE raw_items (item_id VARCHAR, shelf VARCHAR)")

    with (
        pytest.raises(MetacartError, match="raw_items has the columns item_id, shelf, the contract has"),
        open_store(path),
    ):
        pass


def test_a_warehouse_of_an_earlier_version_gets_the_columns_that_came_since(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE raw_ad_spend_daily (campaign_id VARCHAR, conversions BIGINT)")
        connection.execute("INSERT INTO raw_ad_spend_daily VALUES ('spring', 3)")

    with open_store(path) as connection:
        held = connection.execute(
            "SELECT campaign_id, conversions, typeof(conversions), line_hash FROM raw_ad_spend_daily"
        ).fetchall()

    assert held == [("spring", 3.0, "DOUBLE", None)]


def test_a_transaction_keeps_all_or_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "shop.duckdb") as connection:
        with pytest.raises(KeyboardInterrupt), transaction(connection):
            connection.execute("INSERT INTO raw_candidate_sets VALUES ('set', 'shoe', 1, 2)")
            raise KeyboardInterrupt
        with transaction(connection):
            connection.execute("INSERT INTO raw_candidate_sets VALUES ('set', 'hat', 1, 2)")

        assert connection.execute("SELECT item_id FROM raw_candidate_sets").fetchall() == [("hat",)]


def test_cached_pages_are_let_go_and_the_limit_stays(tmp_path: Path) -> None:
    with open_store(tmp_path / "shop.duckdb", memory_limit="1GB") as connection:
        [limit] = connection.execute("SELECT current_setting('memory_limit')").fetchall()
        connection.execute("CREATE TABLE many AS SELECT uuid() AS text FROM range(6_000_000)")
        connection.execute("SELECT max(text) FROM many").fetchall()
        before = cached_bytes(connection)

        release_pages(connection)

        assert before > 64_000_000
        assert cached_bytes(connection) <= 64_000_000
        assert connection.execute("SELECT current_setting('memory_limit')").fetchall() == [limit]


def cached_bytes(connection: duckdb.DuckDBPyConnection) -> int:
    [(cached,)] = connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()
    return int(cached)
