import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.contracts.findings import from_json
from features.contracts.mapping import LogMapping, SourceFile
from features.errors import InputDataError, MetacartError, UsageError
from features.warehouse.load import LoadedFile, load_file
from tests.laws.said_of_lines import rejected_lines

HEADER = "impression_id,shown_at,session_id,surface,slot,item_id,propensity,policy_version,user_id\n"
COLUMNS = {name: name for name in HEADER.strip().split(",")}
GOOD = "i{n},2026-01-05T10:00:00Z,s1,home,1,shoe,0.5,v1,ann\n"

Write = Callable[..., SourceFile]
Load = Callable[..., LoadedFile]
Connection = duckdb.DuckDBPyConnection


def good_lines(*numbers: int) -> str:
    return "".join(GOOD.format(n=n) for n in numbers)


def line(**changes: str) -> str:
    values = dict(zip(COLUMNS, GOOD.format(n=0).strip().split(","), strict=True)) | changes
    return ",".join(values.values()) + "\n"


def rejects(warehouse: Connection) -> list[tuple[int, str]]:
    return rejected_lines(warehouse)


def snapshot(warehouse: Connection) -> list[list[tuple[object, ...]]]:
    tables = ("raw_impressions", "raw_events", "load_manifest", "rejected_lines")
    return [warehouse.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in tables]


def test_good_lines_are_loaded_with_their_types_and_line_numbers(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    loaded = load(source_file(HEADER + good_lines(1, 2), columns=COLUMNS))

    assert (loaded.outcome, loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == ("loaded", 2, 2, 0)
    rows = warehouse.execute(
        "SELECT impression_id, shown_at::VARCHAR, slot, propensity, candidate_set_id, load_number, file_line "
        "FROM raw_impressions ORDER BY file_line"
    ).fetchall()
    assert rows == [
        ("i1", "2026-01-05 10:00:00+00", 1, 0.5, None, 1, 2),
        ("i2", "2026-01-05 10:00:00+00", 1, 0.5, None, 1, 3),
    ]


def test_user_ids_are_stored_as_pseudonyms_only(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    load(source_file(HEADER + good_lines(1), columns=COLUMNS))

    assert warehouse.execute("SELECT user_key FROM raw_impressions").fetchone() == ("key of ann",)


def test_columns_are_read_by_name(warehouse: Connection, source_file: Write, load: Load) -> None:
    swapped = "surface,item_id,impression_id,shown_at,session_id,slot,propensity,policy_version,user_id\n"

    load(source_file(swapped + "home,shoe,i1,2026-01-05T10:00:00Z,s1,1,0.5,v1,ann\n", columns=COLUMNS))

    assert warehouse.execute("SELECT surface, item_id FROM raw_impressions").fetchone() == ("home", "shoe")


WITHIN = "it must be above 1e-12 and at most 1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"propensity": "0"}, f"propensity is a number of 1 character; {WITHIN}"),
        (
            {"propensity": "1.7"},
            f"propensity is a number of 3 characters; {WITHIN}",
        ),
        (
            {"propensity": "nan"},
            f"propensity is a number of 3 characters; {WITHIN}",
        ),
        (
            {"propensity": "inf"},
            f"propensity is a number of 3 characters; {WITHIN}",
        ),
        ({"propensity": "high"}, "propensity is a text of 4 characters; it must be a number"),
        ({"slot": "1.7"}, "slot is a number of 3 characters; it must be a whole number"),
        ({"slot": "0"}, "slot is a number of 1 character; it must be at least 1"),
        ({"item_id": ""}, "item_id is missing"),
        (
            {"shown_at": "2026-01-05 10:00:00"},
            "shown_at is a text of 19 characters; it must be a time with its offset, as in "
            "2026-01-05T10:00:00Z",
        ),
    ],
)
def test_a_line_that_breaks_a_rule_is_quarantined_with_its_reason(
    warehouse: Connection, source_file: Write, load: Load, changes: dict[str, str], reason: str
) -> None:
    loaded = load(source_file(HEADER + good_lines(1) + line(**changes) + good_lines(2), columns=COLUMNS))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (3, 2, 1)
    assert rejects(warehouse) == [(3, reason)]


def test_lines_keep_their_numbers_behind_empty_and_unreadable_ones(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    content = (
        HEADER
        + "\n"
        + good_lines(1)
        + "only,three,fields\n\n\n"
        + good_lines(2)
        + line(slot="x")
        + good_lines(3)
    )

    loaded = load(source_file(content, columns=COLUMNS))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (5, 3, 2)
    numbers = warehouse.execute(
        "SELECT impression_id, file_line FROM raw_impressions ORDER BY ALL"
    ).fetchall()
    assert numbers == [("i1", 3), ("i2", 7), ("i3", 9)]
    assert rejects(warehouse) == [
        (4, "the line has fewer fields than the header"),
        (8, "slot is a text of 1 character; it must be a whole number"),
    ]


def test_a_rejected_line_shows_nothing_personal(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    load(source_file(HEADER + line(slot="x", user_id="ann@example.org"), columns=COLUMNS))

    [(example,)] = warehouse.execute("SELECT example FROM rejected_lines").fetchall()
    shapes = {found.subject: found for found in from_json(example)}
    assert shapes["slot"].numbers == {
        "kind": "text",
        "characters": 1,
        "digits": 0,
        "letters": 1,
        "at_signs": 0,
    }
    assert "user_id" not in shapes
    assert not any(text in example for text in ("ann", "shoe", "home", "2026"))


def test_a_stray_quote_refuses_the_file_and_names_the_line(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    content = HEADER + good_lines(1) + line(item_id='"shoe') + good_lines(*range(2, 50))

    with pytest.raises(InputDataError, match=r"day\.csv line 3: the file has 50 data lines"):
        load(source_file(content, columns=COLUMNS))

    assert snapshot(warehouse) == [[], [], [], []]


def test_two_stray_quotes_that_join_lines_refuse_the_file(source_file: Write, load: Load) -> None:
    content = HEADER + line(user_id='"ann') + good_lines(1, 2) + line(impression_id='"i9')

    with pytest.raises(InputDataError, match=r"day\.csv line 2"):
        load(source_file(content, columns=COLUMNS))


def test_a_wrong_header_refuses_the_file(source_file: Write, load: Load) -> None:
    with pytest.raises(
        InputDataError, match=r"day\.csv lacks the columns slot; it has impression_id, .*place"
    ):
        load(source_file(HEADER.replace("slot", "place") + good_lines(1), columns=COLUMNS))


def test_a_name_twice_in_the_header_refuses_the_file(source_file: Write, load: Load) -> None:
    with pytest.raises(InputDataError, match="more than one column called slot"):
        load(source_file(HEADER.replace("user_id", "Slot") + good_lines(1), columns=COLUMNS))


@pytest.mark.parametrize("content", ["", HEADER, HEADER.strip()])
def test_a_file_without_data_lines_is_recorded(
    warehouse: Connection, source_file: Write, load: Load, content: str
) -> None:
    loaded = load(source_file(content, columns=COLUMNS), max_rejected_share=0.0)

    assert (loaded.outcome, loaded.n_lines, loaded.n_loaded) == ("loaded", 0, 0)
    assert warehouse.execute("SELECT count(*) FROM load_manifest").fetchone() == (1,)


def test_a_missing_file_is_named(source_file: Write, load: Load) -> None:
    file = source_file(HEADER)
    file.path.unlink()

    with pytest.raises(InputDataError, match=r"day\.csv: there is no file at"):
        load(file)


def test_a_pattern_in_a_path_is_refused(source_file: Write, load: Load) -> None:
    with pytest.raises(InputDataError, match="takes for a pattern"):
        load(source_file(HEADER, name="day[1].csv"))


def test_too_many_bad_lines_refuse_the_file_and_leave_the_warehouse_alone(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    load(source_file(HEADER + good_lines(1), columns=COLUMNS))
    before = snapshot(warehouse)
    bad = HEADER + good_lines(1) + line(slot="x") + line(slot="y") + line(propensity="2")

    with pytest.raises(
        InputDataError,
        match=r"3 of 4 lines are bad, above the allowed share 0.5.* 2 times, first on line 3: slot is a text",
    ):
        load(source_file(bad, columns=COLUMNS), max_rejected_share=0.5)

    assert snapshot(warehouse) == before


def test_a_file_loaded_twice_is_there_once(warehouse: Connection, source_file: Write, load: Load) -> None:
    file = source_file(HEADER + good_lines(1, 2) + line(slot="x"), columns=COLUMNS)
    load(file)
    before = snapshot(warehouse)

    again = load(file)

    assert (again.outcome, again.n_lines, again.n_loaded, again.n_rejected) == ("unchanged", 3, 2, 1)
    assert snapshot(warehouse) == before


def test_a_changed_file_replaces_its_rows(warehouse: Connection, source_file: Write, load: Load) -> None:
    load(source_file(HEADER + good_lines(7), columns=COLUMNS, name="other.csv"))
    old = load(source_file(HEADER + good_lines(1, 2) + line(slot="x"), columns=COLUMNS))

    new = load(source_file(HEADER + good_lines(2, 3, 4), columns=COLUMNS))

    assert new.outcome == "replaced"
    ids = warehouse.execute("SELECT impression_id FROM raw_impressions ORDER BY 1").fetchall()
    assert ids == [("i2",), ("i3",), ("i4",), ("i7",)]
    assert rejects(warehouse) == []
    kept = warehouse.execute(
        "SELECT replaced_sha256 FROM load_manifest WHERE source_name = 'day.csv'"
    ).fetchall()
    assert kept == [(old.sha256,)]


def test_a_new_key_or_mapping_loads_the_same_bytes_again(source_file: Write, load: Load) -> None:
    file = source_file(HEADER + good_lines(1), columns=COLUMNS)
    load(file)
    other_mapping = replace(file, logs=(LogMapping("impressions", {**COLUMNS, "surface": "'shop'"}),))

    assert load(file, key_id="k2").outcome == "replaced"
    assert load(other_mapping, key_id="k2").outcome == "replaced"


def test_one_line_feeds_several_logs_and_falls_out_of_all(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    file = source_file(
        HEADER.replace("user_id", "click")
        + line(user_id="1", impression_id="a")
        + line(user_id="0", impression_id="b")
        + line(user_id="maybe", impression_id="c"),
        columns={name: name for name in COLUMNS if name != "user_id"},
    )
    clicks = LogMapping(
        "events",
        {
            "event_id": "impression_id",
            "occurred_at": "shown_at",
            "session_id": "session_id",
            "item_id": "item_id",
            "event_type": "CASE click WHEN '1' THEN 'click' ELSE click END",
        },
        where="click <> '0'",
    )

    loaded = load(replace(file, logs=(*file.logs, clicks)))

    assert (loaded.n_loaded, loaded.n_rejected) == (2, 1)
    assert warehouse.execute("SELECT impression_id FROM raw_impressions ORDER BY 1").fetchall() == [
        ("a",),
        ("b",),
    ]
    assert warehouse.execute("SELECT event_id FROM raw_events").fetchall() == [("a",)]
    assert rejects(warehouse) == [
        (
            4,
            "event_type is a text of 5 characters; it must be one of view, click, add_to_cart, "
            "remove_from_cart",
        )
    ]


def test_gzip_is_read_and_a_cut_off_one_refused(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    packed = gzip.compress((HEADER + good_lines(*range(500))).encode())

    assert load(source_file(packed, columns=COLUMNS, name="day.csv.gz")).n_loaded == 500
    with pytest.raises(InputDataError, match="not a complete gzip file"):
        load(source_file(packed[:-20], columns=COLUMNS, name="cut.csv.gz"))


def test_jsonl_is_read_line_by_line(warehouse: Connection, source_file: Write, load: Load) -> None:
    row = dict(zip(COLUMNS, GOOD.format(n=1).strip().split(","), strict=True))
    content = "\n".join(
        [json.dumps(row), "", "{broken", json.dumps({**row, "slot": 1.5}), "[1]", json.dumps(row)]
    )

    loaded = load(source_file(content, columns=COLUMNS, name="day.jsonl", file_format="jsonl"))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (5, 2, 3)
    assert rejects(warehouse) == [
        (3, "the line is not a JSON object"),
        (4, "slot is a number of 3 characters; it must be a whole number"),
        (5, "the line is not a JSON object"),
    ]
    assert warehouse.execute("SELECT file_line FROM raw_impressions ORDER BY 1").fetchall() == [(1,), (6,)]


def test_parquet_is_read_with_its_types(warehouse: Connection, source_file: Write, load: Load) -> None:
    frame = pl.read_csv(io.StringIO(HEADER + good_lines(1, 2)), try_parse_dates=True).with_columns(
        pl.col("shown_at").cast(pl.Datetime("us", "UTC")), slot=pl.Series([1, 0])
    )
    content = io.BytesIO()
    frame.write_parquet(content)

    loaded = load(source_file(content.getvalue(), columns=COLUMNS, name="day.parquet", file_format="parquet"))

    assert (loaded.n_loaded, loaded.n_rejected) == (1, 1)
    assert rejects(warehouse) == [(2, "slot is a number of 1 character; it must be at least 1")]


def test_a_broken_parquet_file_is_refused(source_file: Write, load: Load) -> None:
    with pytest.raises(InputDataError, match=r"day\.parquet can't be read as parquet"):
        load(source_file(b"PAR1 nothing", columns=COLUMNS, name="day.parquet", file_format="parquet"))


def test_a_mapping_that_does_not_fit_is_the_callers_mistake(source_file: Write, load: Load) -> None:
    file = source_file(HEADER, columns={"impression_id": "impression_id", "color": "'red'"})

    with pytest.raises(
        UsageError, match=r"without a mapping: shown_at, .*; mapped but not in the log: color"
    ):
        load(file)


def test_a_mapping_of_unknown_columns_is_refused(source_file: Write, load: Load) -> None:
    with pytest.raises(InputDataError, match=r"day\.csv does not fit its mapping"):
        load(source_file(HEADER + good_lines(1), columns={**COLUMNS, "surface": "place"}))


def test_an_error_while_storing_keeps_the_key_to_itself(warehouse: Connection, source_file: Write) -> None:
    file = source_file(HEADER + good_lines(1), columns=COLUMNS)

    with pytest.raises(MetacartError) as caught:
        load_file(warehouse, file, pseudonym_sql="no_function('s3cret')", key_id="k", max_rejected_share=0.0)

    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_that_changes_while_it_is_read_is_refused(
    warehouse: Connection, source_file: Write, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = source_file(HEADER + good_lines(1), columns=COLUMNS)

    def grow_then_drop(connection: Connection) -> None:
        os.utime(file.path, (0, 0))

    monkeypatch.setattr("features.warehouse.load.store_rows", lambda *_, **__: grow_then_drop(warehouse))
    with pytest.raises(InputDataError, match="changed while it was read"):
        load(file)


def test_a_return_inside_of_the_first_line_is_refused_in_a_sentence(source_file: Write, load: Load) -> None:
    with pytest.raises(InputDataError, match="ends some lines with a carriage return and others without"):
        load(source_file(HEADER + "a\rb\n", columns=COLUMNS))


field = st.text(alphabet=st.sampled_from(list("ab1.,\"\n\r 'é\x00;#\\")), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.one_of(field, st.just(GOOD.format(n=1).strip()), st.just(line(slot="x").strip())), max_size=12
    )
)
def test_any_file_reconciles_or_is_refused(
    warehouse: Connection, source_file: Write, load: Load, lines: list[str]
) -> None:
    content = HEADER + "\n".join(lines)

    try:
        loaded = load(source_file(content, columns=COLUMNS))
    except InputDataError:
        return

    n_data_lines = sum(1 for text in content.split("\n")[1:] if text.strip("\r"))
    assert loaded.n_lines == loaded.n_loaded + loaded.n_rejected == n_data_lines
    assert warehouse.execute("SELECT count(*) FROM raw_impressions").fetchone() == (loaded.n_loaded,)
    assert warehouse.execute("SELECT count(*) FROM rejected_lines").fetchone() == (loaded.n_rejected,)
    physical = content.split("\n")
    for number, impression_id in warehouse.execute(
        "SELECT file_line, impression_id FROM raw_impressions"
    ).fetchall():
        assert next(csv.reader([physical[number - 1]]))[0] == impression_id


def test_mixed_line_ends_refuse_the_file(source_file: Write, load: Load) -> None:
    with pytest.raises(InputDataError, match=r"day\.csv ends some lines with a carriage return"):
        load(source_file(HEADER + "\r\n1\n" + good_lines(1), columns=COLUMNS))


def test_windows_line_ends_are_read(warehouse: Connection, source_file: Write, load: Load) -> None:
    content = HEADER + "\n" + good_lines(1) + "short\n" + good_lines(2)

    assert load(source_file(content.replace("\n", "\r\n"), columns=COLUMNS)).n_loaded == 2
    assert rejects(warehouse) == [(4, "the line has fewer fields than the header")]
    assert warehouse.execute("SELECT file_line FROM raw_impressions ORDER BY 1").fetchall() == [(3,), (5,)]


@pytest.mark.parametrize("large_file_bytes", [1 << 40, 0], ids=["small buffers", "large buffers"])
def test_line_numbers_hold_in_a_file_that_is_read_in_parallel(
    warehouse: Connection,
    source_file: Write,
    load: Load,
    monkeypatch: pytest.MonkeyPatch,
    large_file_bytes: int,
) -> None:
    monkeypatch.setattr("features.warehouse.reader._LARGE_FILE_BYTES", large_file_bytes)
    bad = {10, 150_000, 299_990}
    content = HEADER + "".join("short\n" if n in bad else GOOD.format(n=n) for n in range(300_000))

    assert load(source_file(content, columns=COLUMNS)).n_rejected == len(bad)
    assert [number for number, _ in rejects(warehouse)] == [n + 2 for n in sorted(bad)]
    off = warehouse.execute(
        "SELECT count(*) FROM raw_impressions WHERE impression_id <> 'i' || (file_line - 2)"
    )
    assert off.fetchone() == (0,)


def test_a_rule_across_columns_is_asked_after_those_of_each_column(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    header = "date,campaign_id,channel,segment_id,impressions,clicks,spend_cents,conversions,revenue_cents\n"
    names = {name: f'"{name}"' for name in header.strip().split(",")}
    rows = ["10,3,1,0,0", "3,10,1,0,0", "-3,10,1,0,0"]
    content = header + "".join(f"2026-01-05,c,search,s{n},{row}\n" for n, row in enumerate(rows))

    loaded = load(source_file(content, "ad_spend_daily", columns=names))

    assert loaded.n_loaded == 1
    assert rejects(warehouse) == [
        (3, "clicks is above impressions (digits: 2 and 1); it must be at most impressions"),
        (4, "impressions is a number of 2 characters; it must be at least 0"),
    ]


def test_what_is_stored_of_a_value_is_decided_by_its_column(
    warehouse: Connection, source_file: Write
) -> None:
    def masked(value: str, metadata: Mapping[str, Any] | None) -> str:
        return (
            f"'[' || {value} || ']'" if value.strip('"').startswith(("log 0: surface", "surface")) else value
        )

    file = source_file(HEADER + good_lines(1), columns=COLUMNS)
    load_file(
        warehouse,
        file,
        pseudonym_sql="user_id",
        key_id="k",
        max_rejected_share=1.0,
        stored_value=masked,
    )

    assert warehouse.execute("SELECT surface, item_id FROM raw_impressions").fetchall() == [
        ("[home]", "shoe")
    ]
