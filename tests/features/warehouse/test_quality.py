from collections.abc import Callable

import duckdb

from features.contracts.mapping import SourceFile
from features.warehouse.load import LoadedFile
from features.warehouse.quality import data_quality
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
            "line 3: price_cents is -5; it must be at least 0",
            '{"item_id":"hat","name":null,"url":null,"image_url":null,"category":null,"brand":null,"price_cents":"-5","currency_code":null,"attributes":null}',
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
            '{"item_id":null,"name":null,"url":null,"image_url":null,"category":null,"brand":null,"price_cents":"7","currency_code":null,"attributes":null}',
        ),
    ]


def test_an_empty_warehouse_has_an_empty_table(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert data_quality(warehouse, "night-1", say, say_rule).height == 0
