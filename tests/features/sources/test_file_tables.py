import re
import tomllib
from pathlib import Path

import pytest

from features.errors import UsageError
from features.sources import file_tables
from features.sources.file_tables import FILE_KEYS, LOG_KEYS, parse_file_tables

ITEMS = '[[files]]\npath = "items.csv"\n[files.items]\ncolumns.item_id = "sku"\n'


def parse(toml: str) -> tuple[file_tables.FileTable, ...]:
    return parse_file_tables(tomllib.loads(toml)["files"])


@pytest.mark.parametrize(
    ("path", "file_format", "delimiter"),
    [
        ("items.csv", "csv", ","),
        ("items.csv.gz", "csv", ","),
        ("items.tsv", "csv", "\t"),
        ("*/items.tsv.gz", "csv", "\t"),
        ("items.ndjson", "jsonl", ","),
        ("2026-*.jsonl.gz", "jsonl", ","),
        ("items.parquet", "parquet", ","),
    ],
)
def test_the_ending_shows_the_format(path: str, file_format: str, delimiter: str) -> None:
    [table] = parse(ITEMS.replace("items.csv", path))

    assert (table.file_format, table.delimiter) == (file_format, delimiter)


def test_the_examples_of_the_module_and_of_the_readme_are_whole() -> None:
    page = (Path(__file__).parents[3] / "features" / "README.md").read_text()
    [of_module] = parse((file_tables.__doc__ or "").partition("\n\n")[2])
    [of_readme], [joining] = (parse(text.partition("```")[0]) for text in page.split("```toml\n")[1:])

    assert [log.log for log in of_module.logs] == ["events", "purchases"]
    assert [log.log for log in of_readme.logs] == ["impressions", "events"]
    assert joining.join is not None


def test_the_readme_explains_every_key() -> None:
    page = (Path(__file__).parents[3] / "features" / "README.md").read_text()

    for key in (*FILE_KEYS, *LOG_KEYS):
        assert re.search(rf"^\| .*`{key}`.* \|", page, re.MULTILINE), key


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('path = "items.csv"', 'path = "/etc/passwd"'), "path = '/etc/passwd' must lead from shop.logs"),
        (('path = "items.csv"', 'path = "../other/items.csv"'), "must lead from shop.logs to files inside"),
        (('path = "items.csv"', "path = 3"), "path must be a text in quotes"),
        (('path = "items.csv"', ""), "path must be a text in quotes"),
        (("items.csv", "items.xlsx"), "format must be csv, jsonl or parquet"),
        (("items.csv", "items.parquet.gz"), "it can't be read from .gz"),
        (("[files.items]", 'delimiter = "::"\n[files.items]'), "delimiter = '::' must be one character"),
        (
            ("[files.items]", 'formt = "csv"\n[files.items]'),
            "formt is not a known key or log; did you mean format?",
        ),
        (("[files.items]", "[files.item]"), "item is not a known key or log; did you mean items?"),
        (("[files.items]", 'time_zone = "Berlin"\n[files.items]'), "time_zone: Berlin is not a time zone"),
        (
            ("[files.items]", 'time_format = "%d.%m."\n[files.items]'),
            "time_format: The pattern %d.%m. has no",
        ),
        (
            ("[files.items]", "time_format = [1]\n[files.items]"),
            "time_format must be a text in quotes, or a list",
        ),
        (
            ("columns.item_id", "columns.itm_id"),
            r"items.columns.itm_id is not a known column of items; did you mean item_id",
        ),
        (("columns.item_id", "colums.item_id"), "items.colums is not a known key; did you mean columns?"),
        (("columns.item_id", "columns.brand"), "items leaves out item_id, which every row of items needs"),
        (('columns.item_id = "sku"', "columns = 3"), "items.columns must be a table"),
        (('= "sku"', '= "sku"\nids.item_id = "row number"'), "items.item_id is given twice"),
        (('= "sku"', '= "sku"\nids.price_cents = ["a", "b"]'), "ids.price_cents = .* must be 'row number'"),
        (
            ('= "sku"', '= "sku"\nunits.price_cents = "currency"'),
            "units.price_cents: a unit belongs to a column",
        ),
        (('= "sku"', '= "sku"\ncolumns.brand = "b"\nunits.brand = "cents"'), "units.brand: a unit belongs"),
        (
            ('= "sku"', '= "sku"\ncolumns.price_cents = "p"\nunits.price_cents = "euro"'),
            "'euro' is not a unit",
        ),
        (
            ('= "sku"', '= "sku"\nconstants.brand = ["a"]'),
            "constants.brand must be a text, a number, true or",
        ),
        (('= "sku"', '= "sku"\nwhere = "sku"'), "items.where must be a condition"),
        (
            ('= "sku"', '= "sku"\nexpressions.brand = "load(x)"'),
            "items.expressions.brand: load is not a function",
        ),
    ],
)
def test_a_fault_is_reported_with_its_key(change: tuple[str, str], said: str) -> None:
    toml = ITEMS.replace(*change)

    with pytest.raises(UsageError, match=rf"^files\[0\]\..*{said}"):
        parse(toml)


def test_a_file_that_feeds_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"files\[0\] feeds no log: add a table"):
        parse('[[files]]\npath = "items.csv"\n')


@pytest.mark.parametrize(
    "line",
    [
        'columns.session_id = "customer"',
        'expressions.session_id = "left(customer, 3)"',
        'ids.session_id = ["customer", "at"]',
    ],
)
def test_a_user_id_reaches_no_column_but_its_own(line: str) -> None:
    toml = f"""
        [[files]]
        path = "events.csv"
        [files.events]
        where = "customer is not null"
        ids.event_id = "row number"
        columns.occurred_at = "at"
        columns.user_id = "customer"
        columns.item_id = "sku"
        constants.event_type = "view"
        {line}
    """

    with pytest.raises(
        UsageError, match=r"events\.session_id reads customer, which is a user id: only user_id may"
    ):
        parse(toml)
    parse(toml.replace(line, ""))


def test_a_user_id_of_one_log_is_none_of_another() -> None:
    toml = """
        [[files]]
        path = "people.csv"
        [files.users]
        columns.user_id = "mail"
        [files.items]
        columns.item_id = "mail"
    """

    with pytest.raises(UsageError, match=r"files\[0\]\.items\.item_id reads mail"):
        parse(toml)
