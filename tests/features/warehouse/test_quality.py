from collections.abc import Callable

import duckdb

from features.contracts.mapping import SourceFile
from features.warehouse.load import LoadedFile
from features.warehouse.quality import data_quality
from flows.commands.printed_quality import quality_lines
from reports.wording.sentences import say, say_rule

RECONCILED = "loaded = lines - rejected"
ITEMS = {"item_id": "item_id", "price_cents": "price_cents"}


def test_every_file_reconciles_and_every_broken_rule_has_a_reason(
    warehouse: duckdb.DuckDBPyConnection,
    source_file: Callable[..., SourceFile],
    load: Callable[..., LoadedFile],
) -> None:
    content = "item_id,price_cents\nshoe,100\nhat,-5\n,7\nsock,-1\nshort\n"
    load(source_file(content, "items", name="items.csv", columns=ITEMS))
    load(source_file("", "items", name="empty.csv", columns=ITEMS))

    rows = data_quality(warehouse, "night-1", say, say_rule).drop("run_id", "reason_codes", "findings").rows()

    assert rows == [
        ("empty.csv", RECONCILED, 0, 0, 0, "the file holds no data lines", None),
        ("items.csv", RECONCILED, 5, 1, 4, "every line was loaded or has a reason below", None),
        (
            "items.csv",
            "price_cents must be at least 0",
            5,
            1,
            2,
            "line 3: price_cents is a number of 2 characters; it must be at least 0",
            "the line has a text of 3 characters as item_id; a number of 2 characters as price_cents",
        ),
        (
            "items.csv",
            "a line has as many fields as the header",
            5,
            1,
            1,
            "line 6: the line has fewer fields than the header",
            None,
        ),
        (
            "items.csv",
            "item_id must be there",
            5,
            1,
            1,
            "line 4: item_id is missing",
            "the line has nothing as item_id; a number of 1 character as price_cents",
        ),
    ]


def test_rows_of_another_key_are_named_with_their_files(
    warehouse: duckdb.DuckDBPyConnection,
    source_file: Callable[..., SourceFile],
    load: Callable[..., LoadedFile],
) -> None:
    users = {"user_id": "user_id"}
    for day, key_id in (("1", "old"), ("2", "old"), ("3", "new")):
        load(
            source_file(f"user_id\nann-{day}\nben\n", "users", name=f"{day}.csv", columns=users),
            key_id=key_id,
        )
    load(
        source_file("item_id\nshoe\n", "items", name="items.csv", columns={"item_id": "item_id"}),
        key_id="old",
    )

    found = data_quality(warehouse, "night-1", say, say_rule, key_id="new").filter(reason_codes="other_key")

    assert found.select("source_name", "rule", "n_rejected").rows() == [
        ("1.csv", "all rows carry pseudonyms of one key", 0)
    ]
    assert "of another key (old): 2 files with 4 loaded lines, the last one 2.csv." in found["reason"][0]
    assert (
        data_quality(warehouse, "night-1", say, say_rule, key_id="old")["reason"]
        .str.contains("its 2 loaded lines carry pseudonyms of another key \\(new\\)")
        .any()
    )
    assert list(quality_lines(found)) == [f"1.csv: {found['reason'][0]}"]


def test_files_that_no_table_reads_are_named_first(warehouse: duckdb.DuckDBPyConnection) -> None:
    names = ["events-2026-02-01.csv", "events-2026-02-02.csv"]
    [row] = data_quality(warehouse, "night-1", say, say_rule, unread=names).rows(named=True)
    assert (row["source_name"], row["n_rows"], row["n_rejected"]) == (names[0], 0, 0)
    assert "2 with names like those of files that are read, up to events-2026-02-02.csv" in row["reason"]

    one = data_quality(warehouse, "night-1", say, say_rule, unread=names[:1])
    [line] = quality_lines(one)
    assert line.startswith("events-2026-02-01.csv: its name is like those of files that are read, but no")


def test_an_empty_warehouse_has_an_empty_table(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert data_quality(warehouse, "night-1", say, say_rule).height == 0
