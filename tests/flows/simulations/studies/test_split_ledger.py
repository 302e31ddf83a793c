from dataclasses import replace
from pathlib import Path

from flows.ledger import append_line
from flows.simulations.studies.split_ledger import SplitUse, read_split_uses, used_again

ENTRY = SplitUse("strong", 0, "maml", "split", "config")


def test_a_ledger_keeps_every_use_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.jsonl"
    assert read_split_uses(path) == []
    entries = [ENTRY, replace(ENTRY, seed=1), replace(ENTRY, config_sha256="other")]
    for entry in entries:
        append_line(path, entry)
    assert read_split_uses(path) == entries


def test_a_second_use_is_listed_whether_or_not_the_configuration_changed() -> None:
    other = replace(ENTRY, config_sha256="other")
    assert used_again([ENTRY, replace(ENTRY, seed=1), replace(ENTRY, learner="reptile")]) == {}
    assert used_again([ENTRY, other]) == {("strong", 0, "maml"): ["config", "other"]}
    assert used_again([ENTRY, ENTRY]) == {("strong", 0, "maml"): ["config", "config"]}
