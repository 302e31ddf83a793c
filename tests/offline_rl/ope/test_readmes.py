"""The READMEs of off-policy evaluation: what they show in Python and in the shell is what happens."""

import doctest
import json
import re
from pathlib import Path

import pytest

from flows.commands.cli import execute

ROOM = Path(__file__).parents[3] / "offline_rl" / "ope"
TABLE, COMMAND = r"```csv\n([^`]*)```", r"```sh\nmetacart ([^#]*?)  # .* = ([\d.]+) per (\w+)\n```"
BLOCKS = re.compile(rf"{TABLE}\s+{COMMAND}")
EXAMPLES = BLOCKS.findall((ROOM / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("room", ["sessions", "slates"])
def test_the_python_of_a_readme_says_what_it_says(room: str) -> None:
    failed, attempted = doctest.testfile(str(ROOM / room / "README.md"), module_relative=False)
    assert (failed, attempted > 5) == (0, True)


def test_every_shape_has_an_example() -> None:
    assert [unit for *_, unit in EXAMPLES] == ["slate", "session", "round"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[-1])
def test_the_commands_of_the_readme_give_its_values(
    example: tuple[str, str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table, command, value, unit = example
    monkeypatch.chdir(tmp_path)
    words = command.split()
    Path(words[1]).write_text(table, encoding="utf-8")
    assert execute([*words, "--json"]) == 3
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["estimates"][0]["value"] == pytest.approx(float(value), abs=5e-4)
    assert execute(words) == 3
    said = capsys.readouterr().out
    assert re.search(rf"The log itself earned \d[\d.]* per {unit}", said)
