import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest

from features.contracts.findings import finding
from features.contracts.outputs import DataQuality
from features.errors import DamagedFileError, LockedError, UsageError
from flows.json_files import read_json, write_json
from flows.night_folder import Night
from flows.settings import Settings
from flows.workspace import Workspace

NIGHT = Night(
    run_id="2026-01-05-00abcdef",
    shop="shop",
    as_of=date(2026, 1, 5),
    inputs={"a.csv": "00"},
    data_from=date(2026, 1, 1),
    data_to=date(2026, 1, 5),
    domains=("recommendation",),
    undecided={"budget": finding("no_rows", "budget", as_of="2026-01-05")},
)


@pytest.fixture
def workspace(tmp_path):
    """The workspace of a shop whose night has a data quality table, as ingest leaves it."""
    shop = {"name": "shop", "source": "simulated", "logs": tmp_path}
    workspace = Workspace(Settings(shop=shop, paths={"data": tmp_path / "data"}))
    workspace.night_folder(NIGHT.run_id).write_table("out_data_quality", DataQuality.create_empty())
    return workspace


def test_a_night_is_remembered_as_it_was(workspace):
    workspace.remember(NIGHT)
    assert workspace.recall() == NIGHT


def test_a_night_of_an_older_version_decides_in_all_its_domains(workspace):
    workspace.remember(NIGHT)
    path = workspace.work / NIGHT.run_id / "night.json"
    write_json(path, {key: value for key, value in read_json(path).items() if key != "undecided"})
    assert workspace.recall() == replace(NIGHT, undecided={})


def test_a_night_in_the_form_of_another_version_is_dated_and_must_be_ingested_again(workspace):
    """Sentences instead of findings, as nights had them: the next night must not end with a traceback."""
    workspace.remember(NIGHT)
    path = workspace.work / NIGHT.run_id / "night.json"
    write_json(path, read_json(path) | {"undecided": {"budget": "The logs hold no daily ad spend."}})
    assert workspace.latest.run_id == NIGHT.run_id
    with pytest.raises(UsageError, match="another version of metacart has written it"):
        workspace.recall()
    with pytest.raises(UsageError, match=r"contenders_recommendation\.json is missing"):
        workspace.latest.contenders("recommendation")


def test_only_a_published_night_closes_its_days(workspace):
    workspace.remember(NIGHT)
    assert workspace.last_night() is None
    (workspace.published / NIGHT.run_id).mkdir(parents=True)
    assert workspace.last_night() == NIGHT.as_of


def test_a_night_is_not_continued_with_other_settings(workspace):
    workspace.remember(replace(NIGHT, config_sha256="of other settings"))
    with pytest.raises(UsageError, match="configuration of shop has changed since 2026-01-05-00abcdef"):
        workspace.recall()


@pytest.mark.parametrize(
    "text", ['{"run_id": "../../elsewhere"}', '{"run_id": "2026-01-06-00abcdef"}', '{"run_id": 7}', "{}"]
)
def test_a_forged_pointer_to_the_latest_night_makes_no_folder(workspace, text):
    workspace.remember(NIGHT)
    (workspace.work / "latest.json").write_text(text)
    before = sorted(workspace.settings.paths.data.rglob("*"))
    with pytest.raises(UsageError, match=r"latest\.json names .* which is not a night of shop"):
        workspace.recall()
    assert sorted(workspace.settings.paths.data.rglob("*")) == before


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_a_damaged_file_is_named(workspace, damage):
    workspace.remember(NIGHT)
    (workspace.work / "latest.json").write_bytes(damage)
    with pytest.raises(DamagedFileError, match=r"latest\.json is damaged"):
        workspace.recall()


def test_before_the_first_ingest_there_is_no_night(workspace):
    with pytest.raises(UsageError, match="metacart ingest"):
        workspace.recall()


def test_a_second_run_gets_the_name_of_the_first(workspace):
    with workspace.locked(), pytest.raises(LockedError, match=r"process \d+ on "), workspace.locked():
        pass


def test_a_killed_run_leaves_no_lock(workspace):
    holder = """
import os, signal, sys
from pathlib import Path
from flows.settings import Settings
from flows.workspace import Workspace
data = Path(sys.argv[1])
shop = {"name": "shop", "source": "simulated", "logs": data}
with Workspace(Settings(shop=shop, paths={"data": data / "data"})).locked():
    os.kill(os.getpid(), signal.SIGKILL)
"""
    folder = workspace.settings.shop.logs
    ended = subprocess.run([sys.executable, "-c", holder, str(folder)], check=False)
    assert ended.returncode == -9
    with workspace.locked():
        pass


def test_json_is_replaced_whole_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "current.json"
    write_json(path, {"run_id": "one"})
    write_json(path, {"run_id": "two"})
    assert read_json(path) == {"run_id": "two"}
    assert [found.name for found in tmp_path.iterdir()] == ["current.json"]
