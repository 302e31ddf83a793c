"""When the gate looks at its evidence again: after a quarter more rounds, and not before."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from features.contracts.findings import Finding
from flows.night_folder import Night
from flows.stages.gate_of_domain import look_of
from flows.workspace import Workspace
from offline_rl.gate import Evidence, Gate
from tests.flows.spend_shop import spend_shop

FIRST = date(2026, 1, 5)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop", n_days=2)


def look(shop: Workspace, day: int, *, n_days: int, withheld: Finding | None = None) -> tuple[Gate, int]:
    """Look on a day at the hundred rounds of each day until then, of the last n_days."""
    days = [FIRST + timedelta(days=day - ago) for ago in range(n_days)]
    shown = Evidence(cast("Any", None), {}, dict.fromkeys(days, 100), n_origins=3, split_by="time")
    night = cast("Night", type("Tonight", (), {"run_id": f"{days[0].isoformat()}-0a1b2c3d"}))
    return look_of(Gate("logging", {"new": shown}, withheld), shop, night, "recommendation", None)


def test_the_next_look_is_due_when_a_quarter_has_been_added(shop):
    looks = [look(shop, day, n_days=8 + day) for day in range(5)]
    assert [number for _, number in looks] == [1, 1, 2, 1, 1]
    assert [gate.withheld is None for gate, _ in looks] == [True, False, True, False, False]
    found = looks[1][0].withheld
    assert found is not None
    assert (found.code, found.number("n_new"), found.number("n_rounds")) == ("between_looks", 100, 800)
    assert (found.number("look"), found.number("share")) == (2, 0.25)


def test_where_old_rounds_leave_the_evidence_new_ones_count_all_the_same(shop):
    numbers = [look(shop, day, n_days=8)[1] for day in range(5)]
    assert numbers == [1, 1, 2, 1, 3]


def test_a_night_that_is_run_again_looks_again(shop):
    for day in (0, 1, 2):
        look(shop, day, n_days=8)
    assert [look(shop, day, n_days=8)[1] for day in (0, 1, 2)] == [1, 1, 2]
    assert look(shop, 1, n_days=8)[0].withheld is not None


def test_a_gate_that_may_promote_nothing_does_not_look(shop):
    pinned = Finding("champion_pinned", "recommendation")
    assert look(shop, 0, n_days=8, withheld=pinned)[0].withheld == pinned
    assert look(shop, 1, n_days=8)[1] == 1
