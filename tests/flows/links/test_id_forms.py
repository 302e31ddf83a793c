"""The form of an id is the one that ingest stores: whatever the mapping does to it, a link does too."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flows.links.id_forms import AS_IT_IS, id_forms
from flows.stages.ingest import source_files
from flows.workspace import Workspace
from tests.flows.links.linked_shop import (
    key_of,
    linked,
    linked_shop,
    quoted,
    stored_keys,
    with_files,
    write_ids,
)

IDS = [" ann ", "Ben", "Zo\u00eb", "e\u0301", "NULL", "17.0", "017", "a'b", '"q"']
SECOND = """
[[files]]
path = "sales.csv"
trim = true
[files.events]
ids.event_id = "row number"
constants.occurred_at = "2026-01-05T10:00:00Z"
constants.event_type = "view"
columns.item_id = "item"
columns.user_id = "buyer"
"""


def forms_of(shop: Workspace):
    return id_forms(source_files(shop.settings, None))


@pytest.mark.parametrize(
    ("user", "options"),
    [
        ('columns.user_id = "who"', ""),
        ('columns.user_id = "who"', "trim = true"),
        ('columns.user_id = "who"', 'null_values = ["NULL", "-"]'),
        ('columns.user_id = "who"', 'trim = true\nnull_values = ["NULL"]'),
        ('expressions.user_id = "lower(who)"', ""),
        ("""expressions.user_id = "'de-' || who" """, "trim = true"),
        ("""expressions.user_id = "case when who like 'B%' then null else who end" """, ""),
        ('expressions.user_id = "who + 0"', ""),
        ('ids.user_id = ["who"]', ""),
        (f"""expressions.user_id = "{"replace(" * 9}who{", 'zzzzzzzzzz', 'y')" * 9}" """, ""),
    ],
)
def test_ids_of_the_logs_get_the_keys_of_the_tables(user: str, options: str, tmp_path: Path) -> None:
    shop = linked_shop(tmp_path, IDS, user=user, options=options)

    said, rows = linked(shop, write_ids(tmp_path, IDS))

    assert set(rows.values()) == stored_keys(shop)
    assert said.counts.n_unknown == 0
    assert said.counts.n_nobody + said.counts.n_linked == len(IDS)
    assert (said.n_forms, said.is_composed) == (1, False)


def test_nothing_is_changed_that_the_mapping_leaves(tmp_path: Path) -> None:
    shop = linked_shop(tmp_path, ["\u00e9", "17"])

    said, rows = linked(shop, write_ids(tmp_path, ["e\u0301", "17.0", " 17", "17"]))

    assert forms_of(shop).forms == (AS_IT_IS,)
    assert said.counts.n_known == 1
    assert rows == {user_id: key_of(shop, user_id) for user_id in ["e\u0301", "17.0", " 17", "17"]}
    assert said.near == {"blanks": 1, "form": 1, "decimals": 1}


def test_an_id_of_several_columns_is_taken_as_the_mapping_makes_it(tmp_path: Path) -> None:
    shop = linked_shop(tmp_path, ["7", "8"], user="""expressions.user_id = "land || ':' || who" """)

    said, rows = linked(shop, write_ids(tmp_path, ["de:7", "8"]))

    assert rows == {"de:7": key_of(shop, "de:7"), "8": key_of(shop, "8")}
    assert (said.counts.n_known, said.is_composed) == (1, True)


def test_an_id_inside_a_json_text_is_taken_as_it_is(tmp_path: Path) -> None:
    users = ['{"id": "ann"}', '{"id": "ben"}']
    shop = linked_shop(tmp_path, users, user="""expressions.user_id = "json_value(who, '$.id')" """)

    said, rows = linked(shop, write_ids(tmp_path, ["ann", "ben"]))

    assert set(rows.values()) == stored_keys(shop)
    assert said.is_composed


def test_an_id_that_two_files_read_in_two_ways_has_the_rows_that_are_known(tmp_path: Path) -> None:
    shop = _with_sales(tmp_path, [" ann", " kim"], sold=[" ann", "ben"])

    said, _ = linked(shop, write_ids(tmp_path, [" ann", "ben", " kim", " new"]))

    table = pl.read_parquet(tmp_path / "link.parquet").rows()
    assert set(table) == {
        (" ann", key_of(shop, " ann")),
        (" ann", key_of(shop, "ann")),
        ("ben", key_of(shop, "ben")),
        (" kim", key_of(shop, " kim")),
        (" new", key_of(shop, " new")),
    }
    assert (said.n_forms, said.counts.n_linked, said.counts.n_rows, said.counts.n_unknown) == (2, 4, 5, 1)


def test_ids_that_the_mapping_makes_one_share_a_key(tmp_path: Path) -> None:
    shop = linked_shop(tmp_path, ["ann"], options="trim = true")

    said, rows = linked(shop, write_ids(tmp_path, ["ann", " ann"]))

    assert rows == dict.fromkeys(["ann", " ann"], key_of(shop, "ann"))
    assert said.counts.n_sharing == 1


def _with_sales(folder: Path, seen: list[str], sold: list[str]) -> Workspace:
    shop = linked_shop(folder, seen)
    rows = [f"{quoted(user_id)},hat" for user_id in sold]
    (folder / "logs" / "sales.csv").write_text("\n".join(["buyer,item", *rows, ""]))
    return with_files(shop, SECOND)


ANY = st.text(st.characters(codec="utf-8"), max_size=12)
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=12)
OPTIONS = ("", "trim = true", 'null_values = ["NULL", "0"]')
MAPPING = """
[[files]]
path = "more.{ending}"
{options}
[files.events]
ids.event_id = "row number"
constants.occurred_at = "2026-01-05T10:00:00Z"
constants.event_type = "view"
constants.item_id = "shoe"
columns.user_id = "who"
"""


def _write(path: Path, column: str, ids: list[str]) -> Path:
    table = pl.DataFrame({column: ids, "n": list(range(len(ids)))}, schema={column: pl.String, "n": pl.Int64})
    match path.suffix:
        case ".parquet":
            table.write_parquet(path)
        case ".csv":
            table.write_csv(path, quote_style="non_numeric")
        case _:
            table.write_ndjson(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shops")


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
# Each example is a shop of its own, so a few of many ids, and no search for the smallest.
@settings(max_examples=2, phases=[Phase.generate])
@given(data=st.data(), options=st.sampled_from(OPTIONS))
def test_any_ids_that_load_get_the_keys_that_were_stored(
    folder: Path, ending: str, data, options: str
) -> None:
    ids = [*data.draw(st.lists(ANY if ending == "parquet" else LINES, max_size=60)), "ann", "NULL", " ben"]
    place = Path(tempfile.mkdtemp(dir=folder))
    shop = linked_shop(place, ["ann"])
    _write(place / "logs" / f"more.{ending}", "who", ids)
    shop = with_files(shop, MAPPING.format(ending=ending, options=options))

    said, _ = linked(shop, _write(place / f"ids.{ending}", "user_id", ids))

    keys = pl.read_parquet(place / "link.parquet")["user_key"]
    # A null word of one file is an id to the other, and nobody's.
    words = {"NULL", "0"} & set(ids) if "NULL" in options else set()
    nobody = {key_of(shop, word) for word in words}
    assert stored_keys(shop) == set(keys) - nobody
    assert said.counts.n_unknown == len(nobody)
    assert said.counts.n_lines == len(ids)
