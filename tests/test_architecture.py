"""Rules of the house that no linter knows."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("features", "flows", "offline_rl", "reports")
MODULES = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
GRAB_BAGS = {"utils", "helpers", "common", "manager", "base", "core", "misc"}


def test_no_module_is_a_grab_bag_or_shadows_the_standard_library():
    for path in MODULES:
        assert path.stem not in GRAB_BAGS | sys.stdlib_module_names, path


def test_nothing_loads_code_from_data():
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert "import pickle" not in text, path
        assert "allow_pickle=True" not in text, path
        assert "torch.load(" not in text, path


def test_only_the_door_reads_the_clock():
    clock = re.compile(r"\.(now|today|utcnow|utcfromtimestamp)\(|\btime\.(time|localtime|gmtime)\(")
    readers = [path for path in MODULES if clock.search(path.read_text(encoding="utf-8"))]
    # All but the ingest print or refuse, and write nothing that counts.
    doors = [
        "flows/attempts/attempt.py",
        "flows/commands/doctor.py",
        "flows/commands/dry_run.py",
        "flows/prefect_flows/parameters.py",
        "flows/stage_log.py",
        "flows/stages/ingest.py",
    ]
    assert sorted(path.relative_to(ROOT).as_posix() for path in readers) == doors
