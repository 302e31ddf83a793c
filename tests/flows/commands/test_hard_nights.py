"""The command on a machine that fails it: its status, one sentence, and a rerun that makes it good."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.spend_shop import spend_shop

COMMAND = "from flows.commands.cli import main; main()"


def metacart(config: Path, *arguments: str, shell: str = "") -> subprocess.CompletedProcess[str]:
    """Run a verb in a process of its own, after lines of shell such as limits."""
    python = [sys.executable, "-c", COMMAND, *arguments, "--config", str(config)]
    script = f'{shell}\nexec "$@"'
    return subprocess.run(
        ["bash", "-c", script, "bash", *python], capture_output=True, text=True, check=False
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    spend_shop(tmp_path / "shop")
    return tmp_path / "shop" / "metacart.toml"


def said(run: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines on standard error, without what a library prints when a process ends."""
    return [line for line in run.stderr.splitlines() if line.startswith("metacart: ") or "Traceback" in line]


@pytest.mark.slow
def test_a_full_disk_is_73_and_one_sentence(config: Path) -> None:
    full = metacart(config, "run", shell="export METACART_RETRIES__TIMES=0; ulimit -f 100")
    assert full.returncode == 73
    [line] = said(full)
    assert line.startswith("metacart: The disk is full: ")
    assert metacart(config, "run").returncode == 0
    assert metacart(config, "verify").returncode == 0


def test_a_damaged_warehouse_is_65_and_not_a_lock(config: Path) -> None:
    assert metacart(config, "run").returncode == 0
    warehouse = config.parent / "data" / "warehouse" / "shop.duckdb"
    content = bytearray(warehouse.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    content[0:4096] = bytes(4096)
    warehouse.write_bytes(content)
    damaged = metacart(config, "run")
    assert damaged.returncode == 65
    [line] = said(damaged)
    assert "restore it, or move it away" in line


@pytest.mark.slow
def test_a_block_that_is_damaged_inside_the_warehouse_is_65_and_names_the_way_out(config: Path) -> None:
    assert metacart(config, "run").returncode == 0
    warehouse = config.parent / "data" / "warehouse" / "shop.duckdb"
    content = bytearray(warehouse.read_bytes())
    # behind the headers: every block from the first one on
    for place in range(4096 * 3 + 100, len(content), 4096):
        content[place] ^= 0xFF
    warehouse.write_bytes(content)
    damaged = metacart(config, "run")
    assert damaged.returncode == 65, damaged.stderr
    assert len(said(damaged)) == 1


@pytest.mark.slow
def test_a_reader_that_closes_the_pipe_does_not_end_the_night(config: Path) -> None:
    script = f'"{sys.executable}" -c "{COMMAND}" run --config "{config}" | head -n 1; exit ${{PIPESTATUS[0]}}'
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 1)
    assert (config.parent / "data" / "published" / "shop" / "current.json").is_file()


@pytest.mark.slow
def test_a_future_date_is_64_and_the_next_night_runs(config: Path) -> None:
    future = metacart(config, "run", "--as-of", "2030-01-01")
    assert (future.returncode, len(said(future))) == (64, 1)
    assert metacart(config, "run").returncode == 0


def test_a_tampered_night_is_65_and_names_its_file(config: Path) -> None:
    assert metacart(config, "run").returncode == 0
    [table] = (config.parent / "data" / "published").rglob("out_budget_allocation.csv")
    table.write_text(table.read_text() + "\n")
    verified = metacart(config, "verify")
    assert verified.returncode == 65
    assert "out_budget_allocation.csv is changed" in verified.stdout
    assert "writes missing and changed files anew" in said(verified)[0]


@pytest.mark.slow
def test_a_night_is_taken_back_by_its_name(config: Path) -> None:
    assert metacart(config, "run").returncode == 0
    [folder] = (path for path in (config.parent / "data" / "published" / "shop").iterdir() if path.is_dir())
    taken = metacart(config, "unpublish", folder.name)
    assert (taken.returncode, taken.stdout) == (0, f"{folder.name} is taken back; no night is current\n")
    assert metacart(config, "unpublish", folder.name).returncode == 64


@pytest.mark.slow
def test_a_dry_run_of_prune_removes_nothing(config: Path) -> None:
    assert metacart(config, "run").returncode == 0
    config.write_text(config.read_text().replace("work_nights = 7", "work_nights = 1"))
    for day in ("2026-02-25", "2026-02-26"):
        assert metacart(config, "ingest", "--as-of", day).returncode == 0
    work = config.parent / "data" / "work" / "shop"
    before = sorted(work.iterdir())
    dry = metacart(config, "prune", "--dry-run")
    assert "Nothing was removed" in dry.stdout
    assert "work folders removed: 2026-02-25" in dry.stdout
    assert sorted(work.iterdir()) == before
    metacart(config, "prune")
    assert len(sorted(work.iterdir())) == len(before) - 1
