"""Night after night: files that come again, come late, come changed, and keys that come twice."""

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from features.contracts.findings import one_from_json
from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.models import read_models
from features.warehouse.quality import OF_WHOLE_FILES, data_quality
from features.warehouse.watermark import Watermark
from reports.wording.sentences import say, say_rule
from tests.laws.said_of_lines import rejected_lines

HEADER = "impression_id,shown_at,session_id,surface,slot,item_id,propensity,policy_version,user_id\n"
COLUMNS = {name: name for name in HEADER.strip().split(",")}
NIGHT = Watermark(date(2026, 1, 10))

Write = Callable[..., SourceFile]
Load = Callable[..., LoadedFile]
Connection = duckdb.DuckDBPyConnection


def line(key: str, day: int = 10, item: str = "shoe") -> str:
    return f"{key},2026-01-{day:02}T10:00:00Z,s1,home,1,{item},0.5,v1,ann\n"


def load_late(
    warehouse: Connection, file: SourceFile, watermark: Watermark = NIGHT, share: float = 1.0
) -> LoadedFile:
    return load_file(
        warehouse,
        file,
        pseudonym_sql="'key of ' || user_id",
        key_id="k1",
        max_rejected_share=share,
        watermark=watermark,
        say=say,
    )


def notes(warehouse: Connection) -> list[tuple[str, str]]:
    rows = data_quality(warehouse, "night", say, say_rule).filter(n_rejected=0).rows(named=True)
    return [(r["rule"], r["reason"]) for r in rows if r["reason_codes"] not in OF_WHOLE_FILES]


def staged(warehouse: Connection, as_of: date = date(2026, 1, 31)) -> list[tuple[str, str]]:
    warehouse.execute(f"SET VARIABLE as_of = DATE '{as_of.isoformat()}'")
    for model in read_models():
        if model.name.startswith("stg_"):
            warehouse.execute(f"CREATE OR REPLACE TABLE {model.name} AS {model.query}")
    return warehouse.execute("SELECT impression_id, item_id FROM stg_impressions ORDER BY 1").fetchall()


def test_rows_of_the_last_three_closed_days_are_taken_and_older_ones_are_not(
    warehouse: Connection, source_file: Write
) -> None:
    content = HEADER + "".join(line(f"i{day}", day) for day in (7, 8, 9, 10, 11))

    loaded = load_late(warehouse, source_file(content, columns=COLUMNS))

    assert loaded.late_dates == (date(2026, 1, 8), date(2026, 1, 9), date(2026, 1, 10))
    assert (loaded.n_loaded, loaded.n_rejected) == (4, 1)
    [(number, reason)] = rejected_lines(warehouse)
    [(rule,)] = warehouse.execute("SELECT rule FROM rejected_lines").fetchall()
    assert number == 2
    assert say_rule(one_from_json(rule)) == "shown_at must not lie before the 3 last closed days"
    assert reason == (
        "shown_at comes too late: the days before 2026-01-08 were closed by the night of 2026-01-10"
    )
    assert notes(warehouse) == [
        ("late rows", "rows of 2026-01-08, 2026-01-09, 2026-01-10 came after the night of 2026-01-10")
    ]


def test_how_long_days_stay_open_is_a_setting(warehouse: Connection, source_file: Write) -> None:
    content = HEADER + line("i5", 5) + line("i9", 9)

    assert (
        load_late(warehouse, source_file(content, columns=COLUMNS), Watermark(date(2026, 1, 10), 6)).n_loaded
        == 2
    )


def test_a_file_of_closed_days_alone_is_refused_with_the_reason(
    warehouse: Connection, source_file: Write
) -> None:
    file = source_file(HEADER + line("i1", 1) + line("i2", 2), columns=COLUMNS)

    with pytest.raises(InputDataError, match=r"2 of 2 lines are bad.*the days before 2026-01-08 were closed"):
        load_late(warehouse, file, share=0.1)


def test_a_file_that_comes_again_may_correct_closed_days(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    load(source_file(HEADER + line("i1", 1), columns=COLUMNS))

    again = load_late(warehouse, source_file(HEADER + line("i1", 1) + line("i2", 2), columns=COLUMNS))

    assert (again.outcome, again.n_loaded) == ("replaced", 2)
    assert notes(warehouse) == [
        ("same name, other content", "the file holds 2 lines in place of the 1 that it held before")
    ]


def test_a_new_key_is_not_other_content(warehouse: Connection, source_file: Write, load: Load) -> None:
    file = source_file(HEADER + line("i1"), columns=COLUMNS)
    load(file)
    load(file, key_id="k2")

    assert notes(warehouse) == [("same file, read anew", "the mapping, the contract or the key has changed")]


def test_the_catalog_knows_no_late_rows(warehouse: Connection, source_file: Write) -> None:
    file = source_file("item_id\nshoe\n", "items", name="items.csv", columns={"item_id": "item_id"})

    assert load_late(warehouse, file).late_dates == ()


def test_columns_that_come_and_go_are_noted(warehouse: Connection, source_file: Write, load: Load) -> None:
    wide = HEADER.replace("user_id", "user_id,color")
    load(source_file(HEADER + line("i1"), columns=COLUMNS, name="1.csv"))
    load(source_file(wide + line("i2").replace("ann", "ann,red"), columns=COLUMNS, name="2.csv"))
    load(source_file("", columns=COLUMNS, name="3.csv"))
    load(source_file(wide + line("i3").replace("ann", "ann,red"), columns=COLUMNS, name="4.csv"))
    load(source_file(HEADER + line("i4"), columns=COLUMNS, name="5.csv"))

    assert notes(warehouse) == [
        ("new column", "the file has color; the file before it had not"),
        ("column gone", "the file has no color; the file before it had"),
    ]


def test_a_retyped_column_goes_to_quarantine_line_by_line(source_file: Write, load: Load) -> None:
    named = line("i1").replace(",1,", ",first,")

    loaded = load(source_file(HEADER + named * 3 + line("i2"), columns=COLUMNS))

    assert (loaded.n_loaded, loaded.n_rejected) == (1, 3)


def test_the_last_loaded_row_of_a_key_wins_inside_and_across_files(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    first = HEADER + line("a", item="old") + line("b") + line("a", item="newer")
    load(source_file(first, columns=COLUMNS, name="1.csv"))
    load(source_file(HEADER + line("a", item="newest") + line("c"), columns=COLUMNS, name="2.csv"))

    assert staged(warehouse) == [("a", "newest"), ("b", "shoe"), ("c", "shoe")]
    assert notes(warehouse) == [
        (
            "one row for each impression_id",
            "rows of impressions that gave way to a later row of 2.csv: 2, the first on line 2",
        )
    ]


def test_a_later_row_counts_from_its_own_day_on(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    content = HEADER + line("a", 10, "old") + line("a", 12, "new")
    load(source_file(content, columns=COLUMNS))

    assert staged(warehouse, date(2026, 1, 11)) == [("a", "old")]
    assert staged(warehouse, date(2026, 1, 12)) == [("a", "new")]


def test_the_order_of_lines_changes_no_staged_row(
    warehouse: Connection, source_file: Write, load: Load
) -> None:
    lines = [line(f"i{n}", 1 + n % 28) for n in range(200)]
    load(source_file(HEADER + "".join(lines), columns=COLUMNS))
    in_order = staged(warehouse)

    load(source_file(HEADER + "".join(sorted(lines, key=hash)), columns=COLUMNS))

    assert staged(warehouse) == in_order
