"""A night that is killed, at every change of a file or at any moment, is made good by running it again.

Byte for byte: the shop of these tests learns nothing, so no published file measures time.
"""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from features.warehouse.store import open_store
from flows.checksums import checksums, files_below
from flows.published_nights import PublishedNights
from tests.flows.spend_shop import spend_shop

SCRIPT = Path(__file__).with_name("kill_points.py")


def killed(how: str, tmp_path: Path, *numbers: float) -> list[tuple[int, int, int]]:
    """Run the script; return copy, end of the killed night, and end of the night run again."""
    shop = tmp_path / "shop"
    spend_shop(shop)
    # One key for all copies: their users have the same pseudonyms.
    key = shop / "data" / "secrets" / "shop.key"
    key.parent.mkdir(parents=True)
    key.write_text("ab" * 32)
    key.chmod(0o600)
    command = [sys.executable, str(SCRIPT), how, str(shop), str(tmp_path / "copies"), *map(str, numbers)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split() for line in ended.stdout.splitlines()]
    found = [(int(copy), int(first), int(again)) for copy, first, again in lines]
    assert ended.returncode == 0, ended.stderr
    return found


def left_behind(copy: Path) -> dict[str, object]:
    """Return all that counts after a night: published bytes, the warehouse's rows, and what lies around."""
    data = copy / "data"
    published = data / "published" / "shop"
    with open_store(data / "warehouse" / "shop.duckdb") as connection:
        rows = {
            table: connection.sql(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            for table in ("raw_ad_spend_daily", "raw_events", "out_budget_allocation", "load_manifest")
        }
    # users have another pseudonym in each copy, whose key is its own; a file is received at its own time
    rows["raw_events"] = [row[:2] for row in rows["raw_events"]]
    rows["load_manifest"] = [row[:3] for row in rows["load_manifest"]]
    return {
        "published": checksums(published, files_below(published)),
        "faults": [night.faults() for night in PublishedNights(published).all()],
        "rows": rows,
        "work": [name.partition("/")[2] for name in files_below(data / "work" / "shop") if "/" in name],
        "leftovers": [str(path.relative_to(copy)) for path in data.rglob(".*")],
    }


def all_like_the_last(tmp_path: Path, copies: list[int]) -> None:
    right = left_behind(tmp_path / "copies" / str(copies[-1]))
    assert right["published"]
    assert right["leftovers"] == []
    for copy in copies:
        assert left_behind(tmp_path / "copies" / str(copy)) == right, f"killed at {copy}"


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 31])
def test_a_kill_at_any_change_of_a_file_is_made_good_by_the_next_run(tmp_path: Path, step: int) -> None:
    found = killed("changes", tmp_path, 1, step)
    *died, (_, last, _) = found
    assert len(died) > 50 // step
    assert last == 0
    assert [(first, again) for _, first, again in died] == [(-9, 0)] * len(died)
    all_like_the_last(tmp_path, [copy for copy, _, _ in found])


@pytest.mark.slow
def test_a_kill_at_any_moment_is_made_good_by_the_next_run(tmp_path: Path) -> None:
    drawn = random.Random(20)
    moments = [drawn.uniform(0.0, 2.5) for _ in range(40)]
    found = killed("moments", tmp_path, *moments, 30.0)
    assert {again for _, _, again in found} == {0}
    assert sum(first == -9 for _, first, _ in found) >= 20
    all_like_the_last(tmp_path, [copy for copy, _, _ in found])
