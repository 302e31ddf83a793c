"""A link says how it fits the shop, is for its owner alone, and does not undo an erasure."""

import dataclasses
import shutil
import stat
from pathlib import Path

import duckdb
import polars as pl
import pytest

from features.deidentify import MissingKeyError
from features.errors import InputDataError, MetacartError, UsageError
from flows.commands.printed_link import no_match
from flows.links import link_file, matched_ids
from flows.links.link_file import private_folder
from flows.stages.ingest import key_file
from flows.workspace import Workspace
from tests.flows.erasure.erasure_shop import erased
from tests.flows.links.linked_shop import (
    RUN_ID,
    config_of,
    key_of,
    linked,
    linked_shop,
    publish_users,
    write_ids,
)

USERS = ["ann", "ben", "kim", "lea", "-5"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("linked") / "shop"
    shop = linked_shop(folder, USERS)
    publish_users(shop, ["ann", "ben", "kim"], segments=("de|phone",))
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Workspace:
    """A copy of the shop for a test to spoil."""
    from flows.settings import read_settings

    folder = tmp_path / "shop"
    shutil.copytree(made, folder)
    config = folder / "metacart.toml"
    config.write_text(config.read_text().replace(str(made), str(folder)))
    return Workspace(read_settings(config))


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_every_line_of_the_file_is_accounted_for(shop: Workspace, tmp_path: Path) -> None:
    ids = write_ids(tmp_path, ["ann", "ben", "lea", "new", "ann", "", "new"])

    said, rows = linked(shop, ids)

    assert rows == {user_id: key_of(shop, user_id) for user_id in ["ann", "ben", "lea", "new"]}
    counts = said.counts
    assert (counts.n_lines, counts.n_empty, counts.n_repeated, counts.n_ids) == (7, 1, 2, 4)
    assert (counts.n_in_night, counts.n_in_warehouse, counts.n_unknown) == (2, 3, 1)
    assert (said.night, said.n_night_users, said.n_night_users_without_id) == (RUN_ID, 3, 1)


def test_an_erased_person_is_left_out(shop: Workspace, tmp_path: Path) -> None:
    erased(shop, "ann")

    said, rows = linked(shop, write_ids(tmp_path, ["ann", "ben"]))

    assert set(rows) == {"ben"}
    assert (said.counts.n_erased, said.counts.n_linked) == (1, 1)
    with pytest.raises(InputDataError, match=r"no id to link.*1 are of erased people"):
        linked(shop, write_ids(tmp_path, ["ann"]), overwrite=True)


def test_a_file_without_ids_is_refused_in_a_sentence(shop: Workspace, tmp_path: Path) -> None:
    with pytest.raises(
        InputDataError, match=r"has no ids, and nothing was written\. Put one id on each line"
    ):
        linked(shop, write_ids(tmp_path, []))
    with pytest.raises(InputDataError, match=r"written: 2 lines are empty, 0 can't be read\. Put one id"):
        linked(shop, write_ids(tmp_path, ["", ""]))


def test_an_erased_person_is_left_out_in_any_form_that_an_erasure_takes(tmp_path: Path) -> None:
    shop = linked_shop(
        tmp_path / "shop", ["Ann", "Ben", "kim"], user="""expressions.user_id = "'de-' || lower(who)" """
    )
    for user_id in ("de-ann", "Ben"):
        erased(shop, user_id)

    said, rows = linked(shop, write_ids(tmp_path, ["Ann", "ANN", "Ben", "kim"]))

    assert rows == {"kim": key_of(shop, "de-kim")}
    assert said.counts.n_erased == 3


def test_people_erased_with_another_key_stop_a_link(shop: Workspace, tmp_path: Path) -> None:
    erased(shop, "ann")
    shutil.rmtree(shop.warehouse.parent)
    key_file(shop).write_text("ab" * 32)

    with pytest.raises(UsageError, match="1 people were erased with another pseudonym key"):
        linked(shop, write_ids(tmp_path, ["ben"]))


def test_without_one_known_id_nothing_is_written_and_the_cause_is_looked_for(
    shop: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "ids"
    folder.mkdir()

    said, _ = linked(shop, write_ids(folder, ["ANN", " BEN", "ben ", "007"]))

    assert not said.is_written
    assert (said.counts.n_known, said.counts.n_unknown) == (0, 4)
    assert said.near == {"case": 1, "blanks": 1}
    assert left_in(folder) == {"ids.csv"}


def test_the_link_is_for_its_owner_alone_from_its_first_byte(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}
    replace = Path.replace

    def watched(path: Path, target: Path) -> Path:
        if path.name.startswith("link."):
            seen[path.suffix] = [stat.S_IMODE(place.stat().st_mode) for place in (path.parent, path)]
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    ids = write_ids(tmp_path, ["ann"])
    for name in ("link.parquet", "link.csv"):
        (tmp_path / name).write_text("others may read what was here")
        (tmp_path / name).chmod(0o644)
        linked(shop, ids, out=name, overwrite=True)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert seen == {".parquet": [0o700, 0o600], ".csv": [0o700, 0o600]}
    assert left_in(tmp_path) == {"shop", "ids.csv", "link.parquet", "link.csv"}


def test_a_killed_link_leaves_a_folder_that_the_next_one_removes(shop: Workspace, tmp_path: Path) -> None:
    left = tmp_path / ".link.parquet.tmp"
    left.mkdir()
    (left / "link.parquet").write_text("ann")

    linked(shop, write_ids(tmp_path, ["ann"]))

    assert not left.exists()


def test_a_link_that_fails_leaves_what_was_there(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link.parquet").write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(link_file.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        linked(shop, write_ids(tmp_path, ["ann"]), overwrite=True)
    assert (tmp_path / "link.parquet").read_text() == "before"
    assert left_in(tmp_path) == {"shop", "ids.csv", "link.parquet"}


def test_a_csv_link_holds_no_formula(shop: Workspace, tmp_path: Path) -> None:
    ids = write_ids(tmp_path, ["-5", "=1+1", "ann", "\uff1dx"])

    said, rows = linked(shop, ids, out="link.csv")

    assert said.n_guarded == 3
    assert rows["'-5"] == key_of(shop, "-5")
    assert rows["ann"] == key_of(shop, "ann")
    assert set(linked(shop, ids)[1]) == {"-5", "=1+1", "ann", "\uff1dx"}


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("shop/data/link.parquet", "is inside"),
        ("shop/data/published/link.csv", "served to others"),
        (f"shop/data/published/shop/{RUN_ID}/link.parquet", "is inside"),
        ("door/link.parquet", "is inside"),
        ("shop/logs/events.csv", "read as a log"),
        ("link.xlsx", "must end in"),
        ("nowhere/link.csv", "not a folder"),
        ("link[1].csv", "control character"),
        ("ids.csv", "is the file of the ids"),
        ("there.csv", "add --overwrite"),
        ("dangling.csv", "add --overwrite"),
    ],
)
def test_a_link_is_refused_where_it_must_not_be(
    place: str, words: str, shop: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "door").symlink_to(shop.published)
    (tmp_path / "dangling.csv").symlink_to(shop.published / "new.csv")
    (tmp_path / "there.csv").write_text("before")
    ids = write_ids(tmp_path, ["ann"])
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(UsageError, match=words):
        linked(shop, ids, out=place)

    assert [path for path in sorted(tmp_path.rglob("*")) if path.suffix != ".lock"] == [
        path for path in before if path.suffix != ".lock"
    ]


def test_the_key_is_needed_and_never_made(shop: Workspace, tmp_path: Path) -> None:
    key_file(shop).unlink()

    with pytest.raises(MissingKeyError):
        linked(shop, write_ids(tmp_path, ["ann"]))
    assert not key_file(shop).exists()


def test_another_key_than_that_of_the_rows_is_refused(shop: Workspace, tmp_path: Path) -> None:
    key_file(shop).write_text("ab" * 32)

    with pytest.raises(UsageError, match="is not that of the warehouse's rows"):
        linked(shop, write_ids(tmp_path, ["ann"]))


def test_no_error_quotes_the_key(shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(key: object, _column: str = "user_id") -> str:
        return f"no_such_function('{key.secret.hex()}')"  # type: ignore[attr-defined]

    monkeypatch.setattr(matched_ids, "pseudonym_sql", broken)
    with pytest.raises(MetacartError, match="could not be hashed") as raised:
        linked(shop, write_ids(tmp_path, ["ann"]))
    assert key_file(shop).read_text().strip() not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_header_that_is_an_id_is_refused_without_showing_it(shop: Workspace, tmp_path: Path) -> None:
    ids = tmp_path / "ids.csv"
    ids.write_text("ben\nkim\n")

    with pytest.raises(InputDataError, match="no header: its first line is an id") as raised:
        linked(shop, ids)
    assert "ben" not in str(raised.value)


def test_a_warehouse_without_a_night_is_enough(shop: Workspace, tmp_path: Path) -> None:
    shutil.rmtree(shop.published)

    said, rows = linked(shop, write_ids(tmp_path, ["ann", "new"]))

    assert set(rows) == {"ann", "new"}
    assert (said.night, said.counts.n_in_warehouse) == (None, 1)


def test_a_night_without_a_warehouse_is_enough(shop: Workspace, tmp_path: Path) -> None:
    shop.warehouse.unlink()

    said, _ = linked(shop, write_ids(tmp_path, ["ann", "lea"]))

    assert (said.has_warehouse, said.counts.n_in_night, said.counts.n_in_warehouse) == (False, 1, 0)
    key_file(shop).write_text("ab" * 32)
    said, _ = linked(shop, write_ids(tmp_path, ["ann", "lea"]), overwrite=True)
    assert not said.is_written
    assert "the pseudonym key is not the one of that night" in no_match(said)


def test_with_neither_there_is_nothing_to_compare_with(shop: Workspace, tmp_path: Path) -> None:
    shop.warehouse.unlink()
    shutil.rmtree(shop.published)

    with pytest.raises(UsageError, match="neither a warehouse nor a published night"):
        linked(shop, write_ids(tmp_path, ["ann"]))


def test_a_damaged_table_is_named(shop: Workspace, tmp_path: Path) -> None:
    (shop.published / RUN_ID / "out_recommendations.parquet").write_bytes(b"PAR1 or not")

    with pytest.raises(InputDataError, match=r"out_recommendations\.parquet is damaged"):
        linked(shop, write_ids(tmp_path, ["ann"]))


def test_the_link_of_the_same_ids_is_the_same_to_the_last_byte(shop: Workspace, tmp_path: Path) -> None:
    linked(shop, write_ids(tmp_path, ["ann", "ben", "new"]), out="a.parquet")
    linked(shop, write_ids(tmp_path, ["new", "ben", "ann"]), out="b.parquet")

    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    with duckdb.connect() as connection:
        kinds = connection.execute(f"DESCRIBE FROM '{tmp_path / 'a.parquet'}'").fetchall()
    assert [(name, kind) for name, kind, *_ in kinds] == [("user_id", "VARCHAR"), ("user_key", "VARCHAR")]


def test_a_folder_of_another_link_stays_while_one_is_made(tmp_path: Path) -> None:
    with private_folder(tmp_path / "a.parquet") as one, private_folder(tmp_path / "b.parquet") as other:
        assert one != other
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in (one, other)} == {0o700}
    assert left_in(tmp_path) == set()


def test_ids_as_numbers_of_parquet_are_the_numbers_of_a_log(tmp_path: Path) -> None:
    shop = linked_shop(tmp_path, ["17", "18"])
    path = tmp_path / "ids.parquet"
    pl.DataFrame({"user_id": [17, 18, 19]}).write_parquet(path)

    said, rows = linked(shop, path)

    assert rows == {text: key_of(shop, text) for text in ("17", "18", "19")}
    assert said.counts.n_known == 2
    assert dataclasses.asdict(said)["n_forms"] == 1
    assert config_of(shop).is_file()
