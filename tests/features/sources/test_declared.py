import gzip
import tomllib
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from features.contracts.logs import LOGS
from features.contracts.mapping import SourceFile
from features.errors import InputDataError, UsageError
from features.sources import declared
from features.sources.file_tables import parse_file_tables
from tests.laws.said_of_lines import rejected_lines
from tests.laws.sources import loaded, named_rows, write

SHOP = """
[[files]]
path = "events/*.csv"
time_zone = "Europe/Berlin"

[files.events]
where = "action <> 'buy'"
columns.occurred_at = "at"
columns.user_id = "visitor"
columns.item_id = "sku"
expressions.event_type = "case action when 'basket' then 'add_to_cart' else action end"
ids.event_id = "row number"

[files.purchases]
where = "action = 'buy'"
columns.order_id = "order"
ids.line = "row number"
columns.ordered_at = "at"
columns.user_id = "visitor"
columns.item_id = "sku"
columns.price_cents = "price"
units.price_cents = "currency"
constants.quantity = 1
constants.currency_code = "EUR"
constants.is_cancelled = false
"""
HEADER = "at,visitor,action,sku,price,order\n"
DAY = (
    HEADER
    + "2026-07-01 10:00:00,ann,view,shoe,35.79,\n"
    + "2026-07-01 10:00:05,ann,basket,shoe,35.79,\n"
    + "2026-07-01 10:01:00,ann,buy,shoe,35.79,o1\n"
    + "2026-07-01T12:00:00+02:00,,view,hat,,\n"
)


def source_files(folder: Path, toml: str) -> tuple[SourceFile, ...]:
    return declared.files(folder, parse_file_tables(tomllib.loads(toml)["files"]))


def load(folder: Path, toml: str, content: Mapping[str, str | bytes]) -> dict[str, list[dict[str, object]]]:
    """Return the rows of each log that has any, and the lines in quarantine under `rejected`."""
    write(folder, content)
    with loaded(folder, source_files(folder, toml)) as (warehouse, _):
        rejected = [{"line": line, "reason": said} for line, said in rejected_lines(warehouse)]
        found = {log: named_rows(warehouse, log) for log in LOGS} | {"rejected": rejected}
    return {log: rows for log, rows in found.items() if rows}


def reasons(found: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(row["line"], row["reason"]) for row in found["rejected"]]


def column(rows: list[dict[str, object]], name: str) -> list[object]:
    return [row[name] for row in rows]


def test_one_file_feeds_two_logs(tmp_path: Path) -> None:
    found = load(tmp_path, SHOP, {"events/1.csv": DAY})

    assert set(found) == {"events", "purchases"}
    assert [
        (row["event_id"], row["event_type"], str(row["occurred_at"]), row["session_id"])
        for row in found["events"]
    ] == [
        ("events/1.csv:2", "view", "2026-07-01 08:00:00+00:00", None),
        ("events/1.csv:3", "add_to_cart", "2026-07-01 08:00:05+00:00", None),
        ("events/1.csv:5", "view", "2026-07-01 10:00:00+00:00", None),
    ]
    [order] = found["purchases"]
    assert (order["order_id"], order["line"], order["price_cents"], order["is_cancelled"]) == (
        "o1",
        4,
        3579,
        False,
    )


CHANGED = "when clocks changed in its time zone"


def test_bad_times_go_to_quarantine_with_their_reason(tmp_path: Path) -> None:
    skipped = "2026-03-29 02:30:00,ann,view,shoe,1,\n"
    twice = "2026-10-25 02:30:00,ann,view,shoe,1,\n"

    found = load(tmp_path, SHOP, {"events/1.csv": HEADER + skipped + twice + "soon,ann,view,shoe,1,\n"})

    assert [(line, str(reason).partition(";")[0]) for line, reason in reasons(found)] == [
        (
            2,
            f"occurred_at is a text of 19 characters in an hour that was skipped {CHANGED}",
        ),
        (
            3,
            f"occurred_at is a text of 19 characters in an hour that came twice {CHANGED}",
        ),
        (4, "occurred_at is a text of 4 characters"),
    ]


def test_files_of_a_pattern_keep_their_names_in_row_numbers(tmp_path: Path) -> None:
    found = load(tmp_path, SHOP, {"events/2.csv": DAY, "events/1.csv": DAY, "events/read.me": "no log"})

    assert column(found["events"], "event_id") == [
        f"events/{n}.csv:{line}" for n in (1, 2) for line in (2, 3, 5)
    ]


ITEMS = '[[files]]\npath = "{path}"\n[files.items]\ncolumns.item_id = "sku"\ncolumns.brand = "maker"\n'


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("items.csv", b"sku,maker\nshoe,acme\nhat,\n"),
        ("items.csv.gz", gzip.compress(b"sku,maker\nshoe,acme\nhat,\n", mtime=0)),
        ("items.tsv", b"sku\tmaker\nshoe\tacme\nhat\t\n"),
        ("items.jsonl", b'{"sku": "shoe", "maker": "acme"}\n{"sku": "hat"}\n'),
        (
            "items.jsonl.gz",
            gzip.compress(b'{"sku": "shoe", "maker": "acme"}\n{"sku": "hat", "maker": null}\n', mtime=0),
        ),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, path: str, content: bytes) -> None:
    found = load(tmp_path, ITEMS.format(path=path), {path: content})

    assert [(row["item_id"], row["brand"]) for row in found["items"]] == [("hat", None), ("shoe", "acme")]


def test_parquet_is_read_as_well(tmp_path: Path) -> None:
    pl.DataFrame({"sku": ["shoe", "hat"], "maker": ["acme", None]}).write_parquet(tmp_path / "items.parquet")

    found = load(tmp_path, ITEMS.format(path="items.parquet"), {})

    assert [(row["item_id"], row["brand"]) for row in found["items"]] == [("hat", None), ("shoe", "acme")]


def test_a_semicolon_parts_fields_when_it_is_given(tmp_path: Path) -> None:
    toml = ITEMS.format(path="items.csv").replace("[files.items]", 'delimiter = ";"\n[files.items]')

    found = load(tmp_path, toml, {"items.csv": 'sku;maker\nshoe;"a;b"\n'})

    assert column(found["items"], "brand") == ["a;b"]


def test_a_key_that_no_line_of_jsonl_has_reads_as_null(tmp_path: Path) -> None:
    found = load(tmp_path, ITEMS.format(path="items.jsonl"), {"items.jsonl": '{"sku": "shoe"}\n'})

    assert [(row["item_id"], row["brand"]) for row in found["items"]] == [("shoe", None)]


def test_a_column_that_csv_lacks_is_refused_unless_it_is_optional(tmp_path: Path) -> None:
    toml = ITEMS.format(path="items.csv")
    with pytest.raises(InputDataError, match=r"items\.csv lacks the columns maker; it has sku"):
        load(tmp_path, toml, {"items.csv": "sku\nshoe\n"})

    found = load(tmp_path, toml.replace("[files.items]", 'optional = ["maker"]\n[files.items]'), {})

    assert column(found["items"], "brand") == [None]


def test_a_column_that_a_row_needs_is_required_in_jsonl_too(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="lacks the columns sku"):
        load(tmp_path, ITEMS.format(path="items.jsonl"), {"items.jsonl": '{"maker": "acme"}\n'})


def test_an_id_of_several_columns_can_not_be_confused_and_needs_all_of_them(tmp_path: Path) -> None:
    toml = '[[files]]\npath = "items.csv"\n[files.items]\nids.item_id = ["shop", "sku"]\n'

    found = load(tmp_path, toml, {"items.csv": 'shop,sku\na,bc\nab,c\n"a"",""b",c\n,c\n'})

    assert column(found["items"], "item_id") == ['["a","bc"]', '["a\\",\\"b","c"]', '["ab","c"]']
    assert reasons(found) == [(5, "item_id is missing")]


def test_one_row_per_key_keeps_the_last_line(tmp_path: Path) -> None:
    toml = ITEMS.format(path="items.csv").replace("[files.items]", "[files.items]\none_row_per_key = true")

    found = load(tmp_path, toml, {"items.csv": "sku,maker\nshoe,old\nhat,acme\nshoe,new\n"})

    assert [(row["item_id"], row["brand"]) for row in found["items"]] == [("hat", "acme"), ("shoe", "new")]


ADS = '''
[[files]]
path = "ads.csv"

[files.ad_spend_daily]
# the file knows month and day; the year is said here
expressions.date = """
    '2020-' || case month when 'April' then '04' when 'May' then '05' else month end
    || '-' || right('0' || day, 2)
"""
expressions.campaign_id = "campaign || ' / ' || banner"
columns.channel = "placement"
columns.segment_id = "engagement"
columns.impressions = "displays"
columns.clicks = "clicks"
columns.spend_cents = "cost"
units.spend_cents = "currency"
columns.conversions = "conversions"
columns.revenue_cents = "sales"
units.revenue_cents = "currency"
'''
ADS_HEADER = "month,day,campaign,engagement,banner,placement,displays,cost,clicks,conversions,sales\n"


def test_a_year_is_reported_and_more_clicks_than_displays_are_quarantined(tmp_path: Path) -> None:
    content = (
        ADS_HEADER
        + "April,1,camp 1,High,160 x 600,abc,20170,26.7824,158,23,1972.4602\n"
        + "May,31,camp 1,High,160 x 600,abc,4,0.006,5,0,0.0\n"
        + "June,31,camp 1,High,160 x 600,abc,4,0.006,0,0,0.0\n"
    )

    found = load(tmp_path, ADS, {"ads.csv": content})

    [row] = found["ad_spend_daily"]
    assert (str(row["date"]), row["campaign_id"], row["spend_cents"], row["revenue_cents"]) == (
        "2020-04-01",
        "camp 1 / 160 x 600",
        2678,
        197246,
    )
    assert reasons(found) == [
        (3, "clicks is above impressions (digits: 1 and 1); it must be at most impressions"),
        (4, "date is a text of 12 characters; it must be a day, as in 2026-01-05"),
    ]


def test_two_tables_can_not_share_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"items.csv": "sku,maker\n"})

    with pytest.raises(UsageError, match=r"Two \[\[files\]\] tables match .*items\.csv"):
        source_files(tmp_path, ITEMS.format(path="items.csv") + ITEMS.format(path="*.csv"))


def test_a_configuration_without_tables_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`metacart init --from FILE` proposes one"):
        declared.files(tmp_path, ())


def test_a_table_without_files_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match=r"No file matches events/\*\.csv in .* a log may be missing"):
        source_files(tmp_path, SHOP)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("sku,maker\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "items.csv").symlink_to(secret)

    with pytest.raises(UsageError, match="is a link to a file outside of"):
        source_files(tmp_path / "logs", ITEMS.format(path="items.csv"))


def test_what_a_mapping_reads_is_what_it_asks_for(tmp_path: Path) -> None:
    write(tmp_path, {"events/1.csv": DAY})

    [file] = source_files(tmp_path, SHOP)

    assert file.required == {"at", "visitor", "action", "sku", "price", "order"}
    assert file.optional == frozenset()
