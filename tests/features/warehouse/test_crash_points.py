"""A process that is killed while it loads leaves nothing behind that a rerun does not put right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from features.contracts.mapping import LogMapping, SourceFile
from features.warehouse.crash_points import CRASH_POINTS, ENVIRONMENT_VARIABLE, EXIT_STATUS
from features.warehouse.load import load_file
from features.warehouse.store import open_store

# A night of three files: one that replaces its content of the night before, one with bad lines, a new one.
BEFORE, AFTER = ("a.old.csv",), ("a.csv", "b.csv", "c.csv")
FILES = {
    "a.old.csv": ["old,1", "hat,x"],
    "a.csv": [f"new{n},{n}" for n in range(5_000)],
    "b.csv": ["shoe,100", "sock,-5", "short"],
    "c.csv": ["shoe,200"],
}
COLUMNS = {"item_id": "item_id", "price_cents": "price_cents"}
TABLES = ("raw_items", "load_manifest", "rejected_lines", "file_notes")


def load_files(folder: Path, names: tuple[str, ...]) -> None:
    with open_store(folder / "shop.duckdb") as connection:
        for name in names:
            source_name, mapping = name.split(".")[0], LogMapping("items", COLUMNS)
            file = SourceFile(folder / name, source_name, "csv", frozenset(COLUMNS), (mapping,))
            load_file(connection, file, pseudonym_sql="user_id", key_id="k1", max_rejected_share=0.9)


def shop_after_the_first_night(folder: Path) -> Path:
    folder.mkdir()
    for name, lines in FILES.items():
        (folder / name).write_text("item_id,price_cents\n" + "".join(f"{line}\n" for line in lines))
    load_files(folder, BEFORE)
    return folder


def hashes(folder: Path) -> dict[str, object]:
    with open_store(folder / "shop.duckdb") as connection:
        return {
            table: connection.execute(f"SELECT count(*), bit_xor(hash(held)) FROM {table} AS held").fetchall()
            for table in TABLES
        }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = shop_after_the_first_night(tmp_path_factory.mktemp("whole") / "shop")
    load_files(folder, AFTER)
    return hashes(folder)


@pytest.mark.parametrize("crash_point", CRASH_POINTS)
def test_a_rerun_after_a_kill_gives_the_tables_of_an_uninterrupted_run(
    tmp_path: Path, uninterrupted: dict[str, object], crash_point: str
) -> None:
    folder = shop_after_the_first_night(tmp_path / "shop")
    before = hashes(folder)

    killed = subprocess.run(
        [sys.executable, __file__, str(folder), *AFTER],
        check=False,
        env={**os.environ, ENVIRONMENT_VARIABLE: crash_point},
    )

    assert killed.returncode == EXIT_STATUS
    is_committed = crash_point == "after the commit"
    assert (hashes(folder) != before) is is_committed
    load_files(folder, AFTER)
    assert hashes(folder) == uninterrupted


if __name__ == "__main__":
    load_files(Path(sys.argv[1]), tuple(sys.argv[2:]))
