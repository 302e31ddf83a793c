from dataclasses import replace
from pathlib import Path

from flows.ledger import append_line
from flows.simulations.studies.ledger import Entry, read_ledger, reopened

ENTRY = Entry("strong", 0, "maml", "split", "config")


def test_a_ledger_keeps_every_opening_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.jsonl"
    assert read_ledger(path) == []
    entries = [ENTRY, replace(ENTRY, seed=1), replace(ENTRY, config_sha256="other")]
    for entry in entries:
        append_line(path, entry)
    assert read_ledger(path) == entries


def test_a_second_opening_shows_whether_or_not_the_configuration_changed() -> None:
    other = replace(ENTRY, config_sha256="other")
    assert reopened([ENTRY, replace(ENTRY, seed=1), replace(ENTRY, learner="reptile")]) == {}
    assert reopened([ENTRY, other]) == {("strong", 0, "maml"): ["config", "other"]}
    assert reopened([ENTRY, ENTRY]) == {("strong", 0, "maml"): ["config", "config"]}
