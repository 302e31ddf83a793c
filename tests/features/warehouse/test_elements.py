"""Files whose shape is not one row of one log per line: optional columns, lists of rows, several logs."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from features.contracts.mapping import ELEMENT, ELEMENT_NUMBER, LINE, FileFormat, LogMapping, SourceFile
from features.errors import InputDataError
from features.warehouse.load import LoadedFile
from features.warehouse.quality import data_quality
from reports.wording.sentences import say, say_rule
from tests.laws.said_of_lines import rejected_lines

Load = Callable[..., LoadedFile]
Connection = duckdb.DuckDBPyConnection

EVENTS = LogMapping(
    "events",
    {
        "event_id": f"session || ':' || {ELEMENT_NUMBER}",
        "occurred_at": f"{ELEMENT} ->> '$.at'",
        "session_id": "session",
        "item_id": f"{ELEMENT} ->> '$.item'",
        "event_type": f"{ELEMENT} ->> '$.type'",
    },
    elements="json_extract(events, '$[*]')",
)
ITEMS = LogMapping(
    "items",
    {"item_id": f"{ELEMENT} ->> '$.item'"},
    elements="json_extract(events, '$[*]')",
    one_row_per_key=True,
)


def session(name: str, *items: str, at: str = "2026-01-05T10:00:00Z") -> str:
    return json.dumps(
        {"session": name, "events": [{"at": at, "item": item, "type": "click"} for item in items]}
    )


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., SourceFile]:
    def write(
        content: str, *logs: LogMapping, file_format: FileFormat = "jsonl", optional: tuple[str, ...] = ()
    ) -> SourceFile:
        path = tmp_path / f"day.{file_format}"
        path.write_text(content)
        return SourceFile(path, path.name, file_format, frozenset(), logs, frozenset(optional))

    return write


def test_a_line_feeds_a_row_per_element_and_counts_as_one_line(
    warehouse: Connection, file: Callable[..., SourceFile], load: Load
) -> None:
    loaded = load(file("\n".join([session("a", "x", "y"), session("b"), session("c", "x")]), EVENTS, ITEMS))

    assert (loaded.n_lines, loaded.n_loaded) == (3, 3)
    events = warehouse.execute("SELECT event_id, item_id, file_line FROM raw_events ORDER BY 1").fetchall()
    assert events == [("a:1", "x", 1), ("a:2", "y", 1), ("c:1", "x", 3)]
    assert warehouse.execute("SELECT item_id, file_line FROM raw_items ORDER BY 1").fetchall() == [
        ("x", 3),
        ("y", 1),
    ]


def test_one_bad_element_sends_its_whole_line_to_quarantine(
    warehouse: Connection, file: Callable[..., SourceFile], load: Load
) -> None:
    content = [
        session("a", "x", ""),
        "{broken",
        json.dumps({"session": "n", "events": None}),
        session("b", "z"),
    ]

    loaded = load(file("\n".join(content), EVENTS, ITEMS))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (4, 1, 3)
    assert warehouse.execute("SELECT event_id FROM raw_events").fetchall() == [("b:1",)]
    assert warehouse.execute("SELECT item_id FROM raw_items").fetchall() == [("z",)]
    assert rejected_lines(warehouse) == [
        (1, "item_id is an empty text"),
        (2, "the line is not a JSON object"),
        (3, "occurred_at is missing"),
    ]


def test_a_key_twice_on_a_line_is_there_once(
    warehouse: Connection, file: Callable[..., SourceFile], load: Load
) -> None:
    twins = LogMapping("events", {**EVENTS.columns, "event_id": "session"}, elements=EVENTS.elements)

    load(file(session("a", "x", "y"), twins))

    assert warehouse.execute("SELECT event_id, item_id FROM raw_events").fetchall() == [("a", "y")]


def test_a_mapping_may_ask_for_the_number_of_the_line(
    warehouse: Connection, file: Callable[..., SourceFile], load: Load
) -> None:
    columns = {
        "event_id": f"'row ' || {LINE}",
        "occurred_at": '"at"',
        "session_id": "visit",
        "item_id": "item",
        "event_type": "'view'",
    }
    at = "2026-01-05T10:00:00Z"
    content = f"at,visit,item\n{at},v1,x\nshort\n\n{at},v1,\n{at},v1,y\n"

    loaded = load(file(content, LogMapping("events", columns), file_format="csv"))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (4, 2, 2)
    events = warehouse.execute("SELECT event_id, file_line FROM raw_events ORDER BY 1").fetchall()
    assert events == [("row 2", 2), ("row 6", 6)]
    assert rejected_lines(warehouse) == [
        (3, "the line has fewer fields than the header"),
        (5, "item_id is missing"),
    ]


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_an_optional_column_that_is_absent_is_null_and_noted(
    warehouse: Connection, file: Callable[..., SourceFile], load: Load, file_format: FileFormat
) -> None:
    content = "sku\nshoe\n" if file_format == "csv" else '{"sku": "shoe"}\n'
    mapping = LogMapping("items", {"item_id": "sku", "brand": "maker"})

    load(file(content, mapping, file_format=file_format, optional=("maker",)))

    assert warehouse.execute("SELECT item_id, brand FROM raw_items").fetchall() == [("shoe", None)]
    assert data_quality(warehouse, "night", say, say_rule).filter(rule="optional column")[
        "reason"
    ].to_list() == ["the file has no maker, which reads as null in every line"]


def test_a_column_that_nobody_declared_must_be_there(file: Callable[..., SourceFile], load: Load) -> None:
    mapping = LogMapping("items", {"item_id": "sku", "brand": "maker"})

    with pytest.raises(InputDataError, match=r"day\.csv does not fit its mapping: .*maker"):
        load(file("sku\nshoe\n", mapping, file_format="csv"))


def test_an_expression_that_fails_refuses_the_file(file: Callable[..., SourceFile], load: Load) -> None:
    mapping = LogMapping("items", {"item_id": "sku", "price_cents": "CAST(price AS INTEGER) * 100"})

    with pytest.raises(InputDataError, match=r"day\.csv does not fit its mapping: .*convert"):
        load(file("sku,price\nshoe,free\n", mapping, file_format="csv"))
