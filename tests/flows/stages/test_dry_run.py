"""A dry run says what a night then does, and changes nothing."""

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.errors import UsageError
from flows.commands.cli import execute
from flows.settings import Settings, read_settings
from flows.stages.dry_run import dry_run
from flows.stages.ingest import ingest
from flows.workspace import Workspace

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def config(small_config: Path, tmp_path: Path) -> Path:
    """A copy of the small shop before its first night."""
    shutil.copytree(small_config.parent, tmp_path / "logs")
    return tmp_path / "logs" / "metacart.toml"


def states(settings: Settings) -> dict[str, str]:
    return {file.name: file.state for file in dry_run(settings, None, NOW).files}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_says_which_files_are_new_changed_or_mapped_anew_and_changes_nothing(config):
    settings = read_settings(config)
    workspace = Workspace(settings)
    data = settings.paths.data
    first = dry_run(settings, None, NOW)
    assert {file.state for file in first.files} == {"new"}
    assert (first.as_of, first.latest) == (None, date(2026, 2, 28))
    assert not data.exists()

    with workspace.locked():
        night = ingest(workspace, None)
    before = contents(data)
    again = dry_run(settings, None, NOW)
    assert {file.state for file in again.files} == {"loaded"}
    assert {file.name for file in again.files} == set(night.inputs)
    assert again.as_of == night.as_of
    assert again.to_load == ()

    users = config.parent / "users.csv"
    users.write_text(users.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    newest = max((config.parent / "events").glob("*.csv"))
    shutil.copy(newest, newest.with_name("2026-01-20.csv"))
    found = states(settings)
    assert found.pop("users.csv") == "changed"
    assert found.pop("events/2026-01-20.csv") == "new"
    assert set(found.values()) == {"loaded"}
    assert dry_run(settings, None, NOW).as_of is None

    config.write_text(
        config.read_text(encoding="utf-8").replace("first_day = 2000-01-01", "first_day = 2001-01-01"),
        encoding="utf-8",
    )
    assert states(read_settings(config))["items.csv"] == "mapped anew"
    assert contents(data) == before


def test_it_refuses_what_a_night_refuses(config):
    settings = read_settings(config)
    with pytest.raises(UsageError, match="is not over yet"):
        dry_run(settings, NOW.date(), NOW)
    workspace = Workspace(settings)
    with workspace.locked():
        ingest(workspace, None)
    (config.parent / "pseudonym.key").unlink()
    with pytest.raises(UsageError, match="no pseudonym key"):
        dry_run(settings, None, NOW)


def test_the_command_prints_it(config, capsys):
    assert execute(["run", "--dry-run", "--config", str(config), "--as-of", "2026-01-07"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("small: the night of 2026-01-07\n")
    assert "new          impressions/2026-01-07.csv" in printed
    assert "2026-01-08" not in printed
    assert "Nothing was loaded or written" in printed
    assert execute(["run", "--dry-run", "--config", str(config), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["as_of"] is None
    assert {file["state"] for file in said["files"]} == {"new"}
    assert not (config.parent.parent / "data").exists()


def test_a_range_has_no_dry_run(config, capsys):
    days = ["--from", "2026-01-13", "--to", "2026-01-14"]
    assert execute(["run", "--dry-run", "--config", str(config), *days]) == 64
    assert "--dry-run is of one night" in capsys.readouterr().err
