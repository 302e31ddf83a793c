"""Folders of nights: damaged files are written anew, open ones stay, and the pointer is never lost."""

from pathlib import Path

import pytest

from features.errors import UsageError
from flows.checksums import SUMS
from flows.json_files import read_json, write_json
from flows.published_nights import PublishedNight, PublishedNights

RUN = "2026-01-05-0000000a"
LATER = "2026-01-06-0000000b"


@pytest.fixture
def nights(tmp_path: Path) -> PublishedNights:
    return PublishedNights(tmp_path / "published")


def place(nights: PublishedNights, run_id: str = RUN, version: int = 1) -> PublishedNight:
    """Publish a night of one table and one report."""
    fresh = nights.path / f".{run_id}.tmp"
    (fresh / "report").mkdir(parents=True)
    (fresh / "out.csv").write_text(f"n\n{version}\n")
    (fresh / "report" / "index.html").write_text("<html>")
    manifest = {"run_id": run_id, "checksums": SUMS, "version": version}
    write_json(fresh / "manifest.json", manifest)
    return nights.place(fresh, run_id, manifest)


def test_a_published_night_is_whole(nights):
    night = place(nights)
    assert (night.path.name, night.faults()) == (RUN, {})
    assert [night.path for night in nights.all()] == [nights.path / RUN]
    assert not list(nights.path.glob(".*"))


def test_the_same_night_again_writes_nothing(nights):
    before = {path: path.stat().st_mtime_ns for path in place(nights).path.rglob("*")}
    place(nights)
    assert {path: path.stat().st_mtime_ns for path in (nights.path / RUN).rglob("*")} == before


@pytest.mark.parametrize("name", ["out.csv", "report/index.html", "manifest.json", SUMS])
@pytest.mark.parametrize("damage", ["delete", "cut", "forge"])
def test_a_damaged_file_is_found_and_written_anew(nights, name, damage):
    path = place(nights).path / name
    before = path.read_bytes()
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(before[:-2] if damage == "cut" else b"forged")
    assert name in PublishedNight(nights.path / RUN).faults()

    night = place(nights)

    assert night.path.name == RUN
    assert (path.read_bytes(), night.faults()) == (before, {})


def test_a_file_that_was_not_published_is_unknown_and_stays(nights):
    stranger = place(nights).path / "notes.txt"
    stranger.write_text("mine")
    assert place(nights).faults() == {"notes.txt": "unknown"}
    assert stranger.read_text() == "mine"


def test_other_content_of_the_same_run_gets_another_folder(nights):
    """A reader may have the first one open; a library of another version computed the second."""
    first, second, third = (place(nights, version=n) for n in (1, 2, 3))
    assert [night.path.name for night in (first, second, third)] == [RUN, f"{RUN}.2", f"{RUN}.3"]
    assert {night.run_id for night in nights.of(RUN)} == {RUN}
    assert (first.path / "out.csv").read_text() == "n\n1\n"
    assert place(nights, version=2) == second
    nights.point_to_newest(published=second)
    assert read_json(nights.pointer) == {"run_id": RUN, "folder": f"{RUN}.2", "as_of": "2026-01-05"}
    assert nights.current() == second


def test_an_earlier_night_does_not_become_current(nights):
    later = place(nights, LATER)
    nights.point_to_newest(published=later)
    nights.point_to_newest(published=place(nights))
    assert nights.current() == later


@pytest.mark.parametrize(
    "pointer", [None, b"", b"{", b"[]", b'{"run_id": "../../etc"}', b'{"folder": "2031-01-01-00000000"}']
)
def test_a_damaged_pointer_is_made_anew(nights, pointer):
    place(nights, RUN)
    later = place(nights, LATER)
    if pointer is not None:
        nights.pointer.write_bytes(pointer)
    assert nights.current() is None
    assert nights.point_to_newest() == later
    assert nights.current() == later


def test_a_withdrawn_night_is_gone_and_the_one_before_counts(nights):
    first, later = place(nights), place(nights, LATER)
    nights.point_to_newest(published=later)
    assert nights.withdraw([later]) == first
    assert nights.current() == first
    assert nights.withdraw([first]) is None
    assert not nights.pointer.exists()
    assert list(nights.path.iterdir()) == []


def test_only_folders_of_nights_count(nights, tmp_path):
    place(nights)
    (nights.path / "2026-01-07").mkdir()
    (nights.path / "notes").mkdir()
    (nights.path / "2026-01-08-0000000c").symlink_to(tmp_path)
    assert [night.run_id for night in nights.all()] == [RUN]
    with pytest.raises(UsageError, match=f"has no night 'latest'. The newest nights are: {RUN}"):
        nights.of("latest")


def test_what_an_interrupted_run_left_is_swept(nights):
    place(nights)
    (nights.path / ".x.tmp" / "report").mkdir(parents=True)
    (nights.path / ".current.json.tmp").write_text("{")
    nights.sweep()
    assert sorted(path.name for path in nights.path.iterdir()) == [RUN]
