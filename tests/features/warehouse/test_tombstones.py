import json
from pathlib import Path

import duckdb
import pytest

from features.errors import DamagedFileError
from features.warehouse.tombstones import Tombstone, not_erased_sql, read_tombstones

ANN, BEN = "a1" * 32, "b2" * 32


def test_tombstones_keep_rows_out_and_let_strangers_in(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps({"user_key": ANN, "key_id": "k1", "reason": "asked"}))

    tombstones = read_tombstones(tmp_path)

    assert tombstones == (Tombstone(ANN, "k1"),)
    condition = not_erased_sql([tombstone.user_key for tombstone in tombstones])
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest([?, ?, NULL]) AS user_key", [ANN, BEN])
        kept = connection.execute(f"SELECT user_key FROM t WHERE {condition} ORDER BY 1").fetchall()
        assert kept == [(BEN,), (None,)]
        assert len(connection.execute(f"FROM t WHERE {not_erased_sql([])}").fetchall()) == 3
    assert read_tombstones(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"user_key": "a1',
        b"[]",
        b"null",
        b'{"user_key": "a1"}',
        b'{"user_key": "", "key_id": ""}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_tombstone_is_named_and_never_skipped(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "good.json").write_text(json.dumps({"user_key": ANN, "key_id": "k1"}))
    (tmp_path / "worn.json").write_bytes(content)

    with pytest.raises(DamagedFileError, match=r"worn\.json is damaged"):
        read_tombstones(tmp_path)


def test_a_folder_or_a_link_to_nothing_is_a_damaged_tombstone(tmp_path: Path) -> None:
    (tmp_path / "folder" / "worn.json").mkdir(parents=True)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "worn.json").symlink_to(tmp_path / "gone")
    for place in ("folder", "link"):
        with pytest.raises(DamagedFileError, match=r"worn\.json is damaged"):
            read_tombstones(tmp_path / place)
