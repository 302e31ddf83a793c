"""A shop whose data folder an earlier version wrote: all is read, migrated, or refused with a sentence.

`shop_of_8877b9c.tar.xz` is such a folder: a simulated shop of 60 users and nine days, one published night, an
erasure, and a night that ended after `learn`. It was written at the commit in its name by

    metacart simulate --out logs/old --users 60 --days 9 --items 8 --slots 1 --regions 2 --dirt 0.02 --seed 5
    (in logs/old/metacart.toml: learners = ["popularity"], resamples = 50, min_rounds = 100)
    metacart run --as-of 2026-01-11
    metacart erase --user user-000007 --reason "a request of 2026-01-12" --on 2026-01-12
    metacart ingest --as-of 2026-01-12
    metacart learn

and stays as it is: a later change of a format adds another archive beside it.
"""

import json
import shutil
import tarfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features.warehouse.store import open_store
from flows.commands.cli import execute
from flows.json_files import read_json
from flows.settings import read_settings
from flows.workspace import Workspace

ARCHIVES = sorted(Path(__file__).parent.glob("shop_of_*.tar.xz"))
PUBLISHED, HALF_DONE = "2026-01-11-57648b1f", "2026-01-12-e4cafeba"


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def as_written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(request.param) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old"


@pytest.fixture(scope="module")
def upgraded(as_written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop after its first night with the present version, of the day that was left half done."""
    folder = tmp_path_factory.mktemp("upgraded") / "old"
    shutil.copytree(as_written, folder)
    assert metacart(folder, "run", "--as-of", "2026-01-12") == 0
    return folder


@pytest.fixture
def old(as_written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(as_written, tmp_path / "before"))


@pytest.fixture
def new(upgraded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(upgraded, tmp_path / "after"))


def metacart(folder: Path, verb: str, *options: str) -> int:
    return execute([verb, "--config", str(folder / "logs" / "old" / "metacart.toml"), *options])


def workspace(folder: Path) -> Workspace:
    return Workspace(read_settings(folder / "logs" / "old" / "metacart.toml"))


def user_keys(folder: Path) -> set[str]:
    with open_store(workspace(folder).warehouse) as connection:
        return {key for (key,) in connection.execute("SELECT DISTINCT user_key FROM raw_users").fetchall()}


def test_a_published_night_of_before_is_verified(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert metacart(old, "verify") == 0
    printed = capsys.readouterr().out
    assert (
        f"{PUBLISHED}: 12 tables have the rows of the manifest; 14 other files have no checksums" in printed
    )

    table = old / "data" / "published" / "old" / PUBLISHED / "out_verdicts.parquet"
    pl.read_parquet(table).head(1).write_parquet(table)
    assert metacart(old, "verify") == 65
    assert f"{PUBLISHED}: out_verdicts.parquet is changed" in capsys.readouterr().out


def test_a_stage_does_not_go_on_with_what_another_version_left(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert metacart(old, "evaluate") == 64
    assert f"{HALF_DONE} is not ready for evaluate: run `metacart ingest` first" in capsys.readouterr().err


def test_the_checkup_finds_nothing_broken(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert metacart(old, "doctor") == 0
    printed = capsys.readouterr().out
    assert "failed" not in printed
    # it closes with the next night
    assert "chmod 700" in printed


def test_the_next_night_keeps_pseudonyms_and_published_nights(as_written: Path, upgraded: Path) -> None:
    nights = {night.run_id: night for night in workspace(upgraded).nights.all()}

    assert [run_id[:10] for run_id in nights] == ["2026-01-11", "2026-01-12"]
    assert workspace(upgraded).nights.current().as_of == date(2026, 1, 12)
    before = as_written / "data" / "published" / "old" / PUBLISHED
    assert {path.name: path.read_bytes() for path in nights[PUBLISHED].path.glob("out_*")} == {
        path.name: path.read_bytes() for path in before.glob("out_*")
    }
    assert user_keys(upgraded) == user_keys(as_written)


def test_the_next_night_reads_every_file_once_more(upgraded: Path) -> None:
    quality = pl.read_parquet(workspace(upgraded).nights.current().path / "out_data_quality.parquet")

    codes = set(quality["reason_codes"])
    assert not any("_before" in code for code in codes)
    assert all(json.loads(findings) for findings in quality["findings"])


def test_who_was_erased_before_stays_out(upgraded: Path) -> None:
    [proof] = (upgraded / "data" / "erasures" / "old").iterdir()
    erased_key = read_json(proof)["user_key"]

    assert erased_key not in user_keys(upgraded)


def test_another_person_can_be_erased(old: Path, new: Path) -> None:
    for folder in (old, new):
        before = user_keys(folder)
        options = ("--user", "user-000009", "--reason", "asked", "--on", "2026-01-14")
        assert metacart(folder, "erase", *options) == 0

        proofs = [read_json(path) for path in (folder / "data" / "erasures" / "old").iterdir()]
        assert [proof["is_done"] for proof in proofs] == [True, True]
        assert len(before - user_keys(folder)) == 1
        assert metacart(folder, "verify") == 0


def test_a_night_of_before_can_be_taken_back(new: Path) -> None:
    assert metacart(new, "unpublish", PUBLISHED) == 0

    assert [night.as_of for night in workspace(new).nights.all()] == [date(2026, 1, 12)]
    assert metacart(new, "prune") == 0
