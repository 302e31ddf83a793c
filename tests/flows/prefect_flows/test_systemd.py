"""The unit: what it starts, what it may do, and where it is written."""

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.commands.cli import execute
from flows.prefect_flows.systemd import MARK, NAME, Unit
from flows.shops import FILES, write_config


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    write_config(Path("metacart.toml"), FILES, name="own", logs=Path("logs"), data=Path("data"))


def parsed(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_printing_writes_nothing(tmp_path, capsys):
    assert execute(["service", "install", "--print"]) == 0
    unit = parsed(capsys.readouterr().out)
    command = shlex.split(unit["Service"]["ExecStart"])
    assert Path(command[0]).is_absolute()
    options = dict(zip(command[-12::2], command[-11::2], strict=True))
    assert options["--config"] == str(tmp_path / "metacart.toml")
    assert options["--home"] == str(tmp_path / "data/prefect")
    assert options["--port"] == "4200"
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Service"]["WorkingDirectory"] == str(tmp_path)
    assert unit["Service"]["NoNewPrivileges"] == "yes"
    assert unit["Service"]["ProtectSystem"] == "strict"
    assert str(tmp_path / "data") in unit["Service"]["ReadWritePaths"].split()
    assert unit["Install"]["WantedBy"] == "default.target"
    assert [path.name for path in tmp_path.iterdir()] == ["metacart.toml"]


def test_the_unit_of_a_user_is_written_and_not_started(tmp_path, capsys):
    assert execute(["service", "install"]) == 0
    path = tmp_path / "config" / "systemd" / "user" / NAME
    assert path.read_text(encoding="utf-8").startswith(MARK)
    printed = capsys.readouterr().out
    assert "nothing was started" in printed
    assert "systemctl --user enable --now metacart" in printed
    # Folders of ReadWritePaths must exist, or systemd does not start the unit.
    assert (tmp_path / "data" / "prefect").is_dir()
    assert execute(["service", "install", "--port", "4300", "--when-busy", "queue"]) == 0
    assert "--port 4300" in path.read_text(encoding="utf-8")


def test_anothers_unit_is_not_replaced(tmp_path, capsys):
    path = tmp_path / "config" / "systemd" / "user" / NAME
    path.parent.mkdir(parents=True)
    path.write_text("[Unit]\n", encoding="utf-8")
    assert execute(["service", "install"]) == 64
    assert "was not written by metacart" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "[Unit]\n"


def test_no_password_is_in_the_unit(capsys, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "ann:secret")
    assert execute(["service", "install", "--print"]) == 0
    assert "secret" not in capsys.readouterr().out


def test_words_are_quoted_as_systemd_reads_them():
    unit = Unit(("--home", "/a b/50%/$x"), Path("/a b"), (Path("/a b"), Path("/c")))
    service = parsed(unit.text)["Service"]
    assert service["ExecStart"].endswith('serve --home "/a b/50%%/$$x"')
    assert service["WorkingDirectory"] == "/a b"
    assert service["ReadWritePaths"] == '"/a b" /c'


def test_the_unit_of_the_machine_names_its_user():
    unit = Unit((), Path("/srv"), (Path("/srv"),), is_system=True)
    assert unit.path == Path("/etc/systemd/system") / NAME
    service = parsed(unit.text)
    assert service["Service"]["User"]
    assert service["Service"]["IPAddressAllow"] == "localhost"
    assert service["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("is_system", [False, True], ids=["user", "machine"])
def test_systemd_finds_no_fault_in_the_unit(tmp_path, is_system):
    folder = tmp_path / 'a b "50%" $x'
    folder.mkdir()
    unit = Unit(("--home", str(folder)), folder, (folder,), is_system=is_system)
    written = tmp_path / NAME
    written.write_text(unit.text, encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--man=no", str(written)]
    found = subprocess.run(verify, capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if NAME in line]
    assert (found.returncode, ours) == (0, [])
