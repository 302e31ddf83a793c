"""The rule of days that are over is one, and cheap to ask."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from features.errors import UsageError
from flows.complete_days import refuse_unfinished_day

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 3, 2)


@pytest.mark.parametrize("day", [None, date(2026, 3, 1), date(2020, 1, 1)])
def test_a_day_that_is_over_passes(day):
    refuse_unfinished_day(day, TODAY)


@pytest.mark.parametrize("day", [TODAY, date(2026, 3, 3)])
def test_a_day_that_is_not_over_is_refused(day):
    with pytest.raises(UsageError, match=f"{day} is not over yet in UTC. Choose 2026-03-01"):
        refuse_unfinished_day(day, TODAY)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("flows.complete_days", {"torch", "duckdb", "polars", "prefect"}),
        ("flows.prefect_flows.parameters", {"torch", "prefect"}),
    ],
)
def test_asking_imports_nothing_heavy(module, heavy):
    script = f"import sys, {module}; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not heavy & set(ended.stdout.split())
