from pathlib import Path

import pytest

from features.errors import DamagedFileError
from flows.registry.looks import Look, looks_before, record_look
from flows.workspace import Workspace
from tests.flows.spend_shop import spend_shop


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop", n_days=2)


def number_of_look(shop: Workspace, look: Look) -> int:
    """Return the number of a look that is recorded now."""
    before = looks_before(shop, look)
    record_look(shop, look)
    return 1 + len(before)


def test_looks_are_counted_by_area_and_by_what_serves(shop):
    asked = [
        ("recommendation", "", "2026-01-01-a"),
        ("recommendation", "", "2026-01-02-a"),
        ("advertising", "", "2026-01-02-a"),
        ("recommendation", "mixed_effects-2", "2026-01-03-a"),
        ("recommendation", "", "2026-01-04-a"),
    ]
    assert [number_of_look(shop, Look(*look)) for look in asked] == [1, 2, 1, 1, 3]


def test_a_night_that_is_run_again_has_the_look_that_it_had(shop):
    looks = [Look("recommendation", "", f"2026-01-0{n}-a") for n in (1, 2, 3)]
    numbers = [number_of_look(shop, look) for look in looks]
    assert [number_of_look(shop, look) for look in reversed(looks)] == numbers[::-1]


def test_an_earlier_night_does_not_count_later_ones(shop):
    days = (5, 7, 6, 6)
    looks = [Look("recommendation", "", f"2026-01-0{day}-{n}") for n, day in enumerate(days)]
    assert [number_of_look(shop, look) for look in looks] == [1, 2, 2, 3]


def test_a_damaged_ledger_is_not_taken_for_an_empty_one(shop):
    number_of_look(shop, Look("recommendation", "", "2026-01-01-a"))
    (shop.registry / "looks.jsonl").write_text('{"night": 1}\n')
    with pytest.raises(DamagedFileError, match=r"looks\.jsonl is damaged in line 1"):
        number_of_look(shop, Look("recommendation", "", "2026-01-02-a"))


def test_a_ledger_of_an_earlier_version_is_read(shop):
    line = '{"area": "recommendation", "against": "", "run_id": "2026-01-01-a"}\n'
    shop.registry.mkdir(parents=True)
    (shop.registry / "looks.jsonl").write_text(line)
    asked = Look("recommendation", "", "2026-01-02-a", n_rounds=10, until="2026-01-01")
    assert looks_before(shop, asked) == [Look("recommendation", "", "2026-01-01-a", n_rounds=0, until="")]
