"""Purchases that only their line numbers tell apart: what is exported twice counts, and is named."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest

from features.contracts.findings import from_json
from features.contracts.mapping import SourceFile
from features.sources import declared
from features.sources.file_tables import parse_file_tables
from features.warehouse.build import build
from features.warehouse.load import LoadedFile
from features.warehouse.quality import data_quality
from reports.wording.sentences import say, say_rule

Connection = duckdb.DuckDBPyConnection
Load = Callable[..., LoadedFile]
Tell = Callable[..., dict[str, tuple[int, int, str, int]]]

HEADER = "order,at,who,sku,qty,price,refund,pos\n"
R1, R2 = ("r1,2026-01-05T10:00:00Z,ann,hat,1,2.50,no,1", "r1,2026-01-05T10:00:00Z,ann,cap,1,9.00,no,2")
R3, R4 = ("r2,2026-01-06T10:00:00Z,bob,hat,1,2.50,no,1", "r3,2026-01-07T10:00:00Z,,hat,2,2.50,no,1")
BY_LINE = {"ids": {"line": "row number"}}
BY_POSITION = {"columns": {"line": "pos"}}
ALL_BY_LINE = {"ids": {"line": "row number", "order_id": "row number"}}


def files(
    folder: Path, contents: dict[str, Sequence[str]], how: dict[str, dict[str, str]]
) -> list[SourceFile]:
    for name, lines in contents.items():
        (folder / name).write_text(HEADER + "".join(f"{line}\n" for line in lines))
    columns = {
        "ordered_at": "at",
        "user_id": "who",
        "item_id": "sku",
        "quantity": "qty",
        "price_cents": "price",
    }
    if "order_id" not in how.get("ids", {}):
        columns["order_id"] = "order"
    purchases = {
        "columns": columns | how.get("columns", {}),
        "ids": how.get("ids", {}),
        "units": {"price_cents": "currency"},
        "constants": {"currency_code": "EUR", "is_cancelled": False},
        "expressions": {"is_returned": "case refund when 'yes' then true else false end"},
    }
    tables = parse_file_tables([{"path": "*.csv", "purchases": purchases}])
    return [file for file in declared.files(folder, tables) if file.name in contents]


@pytest.fixture
def tell(warehouse: Connection, load: Load, tmp_path: Path) -> Tell:
    """Load files and run a night; return file → what it says of its rows that equal earlier ones."""

    def told(
        contents: dict[str, Sequence[str]],
        how: dict[str, dict[str, str]] = BY_LINE,
        as_of: date = date(2026, 1, 31),
    ) -> dict[str, tuple[int, int, str, int]]:
        for file in files(tmp_path, contents, how):
            assert load(file).n_rejected == 0
        build(warehouse, as_of=as_of, attribution_hours=24, max_superseded_share=1.0)
        rows = data_quality(warehouse, "night", say, say_rule).filter(reason_codes="equal_rows")
        found = [from_json(text)[0] for text in rows["findings"]]
        assert [row for row in rows["n_rejected"] if row] == []
        return {
            one.subject: tuple(one.numbers[name] for name in ("n_rows", "first_line", "earlier", "n_earlier"))
            for one in found
        }

    return told


def n_pieces(warehouse: Connection) -> int:
    [(pieces,)] = warehouse.execute("SELECT sum(quantity)::BIGINT FROM stg_purchases").fetchall()
    return int(pieces)


def test_an_export_that_overlaps_another_is_counted_and_its_repeats_are_named(
    warehouse: Connection, tell: Tell
) -> None:
    told = tell({"1.csv": [R1, R2, R3], "2.csv": [R3, R4, R4[:-1] + "9"]})

    assert told == {"2.csv": (2, 2, "1.csv", 2)}
    # the two that equal an earlier row count as before: two equal lines of one order may be true
    assert n_pieces(warehouse) == 3 + 1 + 2 + 2


def test_the_sentence_says_which_rows_and_what_to_do(warehouse: Connection, tell: Tell) -> None:
    tell({"1.csv": [R1, R2], "2.csv": [R2, R3]})

    [row] = data_quality(warehouse, "night", say, say_rule).filter(reason_codes="equal_rows").to_dicts()
    assert row["rule"] == "a purchase is exported once"
    assert row["reason"] == (
        "rows of purchases that equal an earlier row of 1.csv: 1, the first on line 2; each of them counts, "
        "because only the lines' numbers tell them apart. If exports overlap, export each order once, or "
        "name the column that numbers the lines of an order"
    )


def test_rows_that_repeat_in_one_file_are_named(tell: Tell) -> None:
    assert tell({"1.csv": [R1, R2, R1, R1]}) == {"1.csv": (2, 4, "1.csv", 1)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("r1,", "r9,"),
        ("hat", "cap"),
        ("ann", "eve"),
        ("10:00", "10:01"),
        (",1,2", ",3,2"),
        ("2.50", "2.60"),
        ("no", "yes"),
    ],
)
def test_rows_that_differ_in_what_was_bought_when_or_by_whom_are_not_repeats(
    tell: Tell, old: str, new: str
) -> None:
    assert tell({"1.csv": [R1], "2.csv": [R3, R1.replace(old, new, 1)]}) == {}


def test_lines_with_a_number_of_their_own_are_known_by_it(warehouse: Connection, tell: Tell) -> None:
    assert tell({"1.csv": [R1, R2, R3], "2.csv": [R4, R3]}, BY_POSITION) == {}
    assert n_pieces(warehouse) == 3 + 2


def test_a_row_that_does_not_count_is_not_a_repeat(warehouse: Connection, tell: Tell) -> None:
    # order and line are the same in both files, so the later row takes the place of the earlier one
    assert tell({"1.csv": [R1, R2], "2.csv": [R1, R3]}) == {}
    assert n_pieces(warehouse) == 3


def test_an_order_that_is_named_by_its_line_is_compared_by_the_rest(tell: Tell) -> None:
    assert tell({"1.csv": [R1, R3], "2.csv": [R2, R1]}, ALL_BY_LINE) == {"2.csv": (1, 3, "1.csv", 1)}


def test_guests_without_an_order_may_buy_the_same(tell: Tell) -> None:
    assert tell({"1.csv": [R4, R4]}, ALL_BY_LINE) == {}
    assert tell({"2.csv": [R4, R4]}) == {"2.csv": (1, 3, "2.csv", 1)}


def test_a_night_knows_no_repeat_of_a_later_day(tell: Tell) -> None:
    assert tell({"1.csv": [R1, R4, R4]}, as_of=date(2026, 1, 6)) == {}
