"""Files as they arrive on a bad day: every data line is loaded or has a reason, or the file is refused."""

import gzip
import io
import json
from collections.abc import Callable

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.warehouse.load import LoadedFile
from tests.laws.said_of_lines import rejected_lines

HEADER = "impression_id,shown_at,session_id,surface,slot,item_id,propensity,policy_version,user_id\n"
COLUMNS = {name: name for name in HEADER.strip().split(",")}
GOOD = "i{n},2026-01-05T10:00:00Z,s1,home,1,shoe,0.5,v1,ann\n"

Write = Callable[..., SourceFile]
Load = Callable[..., LoadedFile]
Connection = duckdb.DuckDBPyConnection


def good_lines(*numbers: int) -> str:
    return "".join(GOOD.format(n=n) for n in numbers)


def row(n: int, **changes: object) -> dict[str, object]:
    return dict(zip(COLUMNS, GOOD.format(n=n).strip().split(","), strict=True)) | changes


def loaded_ids(warehouse: Connection) -> list[str]:
    rows = warehouse.execute("SELECT impression_id FROM raw_impressions ORDER BY 1").fetchall()
    return [impression_id for (impression_id,) in rows]


def rejects(warehouse: Connection) -> list[tuple[int, str]]:
    return rejected_lines(warehouse)


@pytest.mark.parametrize(
    ("bad_line", "reason"),
    [
        (b"i9,2026-01-05T10:00:00Z,s1,home,1,caf\xe9,0.5,v1,ann\n", "the line is not UTF-8"),
        (GOOD.format(n=9).replace("shoe", "x" * 5_000_000).encode(), "the line is too long"),
        (b"i9,2026-01-05T10:00:00Z,s1\n", "the line has fewer fields than the header"),
        (GOOD.format(n=9).replace("ann", "ann,x").encode(), "the line has more fields than the header"),
        (
            b'i9,2026-01-05T10:00:00Z,s1,home,1,"sh"oe,0.5,v1,ann\n',
            "a quoted field does not end where it should",
        ),
        (
            GOOD.format(n=9).replace("0.5", "1e999").encode(),
            "propensity is a number of 5 characters; it must be above 1e-12 and at most 1",
        ),
        (GOOD.format(n=9).replace(",1,", ",,").encode(), "slot is missing"),
    ],
    ids=["bad UTF-8", "5 MB line", "too few", "too many", "quote inside", "overflow", "empty cell"],
)
def test_a_bad_line_is_quarantined_and_its_neighbors_are_loaded(
    warehouse: Connection, source_file: Write, load: Load, bad_line: bytes, reason: str
) -> None:
    content = (HEADER + good_lines(1)).encode() + bad_line + good_lines(2, 3).encode()

    loaded = load(source_file(content, columns=COLUMNS))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (4, 3, 1)
    assert rejects(warehouse) == [(3, reason)]
    assert loaded_ids(warehouse) == ["i1", "i2", "i3"]


@pytest.mark.parametrize("last", ["i9,2026-01-05T10:00:00Z,s1,ho", "i9", GOOD.format(n=9)[:-7] + '"an'])
def test_a_last_line_that_was_cut_off_is_quarantined(
    warehouse: Connection, source_file: Write, load: Load, last: str
) -> None:
    loaded = load(source_file(HEADER + good_lines(1, 2) + last, columns=COLUMNS))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (3, 2, 1)
    assert [line for line, _ in rejects(warehouse)] == [4]


def test_a_byte_order_mark_is_not_a_part_of_the_first_name(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    load(source_file(b"\xef\xbb\xbf" + (HEADER + good_lines(1)).encode(), columns=COLUMNS))

    assert loaded_ids(warehouse) == ["i1"]


def test_a_null_byte_stays_in_its_field(warehouse: Connection, source_file: Write, load: Load) -> None:
    loaded = load(
        source_file(HEADER + good_lines(1) + GOOD.format(n=2).replace("shoe", "sh\0oe"), columns=COLUMNS)
    )

    assert loaded.n_loaded + loaded.n_rejected == 2
    assert warehouse.execute("SELECT count(*) FROM raw_impressions").fetchone() == (loaded.n_loaded,)


def test_a_field_that_holds_a_newline_refuses_the_file(source_file: Write, load: Load) -> None:
    content = HEADER + good_lines(1) + GOOD.format(n=2).replace("shoe", '"red\nshoe"') + good_lines(3)

    with pytest.raises(InputDataError, match=r"day\.csv line 3: the file has 4 data lines but reads as 3"):
        load(source_file(content, columns=COLUMNS))


def test_a_stray_quote_early_in_a_large_file_swallows_nothing(source_file: Write, load: Load) -> None:
    content = (
        HEADER
        + good_lines(*range(500))
        + GOOD.format(n=500).replace("shoe", '"shoe')
        + good_lines(*range(501, 60_000))
    )

    with pytest.raises(InputDataError, match=r"day\.csv line 502: the file has 60000 data lines"):
        load(source_file(content, columns=COLUMNS))


def parquet_bytes(n_rows: int = 1000, **options: object) -> bytes:
    frame = pl.DataFrame([row(n, slot=1, propensity=0.5) for n in range(n_rows)])
    content = io.BytesIO()
    frame.write_parquet(content, **options)
    return content.getvalue()


@pytest.mark.parametrize("keep", [0, 4, 0.5, -1], ids=["no byte", "magic only", "half", "last byte missing"])
def test_a_parquet_file_that_was_cut_off_is_refused(
    warehouse: Connection, source_file: Write, load: Load, keep: float
) -> None:
    whole = parquet_bytes()
    cut = whole[: int(len(whole) * keep) if 0 < keep < 1 else int(keep)]

    with pytest.raises(InputDataError, match=r"day\.parquet can't be read as parquet"):
        load(source_file(cut, columns=COLUMNS, name="day.parquet", file_format="parquet"))
    assert loaded_ids(warehouse) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 0.999), flip=st.integers(1, 255))
def test_a_damaged_parquet_file_is_refused_or_reconciles(
    warehouse: Connection, source_file: Write, load: Load, place: float, flip: int
) -> None:
    content = bytearray(parquet_bytes(compression="zstd"))
    content[int(place * len(content))] ^= flip

    try:
        loaded = load(source_file(bytes(content), columns=COLUMNS, name="day.parquet", file_format="parquet"))
    except InputDataError:
        return
    assert loaded.n_loaded + loaded.n_rejected == loaded.n_lines == 1000
    assert warehouse.execute("SELECT count(*) FROM raw_impressions").fetchone() == (loaded.n_loaded,)


def test_native_parquet_types_say_the_same_as_their_text(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    numbers = [0.5, 0.0, float("nan"), float("inf"), None, 0.1 + 0.2]
    frame = pl.DataFrame(
        [
            row(n, slot=slot, propensity=p)
            for n, (slot, p) in enumerate(zip([1, 2, 3, None, 0, 7], numbers, strict=True))
        ],
        schema_overrides={"propensity": pl.Float64},
    ).with_columns(shown_at=pl.Series(["2026-01-05T10:00:00.25Z"] * 6).str.to_datetime(time_zone="UTC"))
    content = io.BytesIO()
    frame.write_parquet(content)

    def result(columns: dict[str, str]) -> list[list[tuple[object, ...]]]:
        load(source_file(content.getvalue(), columns=columns, name="day.parquet", file_format="parquet"))
        tables = ("raw_impressions", "rejected_lines")
        return [
            warehouse.execute(f"SELECT * EXCLUDE (load_number) FROM {t} ORDER BY ALL").fetchall()
            for t in tables
        ]

    native = result(COLUMNS)
    as_text = result({name: f"CAST({name} AS VARCHAR)" for name in COLUMNS})

    assert native == as_text
    assert len(native[0]) == 2


json_value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)
json_line = st.one_of(
    st.builds(
        lambda changes: json.dumps(row(1, **changes)),
        st.dictionaries(st.sampled_from(list(COLUMNS)), json_value),
    ),
    st.builds(json.dumps, json_value),
    st.text(alphabet='{}[]":, \t\\a1\x00é', max_size=10),
    st.just(json.dumps(row(2)) + "x"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(json_line, max_size=10).flatmap(
        lambda lines: st.sampled_from(["\n".join(lines), "\n".join(lines) + "\n"])
    ),
    packed=st.booleans(),
)
def test_any_jsonl_file_reconciles_or_is_refused(
    warehouse: Connection, source_file: Write, load: Load, lines: str, packed: bool
) -> None:
    text = json.dumps(row(0)) + "\n" + lines
    content, name = (gzip.compress(text.encode()), "day.jsonl.gz") if packed else (text.encode(), "day.jsonl")

    try:
        loaded = load(source_file(content, columns=COLUMNS, name=name, file_format="jsonl"))
    except InputDataError:
        return
    finally:
        warehouse.execute("DELETE FROM load_manifest")
        numbers = warehouse.execute("SELECT file_line FROM raw_impressions").fetchall()
        rejected = warehouse.execute("SELECT line FROM rejected_lines").fetchall()
        warehouse.execute("DELETE FROM raw_impressions; DELETE FROM rejected_lines")

    data_lines = [number for number, line in enumerate(text.split("\n"), start=1) if line]
    assert loaded.n_lines == len(data_lines) == loaded.n_loaded + loaded.n_rejected
    assert sorted(number for (number,) in numbers + rejected) == data_lines


def test_a_key_that_is_missing_in_most_lines_is_null_there(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    without = {name: value for name, value in row(1).items() if name != "user_id"}
    content = "\n".join([json.dumps(without)] * 3 + [json.dumps(row(2))])

    load(source_file(content, columns=COLUMNS, name="day.jsonl", file_format="jsonl"))

    keys = warehouse.execute("SELECT user_key FROM raw_impressions ORDER BY file_line").fetchall()
    assert keys == [(None,), (None,), (None,), ("key of ann",)]


def test_a_required_key_may_come_late_but_not_never(
    warehouse: Connection, source_file: Write, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.warehouse.reader._KEY_LINES", 2)
    without = json.dumps({name: value for name, value in row(1).items() if name != "slot"})

    late = source_file(
        "\n".join([without] * 5 + [json.dumps(row(2))]),
        columns=COLUMNS,
        name="late.jsonl",
        file_format="jsonl",
    )
    never = source_file("\n".join([without] * 5), columns=COLUMNS, name="never.jsonl", file_format="jsonl")

    assert load(late).n_rejected == 5
    with pytest.raises(InputDataError, match=r"never\.jsonl lacks the columns slot"):
        load(never)


def test_a_jsonl_line_that_no_reader_takes_is_quarantined(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    latin = json.dumps(row(2, item_id="caf?")).encode().replace(b"?", b"\xe9")
    huge = json.dumps(row(3, item_id="x" * 5_000_000)).encode()
    content = b"\n".join([json.dumps(row(1)).encode(), latin, b"", huge, json.dumps(row(4)).encode()])

    loaded = load(source_file(content, columns=COLUMNS, name="day.jsonl", file_format="jsonl"))

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (4, 2, 2)
    assert rejects(warehouse) == [(2, "the line is not UTF-8"), (4, "the line is too long")]
    assert warehouse.execute("SELECT file_line FROM raw_impressions ORDER BY 1").fetchall() == [(1,), (5,)]
