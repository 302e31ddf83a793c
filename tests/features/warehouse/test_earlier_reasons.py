"""A warehouse of an earlier version has sentences where findings are now; none of them is lost."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from features.contracts.mapping import SourceFile
from features.warehouse import store
from features.warehouse.earlier_reasons import keep_earlier_reasons
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.quality import data_quality
from features.warehouse.store import open_store
from reports.wording.sentences import say, say_rule

EARLIER = """
    CREATE TABLE rejected_lines (
        load_number BIGINT NOT NULL, line BIGINT NOT NULL, rule VARCHAR NOT NULL, reason VARCHAR NOT NULL,
        example VARCHAR
    );
    CREATE TABLE file_notes (
        load_number BIGINT NOT NULL, rule VARCHAR NOT NULL, reason VARCHAR NOT NULL
    );
    INSERT INTO rejected_lines VALUES
        (1, 7, 'slot must be at least 1', 'slot is "0"; it must be at least 1', '{}'),
        (1, 4, 'slot must be at least 1', 'slot is -1; it must be at least 1', NULL),
        (1, 5, 'text is UTF-8', 'the line is not UTF-8', NULL);
    INSERT INTO file_notes VALUES (1, 'new column', 'the file has color; the file before it had not'),
        (1, 'late rows', 'rows of 2026-01-08 came after the night of 2026-01-10');
"""
LOADED = """
    INSERT INTO load_manifest
        (load_number, source_name, file_sha256, n_bytes, n_lines, n_loaded, n_rejected, logs, key_id,
        contract_version)
    VALUES (1, 'gone.csv', 'x', 1, 10, 7, 3, ['items'], 'k', 'v')
"""


def test_sentences_of_an_earlier_version_stay_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(EARLIER)

    for _ in range(2):
        with open_store(path) as warehouse:
            if not warehouse.execute("FROM load_manifest").fetchall():
                warehouse.execute(LOADED)
            found = data_quality(warehouse, "night", say, say_rule)

    assert found.select("rule", "n_rejected", "reason").rows() == [
        ("loaded = lines - rejected", 3, "every line was loaded or has a reason below"),
        ("slot must be at least 1", 2, "line 4: it broke this rule"),
        ("text is UTF-8", 1, "line 5: it broke this rule"),
        ("late rows", 0, "rows of 2026-01-08 came after the night of 2026-01-10"),
        ("new column", 0, "the file has color; the file before it had not"),
    ]
    assert found["reason_codes"].to_list() == [
        "some_lines_rejected",
        *["first_rejected_line rejected_before"] * 2,
        *["noted_before"] * 2,
    ]


@pytest.mark.parametrize("n_done", range(1, 7))
def test_a_run_that_ends_on_the_way_leaves_the_sentences_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_done: int
) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(EARLIER)
    monkeypatch.setattr(
        store, "keep_earlier_reasons", lambda connection: keep_earlier_reasons(Ended(connection, n_done))
    )
    with pytest.raises(KeyboardInterrupt), open_store(path):
        pass
    monkeypatch.undo()

    with open_store(path) as warehouse:
        found = "SELECT findings FROM rejected_lines UNION ALL SELECT findings FROM file_notes"
        codes = [json.loads(findings)[0]["code"] for (findings,) in warehouse.execute(found).fetchall()]
    assert sorted(codes) == ["noted_before"] * 2 + ["rejected_before"] * 3


class Ended:
    """A connection whose run ends after this many statements."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, n_statements: int) -> None:
        self.connection, self.n_left = connection, n_statements

    def execute(self, statement: str) -> duckdb.DuckDBPyConnection:
        if self.n_left == 0:
            raise KeyboardInterrupt
        self.n_left -= 1
        return self.connection.execute(statement)


def test_a_file_that_is_still_there_is_read_again_and_has_codes(
    tmp_path: Path, source_file: Callable[..., SourceFile]
) -> None:
    file = source_file("item_id,price_cents\nshoe,-5\n", "items", columns={"item_id": "item_id"})
    path = tmp_path / "shop.duckdb"

    def load() -> LoadedFile:
        return load_file(warehouse, file, pseudonym_sql="user_id", key_id="k", max_rejected_share=1.0)

    with open_store(path) as warehouse:
        load()
        # the same file under the contract of an earlier version
        warehouse.execute("UPDATE load_manifest SET contract_version = 'before'")
        assert load().outcome == "replaced"
        assert "mapping_changed" in data_quality(warehouse, "night", say, say_rule)["reason_codes"]
