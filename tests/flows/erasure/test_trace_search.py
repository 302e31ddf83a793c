"""The shop's own id in texts: sessions, attributes of others, items; and other spellings of the id."""

import json
import unicodedata
from pathlib import Path

import pytest

from features.warehouse.byte_search import holds_text
from features.warehouse.store import open_store
from flows.commands.cli import execute
from flows.commands.printed_erasure import erasure_lines
from flows.erasure.erase import erase_every_spelling
from flows.erasure.proof import Mention, Proof, erasures
from flows.json_files import read_record
from flows.stages.ingest import ingest
from flows.stages.verify import verify
from flows.workspace import Workspace
from tests.flows.erasure.erasure_shop import (
    ANN,
    BEN,
    DAY,
    copy_of,
    erased,
    erasure_shop,
    key_of,
    quote_as_before,
)


@pytest.fixture
def shop(erasure_night: Path, tmp_path: Path) -> Workspace:
    return copy_of(erasure_night, tmp_path / "shop")


def ingested(folder: Path, ids: dict[str, str] | None = None) -> Workspace:
    shop = erasure_shop(folder, ids)
    ingest(shop, None)
    return shop


def column(shop: Workspace, query: str) -> list[object]:
    with open_store(shop.warehouse) as connection:
        return [value for (value,) in connection.execute(query).fetchall()]


def visits(shop: Workspace) -> list[object]:
    return column(shop, "SELECT event_id FROM raw_events WHERE event_id LIKE 'v%' ORDER BY 1")


def test_sessions_of_the_person_leave_and_texts_of_others_lose_the_id(shop: Workspace) -> None:
    quote_as_before(shop, f"{ANN}-2026-02-04")

    proof = erased(shop)

    assert visits(shop) == ["v3", "v4", "v5"]
    sessions = column(shop, "SELECT session_id FROM raw_events WHERE event_id LIKE 'v%' ORDER BY event_id")
    assert sessions == [f"erased-{proof.erasure_id}-2026-02-03", "s4", f"jo{ANN}"]
    [about] = [json.loads(str(text)) for text in column(shop, "SELECT attributes FROM raw_users")]
    mask = f"erased-{proof.erasure_id}"
    assert about == {"friend": mask, "note": f"met {mask} {mask}"}
    described = "SELECT attributes FROM dim_users WHERE attributes IS NOT NULL"
    assert column(shop, described) == column(shop, "SELECT attributes FROM raw_users")
    [run] = shop.nights.all()
    assert proof.masked == {
        "warehouse table raw_events, session_id": 1,
        "warehouse table raw_users, attributes": 1,
        f"published/shop/{run.path.name}/report/index.html": 1,
    }


def test_what_stays_is_named_with_its_place_and_reason(shop: Workspace) -> None:
    proof = erased(shop)

    # The item is recommended, too, and so it is in what is published.
    assert Mention("warehouse table raw_events", "item_id", 1, "needed") in proof.mentions
    assert {(found.column, found.why) for found in proof.mentions} == {("item_id", "needed")}
    assert proof.shop_files["visits.csv"] > 0
    [said] = [line for line in erasure_lines(proof, "here") if "raw_events, column item_id" in line]
    assert said == (
        "  warehouse table raw_events, column item_id: 1 row, because it is part of an id or a name that "
        "other rows and your own systems refer to"
    )


def test_links_outside_are_named_as_not_searched(shop: Workspace) -> None:
    proof = erased(shop)

    assert "links" in proof.not_searched
    assert any("files of `metacart link`" in line for line in erasure_lines(proof, "here"))


def test_nights_with_checksums_are_whole_after_an_erasure(shop: Workspace) -> None:
    [folder] = [found.folder for found in verify(shop)]
    assert ANN not in (folder / "out_data_quality.csv").read_text()
    assert quote_as_before(shop, f"{ANN}-2026-02-04") == folder
    assert ANN in (folder / "out_data_quality.csv").read_text()
    pages = [page for page in folder.rglob("*.html") if ANN in page.read_text()]
    assert pages

    erased(shop)

    assert ANN not in (folder / "out_data_quality.csv").read_text()
    assert not any(ANN in page.read_text() for page in pages)
    assert [dict(found.faults) for found in verify(shop)] == [{}]


def test_a_short_id_is_not_searched_and_replaced_but_named(tmp_path: Path) -> None:
    shop = ingested(tmp_path / "shop", ids={ANN: "7"})

    proof = erased(shop, "7")

    # v2 is anonymous, and its session could be anything
    assert visits(shop) == ["v2", "v3", "v4", "v5"]
    sessions = column(shop, "SELECT session_id FROM raw_events WHERE event_id = 'v3'")
    assert sessions == ["7-2026-02-03"]
    assert {mention.why for mention in proof.mentions} == {"unclear"}
    assert proof.is_done
    assert any("could mean something else" in line for line in erasure_lines(proof, "here"))


def test_an_id_that_never_was_there_is_not_called_erased(
    shop: Workspace, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = shop.settings.shop.logs / "metacart.toml"
    stranger = "nobody@example-shop"
    options = ["--user", stranger, "--reason", "asked", "--on", str(DAY), "--config", str(config)]

    assert execute(["erase", *options]) == 0

    printed = capsys.readouterr()
    assert printed.out.startswith("Nothing was found of a person with this id")
    assert "A tombstone keeps the person out of later loads" in printed.out
    assert "Erased" not in printed.out
    assert stranger not in printed.out + printed.err + caplog.text
    [proof] = erasures(shop).iterdir()
    assert not holds_text(proof, stranger)


def test_a_stranger_whose_id_is_quoted_somewhere_is_not_called_erased(shop: Workspace) -> None:
    # a word of every event, also of one that an earlier version quoted
    folder = quote_as_before(shop, "s4")

    proof = erased(shop, "view")

    quoting = f"published/shop/{folder.name}/out_data_quality"
    assert proof.found == {f"{quoting}.parquet": 1}
    assert not proof.has_found
    lines = list(erasure_lines(proof, "here"))
    assert lines[0].startswith("Nothing was found")
    assert lines[1] == "Quoted lines in quarantine that contain the id as a word were emptied."
    assert {mention.why for mention in proof.mentions} == {"unclear"}


def test_neither_proof_nor_output_contains_the_id(
    shop: Workspace, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = shop.settings.shop.logs / "metacart.toml"
    options = ["--user", ANN, "--reason", "asked", "--on", str(DAY), "--config", str(config)]

    assert execute(["erase", *options]) == 0

    printed = capsys.readouterr()
    assert printed.out.startswith("Erased: 3 logged rows of the person")
    assert ANN not in printed.out + printed.err + caplog.text
    assert not any(holds_text(path, ANN) for path in erasures(shop).iterdir())


@pytest.mark.parametrize("typed", [f"  {ANN} ", ANN])
def test_blanks_are_read_as_the_mapping_reads_them(tmp_path: Path, typed: str) -> None:
    folder = tmp_path / "shop"
    erasure_shop(folder)
    config = folder / "metacart.toml"
    config.write_text(config.read_text().replace("[[files]]\n", "[[files]]\ntrim = true\n"))
    shop = copy_of(folder, tmp_path / "copy")
    ingest(shop, None)

    proof = erased(shop, typed)

    assert proof.user_key == key_of(shop)
    assert proof.found["warehouse table raw_users"] == 1
    assert proof.spellings == {}


def test_blanks_are_part_of_an_id_where_the_mapping_keeps_them(tmp_path: Path) -> None:
    shop = ingested(tmp_path / "shop")

    proof = erased(shop, f"  {ANN} ")

    assert "warehouse table raw_users" not in proof.found
    assert proof.spellings == {"blanks": 2}
    assert [line for line in erasure_lines(proof, "here") if "--every-spelling" in line]
    assert "v1" in visits(shop)


@pytest.mark.parametrize(
    ("stored", "typed", "how"),
    [
        pytest.param(ANN, ANN.upper(), "case", marks=pytest.mark.slow),
        # not a usual spelling: only the log files know it
        ("aNN@exAmple-shOp", ANN, "case"),
        pytest.param(
            "annÉ@example-shop",
            unicodedata.normalize("NFD", "annÉ@example-shop"),
            "form",
            marks=pytest.mark.slow,
        ),
        (" ann@example-shop", "Ann@example-shop", "blanks and case"),
    ],
)
def test_ids_that_look_the_same_are_reported_and_erased_on_request(
    tmp_path: Path, stored: str, typed: str, how: str
) -> None:
    shop = ingested(tmp_path / "shop", ids={ANN: stored})

    proof = erased(shop, typed)

    assert proof.spellings == {how: 2}
    # texts are stored composed, so that they hold the id in either form
    assert proof.has_found == (how == "form")
    assert column(shop, f"SELECT count(*) FROM raw_users WHERE user_key = '{key_of(shop, stored)}'") == [1]

    with shop.locked():
        proofs = erase_every_spelling(shop, typed, reason="asked", erased_on=DAY)

    assert [proof.user_key for proof in proofs] == [key_of(shop, typed), key_of(shop, stored)]
    assert column(shop, f"SELECT count(*) FROM raw_users WHERE user_key = '{key_of(shop, stored)}'") == [0]
    assert erased(shop, typed).spellings == {}


def test_an_id_whose_case_the_mapping_changes_is_found_in_any_case(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    erasure_shop(folder)
    config = folder / "metacart.toml"
    text = config.read_text()
    for column_name, file_column in (('user_id = "who", ', "who"), ('user_id = "id", ', "id")):
        assert column_name in text
        text = text.replace(column_name, "").replace(
            'constants.event_type = "view"' if file_column == "who" else 'attributes = "about" }',
            ('constants.event_type = "view"' if file_column == "who" else 'attributes = "about" }')
            + f'\nexpressions.user_id = "lower({file_column})"',
        )
    config.write_text(text)
    people = folder / "people.jsonl"
    people.write_text(people.read_text().replace(f'"id": "{ANN}"', f'"id": "{ANN.upper()}"'))
    shop = copy_of(folder, tmp_path / "copy")
    ingest(shop, None)

    proof = erased(shop, "Ann@Example-Shop")

    assert proof.user_key == key_of(shop)
    assert proof.found["warehouse table raw_users"] == 1
    assert proof.spellings == {}
    assert proof.shop_files["people.jsonl"] == 4


def test_a_damaged_log_file_is_named_and_stops_nothing(shop: Workspace) -> None:
    (shop.settings.shop.logs / "people.jsonl").write_bytes(b'[{"id": "ben", "about"')

    proof = erased(shop)

    assert proof.is_done
    assert proof.shop_files_unread == ("people.jsonl",)
    assert proof.shop_files["visits.csv"] > 0
    assert "  people.jsonl, which can't be read" in list(erasure_lines(proof, "here"))


def test_a_proof_of_the_version_before_is_read_and_kept(shop: Workspace) -> None:
    first = erased(shop)
    [path] = erasures(shop).iterdir()
    # as commit 8877b9c wrote it
    earlier = {
        "erased_on": "2026-01-02",
        "erasure_id": first.erasure_id,
        "found": {"warehouse table raw_users": 41},
        "is_done": True,
        "key_id": first.key_id,
        "left": {},
        "reason": "an earlier reason",
        "shop": "shop",
        "shop_files": {"people.jsonl": 2},
        "shop_files_missing": None,
        "user_key": first.user_key,
    }
    path.write_text(json.dumps(earlier, indent=1, sort_keys=True))
    assert read_record(path, Proof).mentions == ()

    again = erased(shop)

    assert (again.reason, str(again.erased_on)) == ("an earlier reason", "2026-01-02")
    assert again.found == {"warehouse table raw_users": 41}
    assert read_record(path, Proof) == again


def test_an_id_of_another_person_stays(shop: Workspace) -> None:
    erased(shop)
    assert column(shop, "SELECT count(*) FROM raw_users") == [1]
    assert column(shop, f"SELECT count(*) FROM raw_events WHERE user_key = '{key_of(shop, BEN)}'") == [2]
