"""The help page, the version, and the completion of the shell."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

from flows.commands.cli import app, execute
from flows.commands.help_page import ORDER

ROOT = Path(__file__).parents[3]


def test_every_verb_has_its_place_in_the_order_of_work(capsys):
    assert set(ORDER) == {name for name in app if not name.startswith("-")}
    assert execute(["--help"]) == 0
    page = capsys.readouterr().out
    verbs = re.findall(r"^│ ([a-z]+) ", page, re.MULTILINE)
    assert tuple(verbs) == ORDER


def test_the_version_is_that_of_the_project(capsys):
    assert execute(["--version"]) == 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert capsys.readouterr().out.strip() == project["version"]


def test_completion_completes_verbs_and_options(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert execute(["--install-completion", "--shell", "bash"]) == 0
    [script] = (tmp_path / ".local").rglob("metacart")
    assert str(script) in capsys.readouterr().out
    assert str(script) in (tmp_path / ".bashrc").read_text(encoding="utf-8")
    asked = f"""
source {script}
COMP_WORDS=(metacart unpub) COMP_CWORD=1
"$(complete -p metacart | sed 's/.*-F \\([^ ]*\\).*/\\1/')" metacart unpub metacart
echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "-c", asked], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.split() == ["unpublish"]


def test_an_unknown_shell_is_64_with_a_sentence(monkeypatch, capsys):
    from cyclopts.completion import detect

    def unknown():
        raise detect.ShellDetectionError

    monkeypatch.setattr(detect, "detect_shell", unknown)
    assert execute(["--install-completion"]) == 64
    assert "--shell bash" in capsys.readouterr().err
