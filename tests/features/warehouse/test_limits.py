"""What is too large for the door: one line is rejected, a whole file is refused in a sentence."""

import gzip
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from features.contracts.limits import Limits
from features.contracts.logs import LOGS
from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.warehouse.census import take_census
from features.warehouse.load import LoadedFile, load_file
from tests.features.warehouse.good_lines import GOOD_LINES
from tests.laws.said_of_lines import rejected_lines

ITEMS = {"item_id": "item_id", "name": "name"}
MB = 1 << 20


def bomb(path: Path, piece: bytes, n_pieces: int) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(n_pieces):
            file.write(piece)
    return path


@pytest.mark.parametrize(
    ("piece", "n_pieces", "limit"),
    [
        (b"\n" * MB, 200, "limits.max_empty_lines"),
        (bytes(MB), 200, "limits.max_line_bytes"),
        (b"a,b\n" * (MB // 4), 200, "limits.max_expansion"),
    ],
    ids=["newlines", "zeros", "one line again and again"],
)
def test_a_compressed_bomb_is_refused_while_it_is_counted(
    tmp_path: Path, piece: bytes, n_pieces: int, limit: str
) -> None:
    path = bomb(tmp_path / "day.csv.gz", piece, n_pieces)

    tracemalloc.start()
    with pytest.raises(InputDataError, match=limit):
        take_census(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size < 4 * MB
    assert most < 150 * MB


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(max_lines=2), "it has more than 2 lines"),
        (Limits(max_empty_lines=1), "it has more than 1 empty lines"),
        (Limits(max_file_bytes=30), "its text has more than 30 bytes"),
    ],
)
@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz"])
def test_a_file_beyond_a_limit_is_refused_by_its_name(
    tmp_path: Path, name: str, limits: Limits, said: str
) -> None:
    text = b"item_id,name\n\n\na,b\nc,d\nlong enough,for this\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    with pytest.raises(InputDataError, match=rf"{name} is not read: {said}"):
        take_census(path, limits=limits)


def test_a_file_at_its_limits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(b"a\n\nb\n")

    assert take_census(path, limits=Limits(max_lines=3, max_empty_lines=1, max_file_bytes=5)).n_lines == 3


def test_a_json_array_may_stand_on_one_long_line(tmp_path: Path) -> None:
    path = tmp_path / "day.json"
    path.write_bytes(b"[" + b",".join([b'{"a": 1}'] * 40) + b"]")

    assert take_census(path, limits=Limits(max_line_bytes=10)).n_lines == 1


Write = Callable[..., SourceFile]


def load(warehouse: duckdb.DuckDBPyConnection, file: SourceFile, limits: Limits) -> LoadedFile:
    return load_file(
        warehouse, file, pseudonym_sql="user_id", key_id="k", max_rejected_share=1.0, limits=limits
    )


def test_long_lines_and_long_texts_are_rejected_one_by_one(
    warehouse: duckdb.DuckDBPyConnection, source_file: Write
) -> None:
    rows = ["shoe,Shoe", f"{'x' * 50},Hat", f"sock,{'é' * 51}", f"cap,{'y' * 1500}", f"tie,{'é' * 50}"]
    file = source_file("\n".join(["item_id,name", *rows, ""]), "items", columns=ITEMS)

    loaded = load(warehouse, file, Limits(max_text_characters=50, max_line_bytes=1000))

    assert (loaded.n_loaded, loaded.n_rejected) == (3, 2)
    assert rejected_lines(warehouse) == [
        (4, "name has 51 characters; it may have 50"),
        (5, "the line is too long"),
    ]


def test_other_limits_read_a_file_again(warehouse: duckdb.DuckDBPyConnection, source_file: Write) -> None:
    file = source_file("item_id,name\nshoe,Shoe\n", "items", columns=ITEMS)

    outcomes = [load(warehouse, file, Limits(max_text_characters=most)).outcome for most in (9, 9, 8)]

    assert outcomes == ["loaded", "unchanged", "replaced"]


def test_texts_are_stored_composed_and_without_what_nobody_sees(
    warehouse: duckdb.DuckDBPyConnection, source_file: Write
) -> None:
    content = io.BytesIO()
    pl.DataFrame(
        {"item_id": ["cafe\u0301", "a\x00b"], "name": ["\u202eevil\u202c", "two\nlines\x1b[0m"]}
    ).write_parquet(content)

    load(
        warehouse,
        source_file(content.getvalue(), "items", columns=ITEMS, name="day.parquet", file_format="parquet"),
        Limits(),
    )

    assert warehouse.execute("SELECT item_id, name FROM raw_items ORDER BY file_line").fetchall() == [
        ("café", "evil"),
        ("ab", "two lines[0m"),
    ]


@pytest.mark.parametrize(
    ("log", "column", "text"),
    [
        ("impressions", "slot", "9223372036854775807"),
        ("impressions", "slot", "100000"),
        ("impressions", "propensity", "1e308"),
        ("purchases", "line", "9223372036854775807"),
        ("purchases", "quantity", "9223372036854775807"),
        ("purchases", "price_cents", "-9223372036854775808"),
        ("purchases", "cost_cents", "-9223372036854775808"),
        ("ad_impressions", "conversions", "1.7976931348623157e308"),
        ("ad_spend_daily", "spend_cents", "9223372036854775807"),
        ("ad_spend_daily", "impressions", "9223372036854775807"),
    ],
)
def test_an_absurd_number_rejects_its_line_alone(
    warehouse: duckdb.DuckDBPyConnection, source_file: Write, log: str, column: str, text: str
) -> None:
    names = LOGS[log].column_names()
    line = dict(zip(names, GOOD_LINES[log].split(","), strict=True))
    rows = [",".join(f'"{value}"' for value in row.values()) for row in (line, line | {column: text})]
    content = "\n".join([",".join(names), *rows, ""])
    file = source_file(content, log, columns={name: f'"{name}"' for name in names})

    assert load(warehouse, file, Limits()).n_rejected == 1
    [(number, said)] = rejected_lines(warehouse)
    assert number == 3
    assert said.startswith(f"{column} is a number of {len(text)} characters; it must be")
