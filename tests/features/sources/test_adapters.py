"""What is particular to one public format; what all have in common is in test_sources.py."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.sources import criteo_attribution, online_retail, otto, rees46, retailrocket
from tests.features.sources.source_samples import (
    CRITEO_ROWS,
    ITEM_PROPERTIES,
    ONLINE_RETAIL,
    ONLINE_RETAIL_HEADER,
    OTTO,
    REES46,
    RETAILROCKET,
    as_parquet,
    json_lines,
    tab_separated,
)
from tests.laws.said_of_lines import rejected_lines
from tests.laws.sources import loaded, named_rows, write

Files = Callable[[Path], tuple[SourceFile, ...]]


def load(folder: Path, files: Files, log: str) -> tuple[list[dict[str, object]], list[tuple[int, str]]]:
    """Return the rows of a log and the lines in quarantine."""
    with loaded(folder, files(folder)) as (warehouse, _):
        rejected = rejected_lines(warehouse)
        return named_rows(warehouse, log), rejected


def shown(rows: list[dict[str, object]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(str(row[name]) if name.endswith("_at") else row[name] for name in names) for row in rows]


def test_what_a_rees46_session_buys_in_one_second_is_one_order(tmp_path: Path) -> None:
    write(tmp_path, {"2019-Oct.csv": REES46})

    rows, _ = load(tmp_path, rees46.files, "purchases")

    assert shown(rows, "order_id", "line", "ordered_at", "price_cents", "currency_code") == [
        ("d1f2/2019-10-01 00:01:00 UTC", line, "2019-10-01 00:01:00+00:00", 25482, "USD") for line in (4, 5)
    ]


def test_a_rees46_event_without_visit_is_kept(tmp_path: Path) -> None:
    write(tmp_path, {"2019-Oct.csv": REES46})

    rows, _ = load(tmp_path, rees46.files, "events")

    assert shown(rows, "event_id", "event_type", "session_id") == [
        ("2019-Oct.csv:2", "view", "d1f2"),
        ("2019-Oct.csv:3", "add_to_cart", "d1f2"),
        ("2019-Oct.csv:6", "view", None),
    ]


def test_a_rees46_item_is_there_once_with_its_category(tmp_path: Path) -> None:
    write(tmp_path, {"2019-Oct.csv": REES46})

    rows, _ = load(tmp_path, rees46.files, "items")

    assert shown(rows, "item_id", "category", "brand", "price_cents", "attributes") == [
        ("1004767", "electronics.smartphone", "samsung", 25482, '{"category_id":"205"}'),
        ("3900821", None, None, 0, '{"category_id":"206"}'),
    ]


def test_a_retailrocket_transaction_is_an_order_without_prices(tmp_path: Path) -> None:
    write(tmp_path, {"events.csv": RETAILROCKET})

    rows, _ = load(tmp_path, retailrocket.files, "purchases")

    assert shown(rows, "order_id", "line", "ordered_at", "item_id", "price_cents", "currency_code") == [
        ("4000", 4, "2015-06-02 05:17:56.276000+00:00", "355908", None, "XXX"),
        ("4000", 5, "2015-06-02 05:17:56.276000+00:00", "15335", None, "XXX"),
    ]


def test_the_last_word_on_a_retailrocket_item_counts(tmp_path: Path) -> None:
    write(tmp_path, {"events.csv": RETAILROCKET, "item_properties_part1.csv": ITEM_PROPERTIES})

    rows, rejected = load(tmp_path, retailrocket.files, "items")

    assert (shown(rows, "item_id", "category"), rejected) == ([("355908", "1339")], [])


def test_online_retail_takes_goods_back(tmp_path: Path) -> None:
    write(tmp_path, {"data.csv": ONLINE_RETAIL})

    rows, _ = load(tmp_path, online_retail.files, "purchases")

    assert shown(rows, "order_id", "line", "quantity", "price_cents", "is_returned", "ordered_at") == [
        ("536365", 2, 6, 255, False, "2010-12-01 08:26:00+00:00"),
        ("536365", 3, 6, 255, False, "2010-12-01 08:26:00+00:00"),
        # British summer time
        ("536414", 5, 56, 125, False, "2011-07-01 10:52:00+00:00"),
        ("C536379", 4, 1, 2750, True, "2010-12-01 09:41:00+00:00"),
    ]
    assert rows[2]["user_id"] is None


QUANTITY = "quantity is a number of 3 characters; it must be at least 1"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "536589,21777,,-10,12/1/2010 16:50,0.5,,United Kingdom",
            QUANTITY,
        ),
        (
            "C36589,21777,,10,12/1/2010 16:50,0.5,,United Kingdom",
            QUANTITY,
        ),
        (
            "536589,21777,,1,12/1/2010 16:50,0.0,,United Kingdom",
            "price_cents is a number of 3 characters; the price of a sale must be above 0",
        ),
        (
            "A563186,B,Adjust bad debt,1,8/12/2011 14:51,-11062.06,,France",
            "price_cents is a number of 9 characters; the price of a sale",
        ),
        (
            "A563185,B,Adjust bad debt,1,8/12/2011 14:50,11062.06,,France",
            "is_cancelled is unknown: the invoice, a text of 7 characters, names nei",
        ),
        (
            "536589,21777,,1,3/27/2011 1:30,0.5,,France",
            "ordered_at is a text of 19 characters in an hour that was skipped",
        ),
    ],
)
def test_what_is_not_a_sale_of_online_retail_goes_to_quarantine(
    tmp_path: Path, line: str, reason: str
) -> None:
    write(tmp_path, {"data.csv": ONLINE_RETAIL_HEADER + line + "\n"})

    rows, [(number, why)] = load(tmp_path, online_retail.files, "purchases")

    assert (rows, number, why[: len(reason)]) == ([], 2, reason)


@pytest.mark.parametrize("release", ["I", "II"])
def test_csv_and_parquet_of_online_retail_are_the_same(tmp_path: Path, release: str) -> None:
    text = ONLINE_RETAIL
    write(tmp_path / "csv", {"data.csv": text})
    if release == "II":
        for first, second in {
            "InvoiceNo": "Invoice",
            "UnitPrice": "Price",
            "CustomerID": "Customer ID",
        }.items():
            text = text.replace(first, second)
        write(tmp_path / "other", {"data.csv": text})
    else:
        (tmp_path / "other").mkdir()
        as_parquet(text, tmp_path / "other" / "data.parquet")

    names = ("order_id", "ordered_at", "user_id", "item_id", "quantity", "price_cents", "is_cancelled")
    csv, other = (
        shown(load(tmp_path / kind, online_retail.files, "purchases")[0], *names) for kind in ("csv", "other")
    )

    assert csv == other


def test_a_file_that_is_not_online_retail_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"data.csv": ONLINE_RETAIL.replace("UnitPrice", "Cost")})

    with pytest.raises(InputDataError, match="has no column UnitPrice or Price; it has InvoiceNo, StockCode"):
        online_retail.files(tmp_path)


def test_a_line_of_otto_is_a_whole_visit(tmp_path: Path) -> None:
    write(tmp_path, {"train.jsonl": json_lines(*OTTO)})

    events, _ = load(tmp_path, otto.files, "events")

    assert shown(events, "event_id", "event_type", "session_id", "item_id", "occurred_at") == [
        ("12899779/1", "click", "12899779", "59625", "2022-08-28 22:00:00.278000+00:00"),
        ("12899779/2", "add_to_cart", "12899779", "59625", "2022-08-28 22:00:58.352000+00:00"),
    ]


def test_what_an_otto_visit_orders_at_one_moment_is_one_order(tmp_path: Path) -> None:
    write(tmp_path, {"train.jsonl": json_lines(*OTTO)})

    purchases, _ = load(tmp_path, otto.files, "purchases")

    assert shown(purchases, "order_id", "line", "item_id", "price_cents") == [
        ("12899779/1661724109199", 3, "59625", None),
        ("12899779/1661724109199", 4, "1142000", None),
    ]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ("none", "occurred_at is missing"),
        (None, "occurred_at is missing"),
        ({"aid": 1}, "occurred_at is missing"),
        ([7], "occurred_at is missing"),
        (
            [{"aid": 1, "ts": 1661724000278, "type": "wish"}],
            "event_type is a text of 4 characters",
        ),
    ],
)
def test_an_otto_line_without_a_readable_list_goes_to_quarantine(
    tmp_path: Path, events: object, reason: str
) -> None:
    write(tmp_path, {"train.jsonl": json_lines(*OTTO, {"session": 1, "events": events})})

    _, [(number, why)] = load(tmp_path, otto.files, "events")

    assert (number, why[: len(reason)]) == (3, reason)


def test_the_last_click_before_a_criteo_conversion_takes_all(tmp_path: Path) -> None:
    write(tmp_path, {"pcb.tsv": tab_separated(*CRITEO_ROWS)})

    rows, _ = load(tmp_path, criteo_attribution.files, "ad_impressions")

    names = ("shown_at", "campaign_id", "is_clicked", "cost_cents", "conversions", "conversion_value_cents")
    assert shown(rows, *names) == [
        ("2017-01-01 00:00:00+00:00", "22589171", False, 10, 0, 0),
        ("2017-01-01 00:00:02+00:00", "884761", True, 2100, 0, 0),
        ("2017-01-01 00:00:09+00:00", "884761", True, 2100, 1, 271000),
    ]


def test_a_criteo_time_that_is_none_goes_to_quarantine(tmp_path: Path) -> None:
    write(tmp_path, {"pcb.tsv": tab_separated(CRITEO_ROWS[0].replace("0 2007", "soon 2007"))})

    _, [(_, why)] = load(tmp_path, criteo_attribution.files, "ad_impressions")

    assert why.startswith("shown_at is a text of 4 characters; it must be a time")


@pytest.mark.parametrize(
    "files",
    [rees46.files, retailrocket.files, online_retail.files, otto.files, criteo_attribution.files],
    ids=lambda files: files.__module__,
)
def test_an_empty_folder_says_what_it_should_hold(tmp_path: Path, files: Files) -> None:
    with pytest.raises(InputDataError, match=r"There are no files of \w+.* none is called"):
        files(tmp_path)


def test_a_date_leaves_out_no_file(tmp_path: Path) -> None:
    write(tmp_path, {"train.jsonl": json.dumps(OTTO[0])})

    assert otto.files(tmp_path, until=date(2000, 1, 1)) == otto.files(tmp_path)
