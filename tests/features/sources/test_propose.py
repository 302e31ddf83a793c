import gzip
import json
import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputDataError, UsageError
from features.sources import declared
from features.sources.file_tables import parse_file_tables
from features.sources.null_words import NULL_WORDS
from features.sources.propose import proposals, propose
from features.sources.sample import Column
from tests.features.sources.source_samples import ONLINE_RETAIL, REES46, as_parquet
from tests.laws.sources import loaded, named_rows, write


def proposal(folder: Path, name: str, content: str | bytes) -> str:
    write(folder, {name: content})
    return propose(folder / name)


def test_a_plain_file_of_events_needs_no_correction(tmp_path: Path) -> None:
    text = proposal(tmp_path, "2019-Oct.csv", REES46)

    tables = parse_file_tables(tomllib.loads(text)["files"])
    with loaded(tmp_path, declared.files(tmp_path, tables)) as (warehouse, [file]):
        assert (file.n_loaded, file.n_rejected) == (5, 0)
        assert [row["event_type"] for row in named_rows(warehouse, "events")] == [
            "view",
            "add_to_cart",
            "view",
        ]
        assert [row["price_cents"] for row in named_rows(warehouse, "purchases")] == [25482, 25482]
        assert len(named_rows(warehouse, "items")) == 2


SHOP = (
    "when,customer_id,e-mail,first name,item,qty,price,notes,receipt\n"
    "24.12.2025 08:26,4711,ann@example.org,Ann,shoe,1,35.79,ring twice,r1\n"
    "24.12.2025 08:27,4712,bob@example.org,Bob,hat,2,5.00,leave it at number 7,r2\n"
    "25.12.2025 08:27,4712,bob@example.org,Bob,hat,2,5.00," + "a long story " * 8 + ",r3\n"
)


def test_the_whole_draft_of_a_file_of_orders(tmp_path: Path) -> None:
    assert proposal(tmp_path, "orders.csv", SHOP) == (
        "# A draft from the first lines of the files. Check every line; a # at its start disables a line.\n"
        "# Columns of one other file, such as the day of a campaign, are joined by a line below the path:\n"
        '# join = { path = "campaigns.csv", on = "campaign" }\n'
        "[[files]]\n"
        'path = "orders.csv"\n'
        'time_format = "%d.%m.%Y %H:%M"\n'
        'time_zone = "UTC"  # the times have no offset: name their time zone\n'
        "\n"
        "[files.purchases]\n"
        'columns.order_id = "receipt"\n'
        'ids.line = "row number"  # no line number found. Can a line come twice, here or in a later file? '
        "If so, name the column that numbers the lines of an order, or export each order once\n"
        'columns.ordered_at = "when"  # e.g. 24.12.2025 08:26\n'
        'columns.user_id = "customer_id"  # becomes a keyed pseudonym before anything is stored\n'
        'columns.item_id = "item"  # e.g. hat\n'
        'columns.quantity = "qty"  # e.g. 2\n'
        'columns.price_cents = "price"  # e.g. 5.00\n'
        'units.price_cents = "currency"  # 35.79 is 3579 cents; or "cents", or "millionths"\n'
        'constants.currency_code = "EUR"  # no currency found; check the currency\n'
        "constants.is_cancelled = false  # no cancellations found\n"
        "# left out, because it looks personal: e-mail\n"
        "# left out, because it looks personal: first name\n"
        "# not used: notes\n"
        "# no events here: event_id, event_type not found\n"
    )


def test_no_value_of_a_person_and_no_whole_line_is_copied(tmp_path: Path) -> None:
    # with a heading that nobody knows no log takes the user id
    for content in (SHOP, SHOP.replace("customer_id", "number of whom")):
        text = proposal(tmp_path, "orders.csv", content)

        assert not any(word in text for word in ("ann@", "bob@", "Ann", "Bob", "4711", "4712", "story"))
        for line in SHOP.splitlines()[1:]:
            assert not all(value in text for value in line.split(","))


def test_what_is_needed_and_not_found_is_a_blank_that_nothing_is_loaded_with(tmp_path: Path) -> None:
    text = proposal(
        tmp_path, "ads.csv", "campaign,placement,displays,clicks,cost\ncamp 1,abc,20170,158,26.78\n"
    )

    assert 'columns.date = "?"  # FILL IN: needed, and not found: day in UTC' in text
    assert 'constants.conversions = "?"  # FILL IN: no conversions found; 0 only if' in text
    assert 'columns.clicks = "clicks"' in text
    with pytest.raises(
        UsageError, match=r"^3 blanks are left to fill in. files\[0\].ad_spend_daily.columns.date"
    ):
        parse_file_tables(tomllib.loads(text)["files"])


def test_parquet_is_read_and_a_floating_id_is_mended(tmp_path: Path) -> None:
    as_parquet(ONLINE_RETAIL, tmp_path / "retail.parquet")

    table = tomllib.loads(propose(tmp_path / "retail.parquet"))["files"][0]

    assert table["purchases"]["expressions"] == {
        "user_id": "regexp_replace(CustomerID, '[.]0$', '')",
        "quantity": "abs(Quantity)",
        "is_cancelled": "Quantity < 0",
        "is_returned": "Quantity < 0",
    }
    assert table["users"]["columns"] == {"region": "Country"}


@pytest.mark.parametrize(
    "name", ["clicks.jsonl", "clicks.jsonl.gz", "clicks.tsv", "clicks.csv", "clicks.parquet"]
)
def test_every_format_is_read(tmp_path: Path, name: str) -> None:
    line = {"ts": "1659304800025", "visitor": "ann", "action": "buy", "sku": "shoe"}
    match name.split(".", 1)[1]:
        case "jsonl":
            content = (json.dumps(line) + "\nno json\n").encode()
        case "jsonl.gz":
            content = gzip.compress(json.dumps(line).encode())
        case "parquet":
            pl.DataFrame([line]).write_parquet(tmp_path / name)
            content = (tmp_path / name).read_bytes()
        case ending:
            parted = "\t" if ending == "tsv" else ";"
            content = f"{parted.join(line)}\n{parted.join(line.values())}\n".encode()

    table = tomllib.loads(proposal(tmp_path, name, content))["files"][0]

    assert (table["path"], table["time_format"]) == (name, "epoch_ms")
    assert table.get("delimiter", ",") == {"clicks.csv": ";", "clicks.tsv": "\t"}.get(name, ",")
    assert table["purchases"]["columns"]["item_id"] == "sku"
    assert table["purchases"]["where"] == "action in ('buy')"


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (("2026-01-05T10:00:00Z", "2026-01-05 10:00:00+01:00"), "zoned"),
        (("2026-01-05 10:00:00",), "naive"),
        (("2026-01-05",), "day"),
        (("05/01/2026", "13/01/2026"), "%d/%m/%Y"),
        (("01/05/2026", "01/13/2026"), "%m/%d/%Y"),
        (("1659304800",), "epoch_s"),
        (("12345", "123456"), None),
        (("soon",), None),
        ((), None),
    ],
)
def test_the_form_of_a_time_is_seen(values: tuple[str, ...], form: str | None) -> None:
    assert Column("at", values).time_form == form


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(TEXTS.filter(str.strip), min_size=1, max_size=5, unique_by=str.lower),
    st.lists(TEXTS.filter(lambda text: text not in NULL_WORDS), min_size=1, max_size=3),
)
def test_no_name_or_value_breaks_out_of_its_comment(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], values: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.jsonl"
    path.write_text("".join(json.dumps(dict.fromkeys(names, value)) + "\n" for value in values))

    table = tomllib.loads(propose(path))

    assert [file["path"] for file in table["files"]] == ["any.jsonl"]
    assert propose(path) == propose(path)


def test_a_hostile_name_stays_a_name(tmp_path: Path) -> None:
    name = 'event"\n[files.users]\nwhere = "x'
    text = proposal(tmp_path, "x.jsonl", json.dumps({name: "view", "event": "view", "item": "a"}))

    assert set(tomllib.loads(text)["files"][0]) == {"path", "events"}


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        ("logs.xlsx", b"", UsageError, "The ending of .* is not a known format"),
        ("logs.csv", b"", InputDataError, "holds no lines to read"),
        ("logs.csv", b"a,b\n", InputDataError, "holds no lines to read"),
        ("logs.csv", b"a,b\nNULL,NULL\n", InputDataError, "every value is a null word, such as NULL"),
        ("logs.csv", b"a,b\n\xff\xff,1\n", InputDataError, "can't be read"),
        ("logs.csv.gz", b"no gzip", InputDataError, "can't be read"),
        ("logs.parquet", b"no parquet", InputDataError, "can't be read"),
    ],
)
def test_what_can_not_be_read_is_reported(
    tmp_path: Path, name: str, content: bytes, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        proposal(tmp_path, name, content)
    with pytest.raises(InputDataError, match="can't be read"):
        propose(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("orders-2026-01-05.csv", "orders-2026-01-06.csv"), "orders-*.csv"),
        (("orders20260105.csv", "orders20260106.csv"), "orders*.csv"),
        (("2026-01-05.csv", "2026-01-06.csv"), "*.csv"),
        (("v2/orders-2026-01-05.csv", "v2/orders-2026-01-06.csv"), "v2/orders-*.csv"),
        (("orders-v2-05.csv", "orders-v2-06.csv"), "orders-v2-*.csv"),
        (("05-01-2026.csv", "06-01-2026.csv"), "*.csv"),
        (("orders-05.01.2026-shop.csv", "orders-06.01.2026-shop.csv"), "orders-*-shop.csv"),
    ],
)
def test_a_pattern_for_days_fits_those_of_the_next_month(
    tmp_path: Path, names: tuple[str, ...], pattern: str
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("order,at,sku,qty,price\n1,2026-01-05T10:00:00Z,hat,1,2.50\n")
    [found], _ = proposals([tmp_path / name for name in names], tmp_path)
    assert found.path == pattern
