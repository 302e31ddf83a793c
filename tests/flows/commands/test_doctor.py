"""`metacart doctor` on a whole shop: what it prints, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest

from flows.commands.cli import execute
from flows.settings import read_settings
from flows.workspace import Workspace

NAMES = {
    "versions", "memory", "GPU", "configuration", "lock", "heartbeat", "disk", "folders", "key", "modes",
    "warehouse", "clock", "logs", "night",
}  # fmt: skip


@pytest.fixture
def shop(small_config: Path, tmp_path: Path) -> Path:
    """A copy of the small shop before its first night."""
    shutil.copytree(small_config.parent, tmp_path / "logs")
    return tmp_path / "logs" / "metacart.toml"


def report(config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    capsys.readouterr()
    status = execute(["doctor", "--json", "--config", str(config)])
    said = json.loads(capsys.readouterr().out)
    assert said["exit_status"] == status
    return status, {check["name"]: check for check in said["checks"]}


def everything(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_shop_with_a_night_is_looked_at_and_left_alone(small_config, small_night, capsys):
    before = everything(small_config.parents[1])
    status, checks = report(small_config, capsys)
    assert status == 0
    assert checks.keys() == NAMES
    assert str(small_night.night.data_to) in checks["warehouse"]["found"]
    assert str(small_night.night.as_of) in checks["night"]["found"]
    # The simulated shop's days are in the past.
    assert {name for name, check in checks.items() if check["level"] != "ok"} == {"logs", "night"}
    assert everything(small_config.parents[1]) == before


def test_each_check_is_a_line(shop, capsys):
    assert execute(["doctor", "--config", str(shop)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == lines_in_order()
    assert all(line.split()[0] in {"ok", "warning", "fault"} for line in lines)


def lines_in_order() -> list[str]:
    machine = ["versions", "memory", "GPU"]
    return [
        *machine,
        "configuration",
        "lock",
        "heartbeat",
        "disk",
        "folders",
        "key",
        "modes",
        "warehouse",
        "clock",
        "logs",
        "night",
    ]


def test_an_unknown_key_of_the_configuration_is_64(shop, capsys):
    shop.write_text(shop.read_text(encoding="utf-8") + "\n[wishes]\npeace = true\n", encoding="utf-8")
    status, checks = report(shop, capsys)
    assert status == 64
    assert "wishes is not a known key" in checks["configuration"]["found"]
    assert checks["memory"]["level"] == "ok"


def test_missing_logs_are_65_and_the_other_checks_go_on(shop, capsys):
    shutil.rmtree(shop.parent / "impressions")
    status, checks = report(shop, capsys)
    assert status == 65
    assert checks["configuration"]["level"] == "fault"
    assert checks["key"]["level"] == "ok"


def test_a_running_night_is_75_with_its_process(shop, capsys):
    with Workspace(read_settings(shop)).locked():
        status, checks = report(shop, capsys)
    assert status == 75
    assert "process " in checks["lock"]["found"]


def test_a_damaged_warehouse_is_65(shop, capsys):
    warehouse = Workspace(read_settings(shop)).warehouse
    warehouse.parent.mkdir(parents=True, mode=0o700)
    warehouse.write_bytes(b"not a database" * 1000)
    warehouse.chmod(0o600)
    status, checks = report(shop, capsys)
    assert status == 65
    assert checks["warehouse"]["level"] == "fault"
    assert warehouse.read_bytes() == b"not a database" * 1000


def test_without_a_shop_the_machine_is_looked_at(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert execute(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "no shop was looked at" in printed
    assert execute(["doctor", "--config", "nowhere.toml"]) == 64
