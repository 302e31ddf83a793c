"""The ledger records each use of a holdout; the report names earlier uses."""

from dataclasses import replace
from pathlib import Path

import pytest

from features.contracts.findings import finding
from features.errors import DamagedFileError
from flows.ledger import read_lines
from flows.stages.holdout_ledger import HoldoutUse, fingerprint, note_on_earlier_uses, record_use

USE = HoldoutUse("recommendation", "rounds", "splits", "2026-02-01-aaaaaaaa")


def test_the_same_run_gets_the_same_number_and_adds_no_line(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    assert [record_use(ledger, USE) for _ in range(3)] == [0, 0, 0]
    assert len(read_lines(ledger)) == 1


def test_another_run_on_the_same_rounds_is_a_second_use(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    other = replace(USE, run_id="2026-02-01-bbbbbbbb")
    assert record_use(ledger, USE) == 0
    assert record_use(ledger, other) == 1
    assert record_use(ledger, replace(USE, run_id="2026-02-01-cccccccc")) == 2
    assert record_use(ledger, other) == 1
    assert record_use(ledger, USE) == 0


def test_other_rounds_and_other_domains_are_first_uses(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    record_use(ledger, USE)
    assert record_use(ledger, replace(USE, holdout_sha256="next day", run_id="b")) == 0
    assert record_use(ledger, replace(USE, domain="advertising", run_id="b")) == 0


def test_a_line_that_was_cut_off_hides_no_later_use(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    record_use(ledger, USE)
    with ledger.open("a", encoding="utf-8") as file:
        file.write('{"domain": "recomm')
    assert record_use(ledger, replace(USE, run_id="b")) == 1
    assert [line["run_id"] for line in read_lines(ledger)] == [USE.run_id, "b"]


@pytest.mark.parametrize("line", [b"[1, 2]", b"7", b'{"a": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_ledger_is_named_and_hides_no_use(tmp_path: Path, line: bytes) -> None:
    ledger = tmp_path / "openings.jsonl"
    record_use(ledger, USE)
    ledger.write_bytes(ledger.read_bytes() + line + b"\n")
    with pytest.raises(DamagedFileError, match=r"openings\.jsonl is damaged in line 2"):
        record_use(ledger, replace(USE, run_id="b"))


def test_the_fingerprint_knows_names_and_their_order() -> None:
    assert fingerprint(["a", "b"]) == fingerprint(iter(["a", "b"]))
    assert len({fingerprint(names) for names in (["a", "b"], ["b", "a"], ["ab"], ["a"])}) == 4


def test_the_note_states_the_number_of_earlier_uses() -> None:
    assert note_on_earlier_uses("advertising", 0) == []
    [note] = note_on_earlier_uses("advertising", 3)
    assert note.found == finding("holdout_used_before", "advertising", n_earlier_uses=3)
