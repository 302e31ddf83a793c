"""An erasure among damaged files, missing files and leftovers always completes, and says what it met."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from features.errors import DamagedFileError, MetacartError
from features.warehouse.store import open_store
from flows.commands.cli import execute
from flows.erasure import erase as erase_module
from flows.erasure.proof import erasures
from flows.json_files import read_json
from flows.stages.ingest import ingest
from flows.stages.verify import verify
from flows.workspace import Workspace
from tests.flows.erasure.erasure_shop import (
    ANN,
    BEN,
    copy_of,
    erased,
    holders,
    key_of,
    quote_as_before,
)

SCRIPT = Path(__file__).parents[1] / "stages" / "kill_points.py"


@pytest.fixture
def shop(erasure_night: Path, tmp_path: Path) -> Workspace:
    return copy_of(erasure_night, tmp_path / "shop")


def work(shop: Workspace) -> Path:
    [folder] = shop.night_folders
    return folder.path


def published(shop: Workspace) -> Path:
    [night] = shop.nights.all()
    return night.path


def quoting(shop: Workspace) -> Workspace:
    """Let the tables of the night quote a line of the person, as those of earlier versions do."""
    folder = quote_as_before(shop, f"{ANN}-2026-02-04")
    shutil.copy(folder / "out_data_quality.parquet", work(shop))
    return shop


def half(path: Path, whole: Path) -> None:
    """Write what a killed run leaves of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = whole.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def faults(shop: Workspace) -> dict[str, str]:
    return {name: how for found in verify(shop) for name, how in found.faults.items()}


def places(shop: Workspace) -> dict[str, Path]:
    """Return a leftover of each kind: its name in the proof, and the half table."""
    run, data = published(shop).name, shop.settings.paths.data
    table = "out_data_quality"
    inside = {
        f"work/shop/{run}/.{table}.tmp": "",
        f"published/shop/{run}/.{table}.tmp": "",
        f"published/shop/.{run}.tmp": f"/{table}.parquet",
        f"published/shop/.{run}.withdrawn": f"/{table}.parquet",
        "published/shop/.current.json.tmp": "",
        "warehouse/.shop.duckdb.rewritten": "",
    }
    return {name: data / (name + rest) for name, rest in inside.items()}


def test_leftovers_of_killed_runs_are_removed_and_named(shop: Workspace) -> None:
    left = places(shop)
    for path in left.values():
        half(path, published(shop) / "out_data_quality.parquet")

    proof = erased(shop)

    assert proof.is_done
    assert proof.damaged == dict.fromkeys(left, "removed")
    assert not any(path.exists() for path in left.values())
    assert holders(shop, key_of(shop)) == []
    assert faults(shop) == {}


def test_half_a_table_in_a_work_folder_resets_the_night(shop: Workspace) -> None:
    table = work(shop) / "out_budget_allocation.parquet"
    half(table, table)

    proof = erased(shop)

    assert proof.damaged == {f"work/shop/{work(shop).name}/out_budget_allocation.parquet": "reset"}
    assert {path.name for path in work(shop).iterdir()} == {
        "ingest.done",
        "night.json",
        "out_data_quality.parquet",
    }


def test_a_night_whose_ingested_table_is_damaged_asks_for_another_ingest(shop: Workspace) -> None:
    table = work(shop) / "out_data_quality.parquet"
    half(table, table)

    assert erased(shop).is_done

    assert {path.name for path in work(shop).iterdir()} == {"night.json"}


@pytest.mark.parametrize("content", [b"", b"PAR1", None])
def test_a_damaged_published_table_leaves_and_verify_names_it(shop: Workspace, content: bytes | None) -> None:
    table = published(shop) / "out_data_quality.parquet"
    if content is None:
        half(table, table)
    else:
        table.write_bytes(content)

    proof = erased(shop)

    assert proof.is_done
    assert proof.damaged == {f"published/shop/{published(shop).name}/out_data_quality.parquet": "removed"}
    assert faults(shop) == {"out_data_quality.csv": "missing", "out_data_quality.parquet": "missing"}
    notes = read_json(published(shop) / "manifest.json")["erasures"]
    assert [note["is_removed"] for note in notes if note["table"] == "out_data_quality"] == [True]


@pytest.mark.parametrize(
    "name", ["manifest.json", "current.json", "latest.json", "night.json", "other proof"]
)
def test_damaged_json_is_named_and_stops_nothing(shop: Workspace, name: str) -> None:
    if name == "other proof":
        erased(shop, BEN)
    path = {
        "manifest.json": published(shop) / name,
        "current.json": shop.published / name,
        "latest.json": shop.work / name,
        "night.json": work(shop) / name,
        "other proof": next(erasures(shop).glob("*.json"), Path()),
    }[name]
    path.write_bytes(path.read_bytes()[:20])

    proof = erased(shop)

    assert proof.is_done
    assert proof.damaged == {path.relative_to(shop.settings.paths.data).as_posix(): "kept"}
    assert holders(shop, key_of(shop)) == []
    with open_store(shop.warehouse) as connection:
        [(n_users,)] = connection.execute("SELECT count(*) FROM dim_users").fetchall()
    assert n_users == (1 if name == "other proof" else 2)


def test_a_damaged_proof_of_the_same_person_is_written_anew(shop: Workspace) -> None:
    first = erased(shop)
    [path] = erasures(shop).iterdir()
    path.write_bytes(path.read_bytes()[:20])

    again = erased(shop)

    assert again.is_done
    assert again.damaged == {f"erasures/shop/{first.erasure_id}.json": "removed"}
    assert read_json(path)["user_key"] == key_of(shop)


def test_the_tombstone_is_there_before_anything_is_searched(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(erase_module, "search", crash)
    with pytest.raises(KeyboardInterrupt):
        erased(shop)

    [path] = erasures(shop).iterdir()
    assert read_json(path)["user_key"] == key_of(shop)
    shop.warehouse.unlink()
    ingest(shop, None)
    with open_store(shop.warehouse) as connection:
        [(n_rows,)] = connection.execute(
            "SELECT count(*) FROM raw_users WHERE user_key = ?", [key_of(shop)]
        ).fetchall()
    assert n_rows == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"user_key": 7, "key_id": "k"}', b'{"key_id": "k"}'])
def test_a_damaged_tombstone_stops_the_ingest(
    shop: Workspace, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    erased(shop)
    [path] = erasures(shop).iterdir()
    path.write_bytes(content)
    config = shop.settings.shop.logs / "metacart.toml"

    with pytest.raises(DamagedFileError, match=path.name):
        ingest(shop, None)
    assert execute(["ingest", "--config", str(config)]) == 65
    assert f"{path} is damaged" in capsys.readouterr().err

    erased(shop)
    ingest(shop, None)


def test_a_missing_warehouse_is_no_obstacle(shop: Workspace) -> None:
    shop.warehouse.unlink()
    assert erased(shop).is_done
    assert holders(shop, key_of(shop)) == []
    assert faults(shop) == {}


def test_a_damaged_warehouse_is_named_when_all_else_is_erased(shop: Workspace) -> None:
    quoting(shop)
    content = bytearray(shop.warehouse.read_bytes())
    content[4096 : 4096 + 20_000] = b"\xff" * 20_000
    shop.warehouse.write_bytes(content)

    with pytest.raises(MetacartError, match=r"All but the warehouse is erased"):
        erased(shop)

    [path] = erasures(shop).iterdir()
    assert read_json(path)["is_done"] is False
    assert "warehouse/shop.duckdb" in read_json(path)["left"]
    assert ANN not in (published(shop) / "out_data_quality.csv").read_text()
    assert {path.name for path in work(shop).iterdir()} == {
        "ingest.done",
        "night.json",
        "out_data_quality.parquet",
    }

    shop.warehouse.unlink()
    assert erased(shop).is_done


@pytest.mark.parametrize("missing", ["csv", "parquet", "manifest.json", "SHA256SUMS", "report", "all"])
def test_a_night_of_which_only_some_files_are_left(shop: Workspace, missing: str) -> None:
    folder = published(shop)
    if missing in {"csv", "parquet"}:
        quoting(shop)
    gone = {
        "csv": [folder / "out_data_quality.csv"],
        "parquet": [folder / "out_data_quality.parquet"],
        "report": [folder / "report"],
        "all": [folder],
    }.get(missing, [folder / missing])
    for path in gone:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = faults(shop)

    assert erased(shop).is_done

    assert not any(ANN in path.read_text() for path in folder.glob("out_data_quality.csv"))
    after = faults(shop)
    if missing == "csv":
        # written again with the rewritten table
        assert after == {}
    elif missing == "parquet":
        assert after == before | {"out_data_quality.csv": "missing"}
    else:
        assert after.keys() == before.keys()


def test_a_second_folder_of_a_night_is_erased_too(shop: Workspace) -> None:
    folder = published(shop)
    shutil.copytree(folder, folder.with_name(f"{folder.name}.2"))

    erased(shop)

    tables = list(shop.published.glob("*/out_data_quality.csv"))
    assert len(tables) == 2
    assert not any(ANN in path.read_text() for path in tables)
    assert [dict(found.faults) for found in verify(shop)] == [{}, {}]


def test_a_table_that_was_tampered_with_is_not_made_whole_by_an_erasure(shop: Workspace) -> None:
    table = published(shop) / "out_data_quality.parquet"
    pl.read_parquet(table).with_columns(n_rejected=pl.lit(0)).write_parquet(table)
    assert "out_data_quality.parquet" in faults(shop)

    assert erased(shop).is_done

    assert "out_data_quality.parquet" in faults(shop)


@pytest.mark.parametrize(
    "content",
    [b"\x10{}\r\x80\r", "{\r}".encode("utf-16"), b'[{"a": \xff', b"\x00\x80" * 300, b"\x1f\x8b"],
    ids=["old Mac lines", "UTF-16", "half a JSON array", "zeros", "gzip"],
)
def test_a_policys_numbers_may_look_like_any_form_of_text(shop: Workspace, content: bytes) -> None:
    policy = work(shop) / "policies" / "popularity.safetensors"
    policy.parent.mkdir()
    policy.write_bytes(content)

    assert erased(shop).is_done


def test_a_folder_that_is_not_a_nights_is_never_reset(shop: Workspace) -> None:
    notes = shop.work / "notes" / "people.txt"
    notes.parent.mkdir()
    notes.write_text(key_of(shop))
    (shop.work / "notes" / "mine.parquet").write_bytes(b"half")
    (shop.work / "notes" / ".settings").touch()

    with pytest.raises(MetacartError, match=r"left in work/shop/notes/people\.txt"):
        erased(shop)

    assert notes.is_file()
    notes.unlink()
    proof = erased(shop)
    assert proof.is_done
    assert proof.damaged == {"work/shop/notes/mine.parquet": "not searched"}
    assert (shop.work / "notes" / ".settings").is_file()


def end_of(shop: Workspace) -> dict[str, object]:
    """Return all that counts after an erasure."""
    [path] = erasures(shop).iterdir()
    proof = json.loads(path.read_text())
    with open_store(shop.warehouse) as connection:
        users = connection.execute("SELECT count(*) FROM raw_users").fetchall()
    return {
        "done": proof["is_done"],
        "found": proof["found"].get("warehouse table raw_users"),
        "masked": proof["masked"],
        "holders": holders(shop, key_of(shop)),
        "csv": ANN in (published(shop) / "out_data_quality.csv").read_text(),
        "faults": faults(shop),
        "notes": len(read_json(published(shop) / "manifest.json")["erasures"]),
        "work": sorted(path.name for path in work(shop).iterdir()),
        "leftovers": [path.name for path in shop.settings.paths.data.rglob(".*")],
        "modes": {oct(path.stat().st_mode & 0o777) for path in published(shop).iterdir() if path.is_file()},
        "users": users,
    }


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 29])
def test_an_erasure_that_is_killed_at_any_change_of_a_file_is_completed_by_the_next(
    erasure_night: Path, tmp_path: Path, step: int
) -> None:
    source = tmp_path / "shop"
    quoting(copy_of(erasure_night, source))
    command = [sys.executable, str(SCRIPT), "erasures", str(source), str(tmp_path / "copies"), "1", str(step)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = [tuple(map(int, line.split())) for line in ended.stdout.splitlines()]
    *died, (last, status, _) = found
    assert status == 0
    assert len(died) > 30 // step
    assert [(first, again) for _, first, again in died] == [(-9, 0)] * len(died)
    ends = {copy: end_of(workspace(tmp_path / "copies" / str(copy))) for copy, _, _ in found}
    assert ends[last]["done"]
    assert ends[last]["holders"] == ends[last]["leftovers"] == []
    assert ends[last]["faults"] == {}
    for copy, end in ends.items():
        assert end == ends[last], f"killed at {copy}"


def workspace(folder: Path) -> Workspace:
    from flows.settings import read_settings

    return Workspace(read_settings(folder / "metacart.toml"))
