from pathlib import Path

import pytest

from features.errors import DamagedFileError
from flows.registry.looks import Look, number_of_look
from flows.workspace import Workspace
from tests.flows.spend_shop import spend_shop


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return spend_shop(tmp_path / "shop", n_days=2)


def test_looks_are_counted_by_area_and_by_what_serves(shop):
    asked = [
        ("recommendation", "", "night 1"),
        ("recommendation", "", "night 2"),
        ("advertising", "", "night 2"),
        ("recommendation", "mixed_effects-2", "night 3"),
        ("recommendation", "", "night 4"),
    ]
    assert [number_of_look(shop, Look(*look)) for look in asked] == [1, 2, 1, 1, 3]


def test_a_night_that_is_run_again_has_the_look_that_it_had(shop):
    looks = [Look("recommendation", "", f"night {n}") for n in (1, 2, 3)]
    numbers = [number_of_look(shop, look) for look in looks]
    assert [number_of_look(shop, look) for look in reversed(looks)] == numbers[::-1]


def test_a_damaged_ledger_is_not_taken_for_an_empty_one(shop):
    number_of_look(shop, Look("recommendation", "", "night 1"))
    (shop.registry / "looks.jsonl").write_text('{"night": 1}\n')
    with pytest.raises(DamagedFileError, match=r"looks\.jsonl is damaged in line 1"):
        number_of_look(shop, Look("recommendation", "", "night 2"))
