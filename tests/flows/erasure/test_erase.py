"""A person leaves a whole shop: warehouse, work folders, published tables; and does not come back."""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from features.deidentify import pseudonym, read_key
from features.errors import LockedError, MetacartError, UsageError
from features.warehouse.byte_search import holds_text
from features.warehouse.store import open_store
from features.warehouse.tombstones import read_tombstones
from flows.erasure.erase import erase
from flows.erasure.proof import Proof, erasures
from flows.json_files import read_json
from flows.settings import read_settings
from flows.stages.ingest import ingest, key_file
from flows.stages.night import NightResult
from flows.workspace import Workspace

DAY = date(2026, 2, 3)
USER = "user-000001"


@pytest.fixture(scope="module")
def night_folder(small_config: Path, small_night: NightResult) -> Path:
    """The folder of a shop with one published night."""
    assert small_night.published.tables
    return small_config.parents[1]


def copy_of(night_folder: Path, folder: Path) -> Workspace:
    copy = shutil.copytree(night_folder, folder / "shop")
    return Workspace(read_settings(copy / "logs" / "metacart.toml"))


@pytest.fixture
def shop(night_folder: Path, tmp_path: Path) -> Workspace:
    """A copy of that shop for each test to spoil."""
    return copy_of(night_folder, tmp_path)


@dataclass(frozen=True)
class Erased:
    """A shop before and after, for every test that only looks."""

    before: Workspace
    after: Workspace
    proof: Proof


@pytest.fixture(scope="module")
def erased(night_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Erased:
    before = Workspace(read_settings(night_folder / "logs" / "metacart.toml"))
    after = copy_of(night_folder, tmp_path_factory.mktemp("erased"))
    return Erased(before, after, erase_user(after))


@pytest.fixture(scope="module")
def user_key(night_folder: Path) -> str:
    shop = Workspace(read_settings(night_folder / "logs" / "metacart.toml"))
    return pseudonym(read_key(key_file(shop)), USER)


def erase_user(shop: Workspace, user_id: str = USER) -> Proof:
    with shop.locked():
        return erase(shop, user_id, reason="asked to be forgotten", erased_on=DAY)


def files(shop: Workspace) -> list[Path]:
    """Every file that metacart keeps, but the proofs."""
    data = shop.settings.paths.data
    return [
        path
        for room in ("warehouse", "work", "published")
        for path in sorted((data / room).rglob("*"))
        if path.is_file()
    ]


def holders(shop: Workspace, user_key: str) -> list[str]:
    tables = [path for path in files(shop) if path.suffix == ".parquet"]
    named = [path for path in tables if "user_key" in pl.read_parquet_schema(path)]
    in_rows = [path for path in named if user_key in pl.read_parquet(path)["user_key"].to_list()]
    return [path.name for path in (*in_rows, *(path for path in files(shop) if holds_text(path, user_key)))]


def n_users(shop: Workspace, table: str) -> int:
    with open_store(shop.warehouse) as connection:
        [(n_rows,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        return int(n_rows)


def test_nothing_of_the_person_is_left_in_rows_or_bytes(erased: Erased, user_key: str) -> None:
    known = {"out_recommendations.csv", "out_recommendations.parquet", "rounds_recommendation.parquet"}
    assert known <= set(holders(erased.before, user_key))
    assert holders(erased.after, user_key) == []
    for table in ("raw_users", "dim_users"):
        assert n_users(erased.after, table) == n_users(erased.before, table) - 1


def test_the_proof_says_what_was_found_and_that_nothing_is_left(erased: Erased) -> None:
    assert erased.proof.is_done
    assert erased.proof.left == {}
    assert {"warehouse table raw_users", "warehouse table out_recommendations"} <= set(erased.proof.found)


def test_the_published_night_stays_whole_without_the_person(
    erased: Erased, user_key: str, small_night: NightResult
) -> None:
    run_id = small_night.night.run_id
    old, new = erased.before.published / run_id, erased.after.published / run_id
    before = pl.read_parquet(old / "out_recommendations.parquet")
    after = pl.read_parquet(new / "out_recommendations.parquet")
    manifest = read_json(new / "manifest.json")

    assert after.equals(before.filter(pl.col("user_key") != user_key))
    assert pl.read_csv(new / "out_recommendations.csv").height == after.height
    assert manifest["tables"]["out_recommendations"]["rows"] == after.height
    assert manifest["tables"] != read_json(old / "manifest.json")["tables"]
    assert manifest["erasures"] == [
        {
            "erasure_id": erased.proof.erasure_id,
            "erased_on": "2026-02-03",
            "table": "out_recommendations",
            "rows": before.height - after.height,
        }
    ]
    for name in ("report/index.html", "out_verdicts.parquet", "out_verdicts.csv"):
        assert (new / name).read_bytes() == (old / name).read_bytes()
    assert not list(new.glob(".*"))


def test_the_work_folder_goes_back_to_what_ingest_left(erased: Erased) -> None:
    left = {path.name for path in (erased.after.work / erased.after.recall().run_id).iterdir()}
    assert left == {"ingest.done", "night.json", "out_data_quality.parquet"}


def test_the_proof_is_a_tombstone_and_holds_no_id_of_the_shop(erased: Erased, user_key: str) -> None:
    [path] = erasures(erased.after).iterdir()
    assert path.name == f"{erased.proof.erasure_id}.json"
    assert not holds_text(path, USER)
    assert erasures(erased.after).stat().st_mode & 0o777 == 0o700
    [tombstone] = read_tombstones(erasures(erased.after))
    assert (tombstone.user_key, tombstone.key_id) == (user_key, read_key(key_file(erased.after)).key_id)
    assert json.loads(path.read_text())["is_done"] is True


def test_the_proof_names_the_log_files_with_the_person(erased: Erased) -> None:
    logs = erased.after.settings.shop.logs
    naming = [path for path in logs.rglob("*.csv") if USER in path.read_text(encoding="utf-8")]
    assert set(erased.proof.shop_files) == {path.relative_to(logs).as_posix() for path in naming}
    assert erased.proof.shop_files["users.csv"] == 1


def test_erasing_again_changes_nothing_and_keeps_what_was_found(shop: Workspace) -> None:
    first = erase_user(shop)
    before = {path: path.read_bytes() for path in files(shop) if path.suffix != ".duckdb"}

    with shop.locked():
        second = erase(shop, USER, reason="another word", erased_on=date(2026, 3, 1))

    assert second == first
    assert {path: path.read_bytes() for path in files(shop) if path.suffix != ".duckdb"} == before


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("erase_person", marks=pytest.mark.slow),
        pytest.param("_rebuild", marks=pytest.mark.slow),
        "rewrite_store",
        pytest.param("_reset", marks=pytest.mark.slow),
        pytest.param("_rewrite", marks=pytest.mark.slow),
        pytest.param("search", marks=pytest.mark.slow),
    ],
)
def test_after_a_crash_at_any_step_the_next_run_completes(
    shop: Workspace, user_key: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    crash_after(monkeypatch, step)
    with pytest.raises(KeyboardInterrupt):
        erase_user(shop)
    monkeypatch.undo()

    proof = erase_user(shop)

    assert proof.is_done
    assert "warehouse table raw_users" in proof.found
    assert holders(shop, user_key) == []


def test_a_crash_between_the_files_of_a_published_table_is_made_good(
    shop: Workspace, user_key: str, monkeypatch: pytest.MonkeyPatch, small_night: NightResult
) -> None:
    crash_after(monkeypatch, "write_json", module="flows.erasure.rewritten_tables")
    with pytest.raises(KeyboardInterrupt):
        erase_user(shop)
    monkeypatch.undo()

    erase_user(shop)

    assert holders(shop, user_key) == []
    manifest = read_json(shop.published / small_night.night.run_id / "manifest.json")
    assert len(manifest["erasures"]) == 1


def crash_after(monkeypatch: pytest.MonkeyPatch, step: str, module: str = "flows.erasure.erase") -> None:
    """Let a step do its work and end the run right behind it, once the tombstone is set."""
    done = getattr(__import__(module, fromlist=["_"]), step)

    def doomed(*arguments: object, **options: object) -> Any:
        answer = done(*arguments, **options)
        # The first search finds the person; the last one, behind all removals, finds nobody.
        if step != "search" or not answer.rows:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(f"{module}.{step}", doomed)


def test_what_can_not_be_erased_is_named(shop: Workspace, user_key: str) -> None:
    stray = shop.published / "copy of a table.txt"
    stray.write_text(f"seen by an analyst: {user_key}")

    with pytest.raises(MetacartError, match=r"copy of a table\.txt"):
        erase_user(shop)

    [record] = [read_json(path) for path in erasures(shop).iterdir()]
    assert record["is_done"] is False
    assert list(record["left"]) == ["published/small/copy of a table.txt"]


def test_a_stranger_gets_a_tombstone_too(shop: Workspace) -> None:
    before = [path.name for path in files(shop)]

    proof = erase_user(shop, "nobody-has-this-id")

    assert (proof.found, proof.left, proof.shop_files, proof.is_done) == ({}, {}, {}, True)
    assert [path.name for path in files(shop)] == before


def test_a_shop_whose_logs_are_gone_is_erased_all_the_same(shop: Workspace, user_key: str) -> None:
    # The configuration and key of the simulated shop lie beside its logs; the logs alone go.
    for path in shop.settings.shop.logs.rglob("*.csv"):
        path.unlink()

    proof = erase_user(shop)

    assert proof.shop_files_missing is not None
    assert "no impressions" in proof.shop_files_missing
    assert holders(shop, user_key) == []


@pytest.mark.parametrize(("user_id", "reason"), [("", "asked"), (USER, " ")])
def test_an_erasure_without_a_person_or_a_reason_is_refused(
    erased: Erased, user_id: str, reason: str
) -> None:
    with pytest.raises(UsageError, match="needs the shop's own id"):
        erase(erased.after, user_id, reason=reason, erased_on=DAY)


def test_a_shop_that_another_run_holds_is_refused(erased: Erased) -> None:
    with erased.after.locked(), pytest.raises(LockedError, match="Another run of small is in progress"):
        erase_user(erased.after)


def test_a_file_that_is_read_again_does_not_bring_the_person_back(shop: Workspace, user_key: str) -> None:
    erase_user(shop)
    file = next(
        path
        for path in sorted((shop.settings.shop.logs / "impressions").glob("*.csv"))
        if USER in path.read_text(encoding="utf-8")
    )
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n", encoding="utf-8")
    with shop.locked():
        ingest(shop, None)
    with open_store(shop.warehouse) as connection:
        [(n_rows, n_of_person)] = connection.execute(
            "SELECT count(*), count_if(user_key = ?) FROM raw_impressions", [user_key]
        ).fetchall()
    assert n_rows > 0
    assert n_of_person == 0
