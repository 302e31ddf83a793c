"""What is installed outside of a clone: the wheel, and the files that describe how it gets onto a machine."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from flows.commands.cli import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = [name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
# A night that learns little: the test is of the installation.
QUICK = {
    "METACART_LEARNING__LEARNERS": '["random_effects"]',
    "METACART_LEARNING__MAX_STEPS": "5",
    "METACART_EVALUATION__RESAMPLES": "50",
}
NEEDED = {".py", ".sql", ".toml", ".j2", ".css", ".js", ".typed"}


def needed_files() -> set[str]:
    """Every source, query, template and marker of the packages."""
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and (path.suffix in NEEDED or path.name == "py.typed")
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tree, so that the tree gets no build folder."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file():
            (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "tree" / name).write_bytes((ROOT / name).read_bytes())
    pip(["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "tree")])
    [built] = folder.glob("metacart-*.whl")
    return built


def pip(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert needed_files() - names == set()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(PACKAGES)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory):
    """Run `metacart` as it is installed, from an empty folder."""
    site = tmp_path_factory.mktemp("site")
    pip(["install", "--no-deps", "--target", str(site), str(wheel)])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = os.environ | QUICK | {"PYTHONPATH": str(site)}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    asked = "import flows, features, offline_rl, reports; print(flows.__file__, features.__file__, "
    places = run(sys.executable, "-c", f"{asked} offline_rl.__file__, reports.__file__)").split()
    assert all(Path(place).is_relative_to(site) for place in places), places
    return lambda *arguments: run(str(site / "bin" / "metacart"), *arguments)


def test_the_installed_command_runs_a_night_of_a_tiny_shop(installed):
    assert "unpublish" in installed("--help")
    assert installed("--version").strip() == PROJECT["project"]["version"]
    installed("simulate", "--out", "logs", "--users", "60", "--days", "8")
    last = installed("run", "--config", "logs/metacart.toml", "--json").splitlines()[-1]
    assert Path(json.loads(last)["report"]).is_file()


def test_the_container_copies_what_exists_and_every_package():
    copied = [
        word
        for words in re.findall(r"^COPY (.+) \S+$", CONTAINERFILE, re.MULTILINE)
        for word in words.split()
    ]
    assert all((ROOT / source).exists() for source in copied)
    assert {"pyproject.toml", "requirements.lock", *PACKAGES} <= set(copied)


def test_the_container_s_commands_are_verbs_with_their_options():
    commented = re.findall(r"^# +podman run .* metacart ([a-z].*)$", CONTAINERFILE, re.MULTILINE)
    verbs = [shlex.split(line) for line in commented]
    assert {"run", "doctor", "init"} <= {words[0] for words in verbs}
    for words in verbs:
        # Parsing fails for an unknown verb, option or value.
        app.parse_args(words, exit_on_error=False, print_error=False)
    [entry] = re.findall(r"^ENTRYPOINT (.+)$", CONTAINERFILE, re.MULTILINE)
    assert json.loads(entry) == list(PROJECT["project"]["scripts"])
    [command] = re.findall(r"^CMD (.+)$", CONTAINERFILE, re.MULTILINE)
    assert json.loads(command) == ["--help"]


def test_the_container_is_of_a_python_that_metacart_asks_for_and_its_user_is_not_root():
    [python] = re.findall(r"^FROM python:(\S+)-slim$", CONTAINERFILE, re.MULTILINE)
    assert f">={python}" == PROJECT["project"]["requires-python"]
    assert re.findall(r"^USER (.+)$", CONTAINERFILE, re.MULTILINE)[-1] not in {"root", "0"}


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_failing_pip_fails_make(tmp_path, shell):
    """The line that waits for pip must not hide its status."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    fake = tmp_path / ".venv" / "bin"
    fake.mkdir(parents=True)
    for name, text in (("python", "exit 0"), ("pip", 'echo "pip $*"; exit 3')):
        (fake / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (fake / name).chmod(0o755)
    command = ["make", f"SHELL={shell}", ".venv/ready"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Error 3" in done.stderr
    assert not (tmp_path / ".venv" / "ready").exists()
