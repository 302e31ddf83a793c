"""A holdout remembers who looked at it; the report tells of looks that were there before."""

from dataclasses import replace
from pathlib import Path

from flows.ledger import read_lines
from flows.stages.openings import Opening, fingerprint, note_of, record_opening

LOOK = Opening("recommendation", "rounds", "splits", "2026-02-01-aaaaaaaa")


def test_the_same_run_sees_what_it_saw(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    assert [record_opening(ledger, LOOK) for _ in range(3)] == [0, 0, 0]
    assert len(read_lines(ledger)) == 1


def test_another_run_on_the_same_rounds_is_a_second_look(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    other = replace(LOOK, run_id="2026-02-01-bbbbbbbb")
    assert record_opening(ledger, LOOK) == 0
    assert record_opening(ledger, other) == 1
    assert record_opening(ledger, replace(LOOK, run_id="2026-02-01-cccccccc")) == 2
    assert record_opening(ledger, other) == 1
    assert record_opening(ledger, LOOK) == 0


def test_other_rounds_and_other_domains_are_first_looks(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    record_opening(ledger, LOOK)
    assert record_opening(ledger, replace(LOOK, holdout_sha256="next day", run_id="b")) == 0
    assert record_opening(ledger, replace(LOOK, domain="advertising", run_id="b")) == 0


def test_a_line_that_was_cut_off_hides_no_later_look(tmp_path: Path) -> None:
    ledger = tmp_path / "openings.jsonl"
    record_opening(ledger, LOOK)
    with ledger.open("a", encoding="utf-8") as file:
        file.write('{"domain": "recomm')
    assert record_opening(ledger, replace(LOOK, run_id="b")) == 1
    assert [line["run_id"] for line in read_lines(ledger)] == [LOOK.run_id, "b"]


def test_the_fingerprint_knows_names_and_their_order() -> None:
    assert fingerprint(["a", "b"]) == fingerprint(iter(["a", "b"]))
    assert len({fingerprint(names) for names in (["a", "b"], ["b", "a"], ["ab"], ["a"])}) == 4


def test_readers_are_told_how_often() -> None:
    assert note_of("advertising", 0) == []
    assert "advertising: this holdout was opened once before" in note_of("advertising", 1)[0]
    assert "opened 3 times before" in note_of("advertising", 3)[0]
