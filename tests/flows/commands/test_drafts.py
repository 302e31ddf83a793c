"""`metacart init --from`: what a shop's export becomes, and what is asked instead of guessed."""

import json
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.commands.cli import execute


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to start in, with an empty folder of logs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    return tmp_path


def export(shop: Path, name: str, content: str | bytes) -> Path:
    path = shop / "logs" / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def tables(shop: Path) -> list[dict[str, Any]]:
    return tomllib.loads((shop / "metacart.toml").read_text(encoding="utf-8"))["files"]


def ingested(shop: Path, query: str) -> list[tuple[Any, ...]]:
    """Load what was drafted as the night does, and ask the warehouse."""
    config = shop / "metacart.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("max_rejected_share = 0.01", "max_rejected_share = 0.0"), encoding="utf-8")
    assert execute(["ingest"]) == 0
    [warehouse] = (shop / "data").rglob("*.duckdb")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


PURCHASES = (
    "SELECT order_id, item_id, quantity, price_cents, currency_code, is_cancelled, "
    "strftime(ordered_at, '%Y-%m-%d %H:%M:%S'), user_key IS NOT NULL "
    "FROM raw_purchases ORDER BY file_line, line"
)
SPEND = (
    "SELECT date::VARCHAR, campaign_id, channel, impressions, clicks, spend_cents, conversions, "
    "revenue_cents FROM raw_ad_spend_daily ORDER BY file_line"
)


def test_a_german_export_of_a_windows_program(shop: Path) -> None:
    export(
        shop,
        "bestellungen.csv",
        (
            "Bestellnummer;Artikelnummer;Menge;Einzelpreis;Bestelldatum;Kundennummer;Nachname;Bestellstatus\r\n"
            "B-7;MÜTZE;2;1.019,90 €;05.01.2026 09:00:12;K77;Müller;Abgeschlossen\r\n"
            "B-7;SCHAL;1;9,5 €;05.01.2026 09:00:12;K77;Müller;Abgeschlossen\r\n"
            "B-8;MÜTZE;1;19,90 €;17.01.2026 19:00:00;NULL;Größe;Storniert\r\n"
        ).encode("cp1252"),
    )

    assert execute(["init", "--from", "logs/bestellungen.csv"]) == 0

    assert ingested(shop, PURCHASES) == [
        ("B-7", "MÜTZE", 2, 101990, "EUR", False, "2026-01-05 09:00:12", True),
        ("B-7", "SCHAL", 1, 950, "EUR", False, "2026-01-05 09:00:12", True),
        ("B-8", "MÜTZE", 1, 1990, "EUR", True, "2026-01-17 19:00:00", False),
    ]


def test_a_french_export(shop: Path) -> None:
    export(
        shop,
        "commandes.csv",
        "Référence commande;Référence produit;Quantité;Prix unitaire;Date de commande;N° client\n"
        "C1;CHAPEAU;1;1\u202f019,90;05/01/2026 09:00;7\nC2;GANT;3;19,90;17/01/2026 10:00;8\n",
    )

    assert execute(["init", "--from", "logs"]) == 0

    assert ingested(shop, PURCHASES) == [
        ("C1", "CHAPEAU", 1, 101990, "EUR", False, "2026-01-05 09:00:00", True),
        ("C2", "GANT", 3, 1990, "EUR", False, "2026-01-17 10:00:00", True),
    ]


def test_a_chinese_export(shop: Path) -> None:
    text = (
        "订单编号,商品编号,数量,单价,下单时间,收货人姓名,订单状态\n"
        "991,帽子,2,19.90,2026/1/5 9:00,张三,交易成功\n"
        "992,围巾,1,129.00,2026/1/6 19:30,李四,交易关闭\n"
    )
    export(shop, "订单.csv", text.encode("gb18030"))

    assert execute(["init", "--from", "logs"]) == 0

    assert ingested(shop, PURCHASES) == [
        ("991", "帽子", 2, 1990, "CNY", False, "2026-01-05 09:00:00", False),
        ("992", "围巾", 1, 12900, "CNY", True, "2026-01-06 19:30:00", False),
    ]
    assert "张三" not in (shop / "metacart.toml").read_text(encoding="utf-8")


def test_a_report_of_ads_with_titles_and_a_line_of_totals(shop: Path) -> None:
    export(
        shop,
        "google.csv",
        'Campaign report\n"1 January - 2 January"\nCampaign,Day,Cost,Impr.,Clicks,Conversions,Conv. value\n'
        'Brand,2026-01-01,"1,012.50","12,345",321,12,"2,345.60"\nShop,2026-01-02,52.10,345,21,2,145.60\n'
        'Total: Campaigns, --,"1,064.60","12,690",342,14,"2,491.20"\n',
    )

    assert execute(["init", "--from", "logs/google.csv"]) == 0

    assert ingested(shop, SPEND) == [
        ("2026-01-01", "Brand", "google", 12345, 321, 101250, 12, 234560),
        ("2026-01-02", "Shop", "google", 345, 21, 5210, 2, 14560),
    ]


def test_the_events_of_an_analytics_export_become_one_row_for_each_item(shop: Path) -> None:
    items = [
        {"item_id": "HAT", "price": 19.9, "quantity": 1},
        {"item_id": "SCARF", "price": 30.0, "quantity": 2},
    ]
    lines = [
        {"event_name": "view_item", "items": items[:1]},
        {"event_name": "page_view", "items": []},
        {"event_name": "purchase", "items": items, "ecommerce": {"transaction_id": "T1"}},
    ]
    text = "".join(
        json.dumps({"event_timestamp": f"{1767600000025123 + n}", "user_pseudo_id": f"1.{n}", **line}) + "\n"
        for n, line in enumerate(lines)
    )
    export(shop, "events.json", text)

    assert execute(["init", "--from", "logs"]) == 0

    assert ingested(shop, PURCHASES) == [
        ("T1", "HAT", 1, 1990, "EUR", False, "2026-01-05 08:00:00", True),
        ("T1", "SCARF", 2, 3000, "EUR", False, "2026-01-05 08:00:00", True),
    ]
    assert ingested(shop, "SELECT item_id, event_type FROM raw_events") == [("HAT", "view")]


EVENTS = "at,visitor,sku,action\n2026-01-05T10:00:00Z,v1,hat,view\n2026-01-05T10:01:00Z,v2,scarf,cart\n"
AS_EVENTS = [("hat", "view", True), ("scarf", "add_to_cart", True)]
AS_ARRAY = [
    {
        "at": "2026-01-05 10:00:00,5 +0000",
        "visitor": {"id": "v1"},
        "product": {"sku": "hat"},
        "action": "view",
    },
    {"at": "2026-01-05 10:01:00 Z", "visitor": {"id": "v2"}, "product": {"sku": "scarf"}, "action": "cart"},
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("events.csv", f"sep=,\n{EVENTS}".encode("utf-8-sig")),
        ("events.tsv", EVENTS.replace(",", "\t").replace("\n", "\r\n").encode("utf-16")),
        ("events.csv", EVENTS.replace("\n", "\r").encode()),
        ("events.csv", EVENTS.replace(",", " , ").encode()),
        ("events.csv", EVENTS.replace("at,visitor,sku,action", "AT,VISITOR,SKU,ACTION").encode()),
        ("events.csv", EVENTS.replace(",", ";").replace("view", "view;").replace("cart", "cart;").encode()),
        ("events.json", json.dumps(AS_ARRAY, indent=2).encode()),
    ],
    ids=["sep line", "utf-16", "old line ends", "padded", "upper case", "trailing delimiter", "json array"],
)
def test_one_log_in_many_forms(shop: Path, name: str, content: bytes) -> None:
    export(shop, name, content)

    assert execute(["init", "--from", f"logs/{name}"]) == 0

    query = "SELECT item_id, event_type, user_key IS NOT NULL FROM raw_events ORDER BY file_line"
    assert ingested(shop, query) == AS_EVENTS


def test_words_for_nothing_are_guests_and_no_persons(shop: Path) -> None:
    words = ["NULL", r"\N", "NA", "nan", "None", "-", "", "v1"]
    lines = "".join(f"2026-01-05T10:0{n}:00Z,{word},hat,view\n" for n, word in enumerate(words))
    export(shop, "events.csv", f"at,visitor,sku,action\n{lines}")

    assert execute(["init", "--from", "logs"]) == 0

    assert tables(shop)[0]["null_values"] == ["NULL", r"\N", "NA", "nan", "None", "-"]
    assert ingested(shop, "SELECT count(*), count(user_key) FROM raw_events") == [(8, 1)]


def test_ids_that_are_there_are_taken_and_files_of_one_form_share_a_table(shop: Path) -> None:
    for day in (5, 6):
        lines = "".join(f"m{n},2026-01-0{day}T10:00:00Z,v{n},hat,view\n" for n in range(4 + day))
        export(shop, f"2026-01-0{day}.csv", f"message_id,at,visitor,sku,action\n{lines}")

    assert execute(["init", "--from", "logs"]) == 0

    [table] = tables(shop)
    assert table["path"] == "*.csv"
    assert table["events"]["columns"]["event_id"] == "message_id"
    # What came twice is there once.
    assert ingested(shop, "SELECT count(*) FROM stg_events") == [(10,)]


def test_a_click_beside_an_impression_is_an_event_of_it(shop: Path) -> None:
    export(
        shop,
        "shown.csv",
        "impression_id,shown_at,visit,sku,slot,propensity,clicked\n"
        "i1,2026-01-05T10:00:00Z,s1,hat,1,0.5,no\ni2,2026-01-05T10:01:00Z,s2,scarf,1,0.5,yes\n",
    )

    assert execute(["init", "--from", "logs"]) == 0

    assert ingested(shop, "SELECT event_type, impression_id, item_id FROM raw_events") == [
        ("click", "i2", "scarf")
    ]
    assert ingested(shop, "SELECT count(*) FROM raw_impressions") == [(2,)]


def test_what_a_draft_of_impressions_leaves_out_and_what_it_asks_of_orders_is_printed(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(
        shop,
        "shown.csv",
        "impression_id;shown_at;user_id;session_id;item_id;position;clicked;price;propensity\n"
        "i1;2026-01-05T10:00:00Z;u1;s1;hat;1;1;19.90;0.25\ni2;2026-01-05T10:00:00Z;u1;s1;cap;2;0;9.90;0.25\n",
    )
    line = "o1;2026-01-05T10:00:00Z;u1;hat;1;19.90;0.25;soon\n"
    export(shop, "orders.csv", f"order_id;at;user_id;item_id;quantity;price;propensity;notes\n{line}{line}")

    assert execute(["init", "--from", "logs"]) == 0

    printed = capsys.readouterr().out
    assert "\nshown.csv: not used: price\n" in printed
    assert "\norders.csv: not used: propensity\n" in printed
    assert (
        'orders.csv, purchases, ids.line = "row number": no line number found. Can a line come twice, here '
        "or in a later file? 1 of 2 lines read here repeat an earlier one, and count twice. If so, "
        "name the column that numbers the lines of an order, or export each order once\n"
    ) in printed
    loaded = "SELECT item_id, slot, propensity FROM raw_impressions ORDER BY slot"
    assert ingested(shop, loaded) == [("hat", 1, 0.25), ("cap", 2, 0.25)]
    assert (
        "orders.csv: rows of purchases that equal an earlier row of orders.csv: 1" in capsys.readouterr().out
    )


ORDERS = "order;at;sku;qty;price\n"
AT = "2026-01-05T10:00:00Z"


@pytest.mark.parametrize(
    ("content", "blank"),
    [
        (f"{ORDERS}1;{AT};hat;1;1.299\n2;{AT};hat;1;2.450\n", "decimal"),
        (f"{ORDERS}1;05/01/2025;hat;1;12.99\n2;05/02/2025;hat;1;24.50\n", "time_format"),
        (f"{ORDERS}1;1767600000;hat;1;12.99\n2;1767605820000;hat;1;24.50\n", "time_format"),
        (f"{ORDERS}1;{AT};hat;1;€ 5.00\n2;{AT};hat;1;$ 5.00\n", "price_cents"),
        (f"order;at;sku;qty;amount\n1;{AT};hat;2;10.00\n", "price_cents"),
        (f"at;sku;qty;price\n{AT};hat;2;10.00\n", "order_id"),
        (f"order;at;qty;price\n1;{AT};2;10.00\n", "item_id"),
        (
            f"order;at;sku;qty;price;cancelled at\n1;{AT};hat;2;10.00;{AT}\n1;{AT};cap;1;9.00;\n",
            "is_cancelled",
        ),
        (f"at;visit;sku;chance;clicked\n{AT};s1;hat;0.5;1\n{AT};s1;cap;0.5;0\n", "slot"),
        ("day;campaign;cost;clicks\n2026-01-05;spring;12.50;3\n", "revenue_cents"),
    ],
)
def test_what_can_not_be_known_is_a_blank_that_nothing_is_loaded_with(
    shop: Path, capsys: pytest.CaptureFixture[str], content: str, blank: str
) -> None:
    export(shop, "export.csv", content)

    assert execute(["init", "--from", "logs/export.csv"]) == 0
    printed = capsys.readouterr().out
    assert execute(["ingest"]) == 64

    refused = capsys.readouterr().err
    assert "left to fill in" in refused
    assert f"{blank} = '?'" in refused
    assert "Fill in, before anything is loaded:" in printed
    assert not list(shop.rglob("*.duckdb"))


def test_a_filled_blank_loads_and_can_be_tried_first(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(shop, "orders.csv", "order;at;sku;qty;price\n1;2026-01-05T10:00:00Z;hat;1;1.299\n")
    assert execute(["init", "--from", "logs/orders.csv"]) == 0
    config = shop / "metacart.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace('decimal = "?"', 'decimal = ","').replace('thousands = "?"', 'thousands = "."')
    )
    capsys.readouterr()

    assert execute(["init", "metacart.toml", "--check"]) == 0

    assert "129900" in capsys.readouterr().out
    assert ingested(shop, "SELECT price_cents FROM raw_purchases") == [(129900,)]


def test_lines_are_tried_by_the_limits_of_the_configuration(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(shop, "orders.csv", "order,at,sku,qty,price\n1,2026-01-05T10:00:00Z,a long name,1,2.50\n")
    assert execute(["init", "--from", "logs/orders.csv"]) == 0
    config = shop / "metacart.toml"
    text = config.read_text(encoding="utf-8")
    capsys.readouterr()

    config.write_text(text.replace("max_text_characters = 2000", "max_text_characters = 5"), encoding="utf-8")
    assert execute(["init", "metacart.toml", "--check"]) == 0
    assert "1 line, 0 loaded, 1 refused" in " ".join(capsys.readouterr().out.split())

    config.write_text(text.replace("first_day = 2000-01-01", "first_day = 2026-01-06"), encoding="utf-8")
    assert execute(["init", "metacart.toml", "--check"]) == 0
    assert "1 line, 0 loaded, 1 refused" in " ".join(capsys.readouterr().out.split())


def test_a_wrong_key_beside_the_files_is_named_by_a_check(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(shop, "orders.csv", "order,at,sku,qty,price\n1,2026-01-05T10:00:00Z,hat,1,2.50\n")
    assert execute(["init", "--from", "logs/orders.csv"]) == 0
    with (shop / "metacart.toml").open("a", encoding="utf-8") as config:
        config.write("\n[nights]\nseed = 1\n")
    capsys.readouterr()
    assert execute(["init", "metacart.toml", "--check"]) == 64
    assert "nights is not a known key" in capsys.readouterr().err


def test_what_would_be_lost_is_printed_column_by_column(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(f"{n},2026-01-05T10:00:00Z,hat,{1 if n else 'two'},\n" for n in range(4))
    export(shop, "orders.csv", f"order,at,sku,qty,price\n{lines}")
    assert execute(["init", "--from", "logs/orders.csv"]) == 0
    config = shop / "metacart.toml"
    text = config.read_text(encoding="utf-8").replace('columns.quantity = "?"', 'columns.quantity = "qty"')
    config.write_text(text)
    capsys.readouterr()

    assert execute(["init", "metacart.toml", "--check"]) == 0

    printed = " ".join(capsys.readouterr().out.split())
    assert "orders.csv: 4 lines, 3 loaded, 1 refused" in printed
    assert "purchases quantity 3 0 1 1 1" in printed
    assert "purchases.price_cents is empty in every row" in printed
    assert "purchases.is_cancelled is never true" in printed
    assert not list(shop.rglob("*.duckdb"))


def test_more_files_are_added_and_what_is_there_stays(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = export(shop, "events.csv", EVENTS)
    assert execute(["init", "--from", str(first)]) == 0
    export(shop, "items.csv", "sku,category\nhat,head\n")
    export(shop, "notes.txt", "bought nothing today\n")

    assert execute(["init", "metacart.toml", "--from", "logs", "--append"]) == 0

    assert [table["path"] for table in tables(shop)] == ["events.csv", "items.csv"]
    assert "notes.txt" in capsys.readouterr().out
    assert execute(["init", "metacart.toml", "--from", "logs/items.csv", "--append"]) == 64
    assert "names logs/items.csv already" in capsys.readouterr().err
    assert execute(["init", "metacart.toml", "--from", "logs/items.csv"]) == 64
    assert "--append" in capsys.readouterr().err


def test_a_file_that_shows_no_log_writes_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(shop, "weather.csv", "town,rain\nBonn,3\n")

    assert execute(["init", "--from", "logs/weather.csv"]) == 65

    assert "nothing here looks like a log" in capsys.readouterr().err
    assert not (shop / "metacart.toml").exists()


def test_a_file_without_header_is_refused_and_shows_nobody(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(shop, "a.csv", f"ann@example.org,{AT},hat,view\nbob@example.org,{AT},hat,view\n")
    export(shop, "b.csv", f"{AT},4711,hat\n{AT},4712,hat\n")

    for name in ("a.csv", "b.csv"):
        assert execute(["init", "--from", f"logs/{name}"]) == 65
        refused = capsys.readouterr().err
        assert "seems to have no header" in refused
        assert "ann@" not in refused
        assert "4711" not in refused


def test_a_user_id_inside_of_an_object_keeps_its_neighbors_out(shop: Path) -> None:
    line = {"at": AT, "user": {"id": "u1", "country": "DE"}, "sku": "hat", "event": "view"}
    export(shop, "events.jsonl", json.dumps(line) + "\n")

    assert execute(["init", "--from", "logs"]) == 0

    [table] = tables(shop)
    assert set(table) == {"path", "events"}
    assert "left out: user.country" in (shop / "metacart.toml").read_text(encoding="utf-8")
    assert ingested(shop, "SELECT item_id, user_key IS NOT NULL FROM raw_events") == [("hat", True)]


EXPERIMENT = (
    "variant,newbie,channel,size,opened,spend\n"
    "red letter,1,Web,s,1,0\nblue letter,0,Phone,m,0,0\nnone,1,,l,1,29.99\nblue letter,1,Web,s,0,0\n"
)


def test_the_table_of_an_experiment_without_times_asks_for_its_probabilities_alone(shop: Path) -> None:
    export(shop, "letters.csv", EXPERIMENT)

    assert execute(["init", "--from", "logs/letters.csv"]) == 0
    config = shop / "metacart.toml"
    text = config.read_text(encoding="utf-8")
    assert text.count('"?"') == 1
    assert "0.333333 where 3 arms were equally likely" in text
    assert "not used: spend" in text
    config.write_text(text.replace('"?"', "0.333333"), encoding="utf-8")

    shown = "SELECT item_id, propensity, context, slot FROM raw_impressions ORDER BY file_line"
    assert ingested(shop, shown) == [
        ("red letter", 0.333333, '{"newbie": "1", "channel": "Web", "size": "s"}', 1),
        ("blue letter", 0.333333, '{"newbie": "0", "channel": "Phone", "size": "m"}', 1),
        ("none", 0.333333, '{"newbie": "1", "channel": "", "size": "l"}', 1),
        ("blue letter", 0.333333, '{"newbie": "1", "channel": "Web", "size": "s"}', 1),
    ]
    [warehouse] = (shop / "data").rglob("*.duckdb")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        clicks = (
            "SELECT item_id, count(*) FROM raw_events JOIN raw_impressions USING (impression_id, item_id)"
        )
        assert connection.execute(f"{clicks} GROUP BY item_id ORDER BY item_id").fetchall() == [
            ("none", 1),
            ("red letter", 1),
        ]


@pytest.mark.parametrize(
    "change",
    [
        ("newbie", "sent_at"),
        ("newbie", "order_id"),
        ("opened", "size2"),
        ("variant", "color"),
    ],
)
def test_a_table_with_times_orders_or_without_an_outcome_is_not_an_experiment(
    shop: Path, change: tuple[str, str]
) -> None:
    content = EXPERIMENT.replace(*change)
    if change[1] == "sent_at":
        content = content.replace(",1,", ",2026-01-05 10:00:00,").replace(",0,P", ",2026-01-05 11:00:00,P")
    export(shop, "letters.csv", content)
    execute(["init", "--from", "logs/letters.csv"])

    path = shop / "metacart.toml"
    assert not path.exists() or "chance splits the rounds" not in path.read_text(encoding="utf-8")


def test_date_and_time_of_day_in_two_columns(shop: Path) -> None:
    export(shop, "orders.csv", "order;datum;uhrzeit;artikel;menge;preis\n1;24.12.2025;9:05 PM;hat;1;12,50\n")

    assert execute(["init", "--from", "logs"]) == 0

    query = "SELECT strftime(ordered_at, '%Y-%m-%d %H:%M'), price_cents FROM raw_purchases"
    assert ingested(shop, query) == [("2025-12-24 21:05", 1250)]


def test_pieces_with_a_minus_are_a_return(shop: Path) -> None:
    export(shop, "orders.csv", f"invoice,at,sku,qty,price\n1,{AT},hat,3,2.50\n2,{AT},hat,-2,2.50\n")

    assert execute(["init", "--from", "logs"]) == 0

    query = "SELECT quantity, is_returned FROM raw_purchases ORDER BY file_line"
    assert ingested(shop, query) == [(3, False), (2, True)]


def test_dollars_of_an_afternoon_and_names_in_capitals(shop: Path) -> None:
    header = "ORDER_ID,ORDER_DATE,CUSTOMER_ID,PRODUCT_ID,QTY,UNIT_PRICE\n"
    export(shop, "MAY 1.CSV", f'{header}1,05/01/2025 03:15 PM,7,A,1,"$1,299.00"\n')
    export(shop, "MAY 2.CSV", f'{header}2,05/21/2025 12:05 AM,8,B,2,"$9.50"\n')

    assert execute(["init", "--from", "logs"]) == 0
    config = shop / "metacart.toml"
    # One day of the first file alone may be 5 January.
    text = config.read_text(encoding="utf-8").replace('"?"', '"%m/%d/%Y %I:%M %p"')
    config.write_text(text, encoding="utf-8")

    assert sorted(ingested(shop, PURCHASES)) == [
        ("1", "A", 1, 129900, "USD", False, "2025-05-01 15:15:00", True),
        ("2", "B", 2, 950, "USD", False, "2025-05-21 00:05:00", True),
    ]


def test_a_probability_in_per_cent_is_exact(shop: Path) -> None:
    export(
        shop,
        "gezeigt.csv",
        f"impression_id;shown_at;sitzung;artikel;platz;wahrscheinlichkeit\ni1;{AT};s1;hat;1;33,3 %\n",
    )

    assert execute(["init", "--from", "logs"]) == 0

    assert ingested(shop, "SELECT propensity FROM raw_impressions") == [(0.333,)]
