"""Documents that can be checked: commands exist, rooms exist, tables and columns have names and words."""

import re
from pathlib import Path

import pytest

from features.contracts.logs import LOGS
from features.contracts.outputs import OUTPUTS
from flows.commands.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SQL_FILES = sorted((ROOT / "features" / "warehouse" / "sql").rglob("*.sql"))
PACKAGES = ("features", "flows", "offline_rl", "reports")


def test_every_command_is_in_the_readme_and_every_one_named_exists():
    commands = {name for name in app if not name.startswith("-")}
    lines = re.findall(r"^metacart ([a-z |]+)", README, re.MULTILINE)
    named = {word for line in lines for word in re.split(r" \| ", line.strip())}
    assert {word.split()[0] for word in named} == commands


def test_the_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{target}:" in makefile for target in re.findall(r"^make ([a-z-]+)", README, re.MULTILINE))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_that_a_package_s_readme_names_exists(package):
    text = (ROOT / package / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w/]+\.py)`", text):
        places = [path for room in (package, "tests") for path in (ROOT / room).rglob(Path(name).name)]
        assert places, f"{package}/README.md names {name}"


@pytest.mark.parametrize("name", [*LOGS, *OUTPUTS])
def test_every_contract_states_its_grain_and_every_column_its_meaning(name):
    schema = (LOGS | OUTPUTS)[name]
    assert "Grain: " in (schema.__doc__ or "")
    assert all(column.description for column in schema.columns().values())


@pytest.mark.parametrize(
    "file", sorted((ROOT / "features" / "warehouse" / "sql").rglob("*.sql")), ids=lambda f: f.stem
)
def test_every_sql_model_states_its_grain_and_all_that_it_reads(file):
    text = file.read_text(encoding="utf-8")
    head = [line for line in text.splitlines() if line.startswith("-- ")]
    assert head[0].startswith(f"-- {file.stem}: ")
    assert any(line.startswith("-- grain: ") for line in head)
    # What is read: every table of the warehouse after FROM or JOIN that no WITH has named.
    code = re.sub(r"--.*", "", text)
    named = set(
        re.findall(
            r"(?:WITH|,)\s+(?:RECURSIVE\s+)?(\w+)(?:\s*\([^)]*\))?\s+AS\s+(?:MATERIALIZED\s+)?\(", code
        )
    )
    read = set(re.findall(r"\b(?:FROM|JOIN)\s+((?:raw|stg|int|fct|dim|out)_\w+)", code)) - named
    stated = re.search(r"^-- reads: (.+(?:\n--  .+)*)", text, re.MULTILINE)
    assert set(re.findall(r"\w+", stated[1].replace("--", "")) if stated else []) >= read, read


def test_one_space_follows_a_full_stop():
    """In code and documents; spaces in columns of numbers, drawings and doctests don't follow a word."""
    two = re.compile(r"(?<=[\w)\]`\"'*%])[.?!] {2,}(?=[A-Za-z`(_])")
    paths = [*ROOT.glob("*.md"), *(ROOT / "tests").glob("*.md")]
    paths += [
        p for package in PACKAGES for kind in ("py", "md", "sql") for p in (ROOT / package).rglob(f"*.{kind}")
    ]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if two.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_simulator_s_examples_run(tmp_path, monkeypatch):
    """What Python users are shown to import, they can."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "features" / "simulator" / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})
