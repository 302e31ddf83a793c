"""The file of ids in the forms that programs write, and the column that has them."""

import gzip
from pathlib import Path

import duckdb
import polars as pl
import pytest

from features.contracts.limits import DEFAULT_LIMITS
from features.errors import InputDataError, UsageError
from flows.links.id_file import ReadLines, id_file, read_ids

IDS = ["ann", "Zo\u00eb", "a;b", "o,h"]
CSV = 'user_id,land\nann,de\nZo\u00eb,de\na;b,at\n"o,h",at\n'


def ids_of(path: Path, column: str | None = None) -> tuple[list[str], ReadLines]:
    with duckdb.connect(config={"temp_directory": str(path.parent / "spilled")}) as connection:
        lines = read_ids(connection, id_file(path, column), DEFAULT_LIMITS)
        found = connection.execute("SELECT user_id FROM id_lines").fetchall()
    return [user_id for (user_id,) in found], lines


def as_utf_8(folder: Path) -> Path:
    path = folder / "ids.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def with_a_mark(folder: Path) -> Path:
    path = folder / "ids.csv"
    path.write_text(CSV, encoding="utf-8-sig")
    return path


def as_gzip(folder: Path) -> Path:
    path = folder / "ids.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode()))
    return path


def as_utf_16(folder: Path) -> Path:
    path = folder / "ids.csv"
    path.write_text(CSV, encoding="utf-16")
    return path


def as_code_page(folder: Path) -> Path:
    path = folder / "ids.txt"
    path.write_text(CSV, encoding="cp1252")
    return path


def with_semicolons(folder: Path) -> Path:
    path = folder / "ids.csv"
    path.write_text(
        'user_id;land\r\nann;de\r\nZo\u00eb;de\r\n"a;b";at\r\no,h;at\r\n', encoding="utf-8", newline=""
    )
    return path


def with_tabs(folder: Path) -> Path:
    path = folder / "ids.tsv"
    path.write_text("land\tuser_id\nde\tann\nde\tZo\u00eb\nat\ta;b\nat\to,h\n", encoding="utf-8")
    return path


def with_a_separator_line(folder: Path) -> Path:
    path = folder / "ids.csv"
    path.write_text("sep=|\nuser_id|land\nann|de\nZo\u00eb|de\na;b|at\no,h|at\n", encoding="utf-8")
    return path


def as_one_column(folder: Path) -> Path:
    path = folder / "ids.csv"
    path.write_text('visitor\nann\nZo\u00eb\na;b\n"o,h"\n', encoding="utf-8")
    return path


def as_json_lines(folder: Path) -> Path:
    path = folder / "ids.jsonl"
    pl.DataFrame({"land": ["de"] * 4, "user_id": IDS}).write_ndjson(path)
    return path


def as_parquet(folder: Path) -> Path:
    path = folder / "ids.parquet"
    pl.DataFrame({"land": ["de"] * 4, "user_id": IDS}).write_parquet(path)
    return path


@pytest.mark.parametrize(
    "form",
    [
        as_utf_8,
        with_a_mark,
        as_gzip,
        as_utf_16,
        as_code_page,
        with_semicolons,
        with_tabs,
        with_a_separator_line,
        as_one_column,
        as_json_lines,
        as_parquet,
    ],
)
def test_every_form_of_a_file_has_the_same_ids(form, tmp_path: Path) -> None:
    assert ids_of(form(tmp_path)) == (IDS, ReadLines(4, 0))


def test_ids_of_one_column_may_hold_any_separator(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("user_id\n" + "a;b;c\n" * 3)

    assert ids_of(path)[0] == ["a;b;c"] * 3


def test_numbers_are_the_texts_that_a_log_would_have(tmp_path: Path) -> None:
    path = tmp_path / "ids.parquet"
    pl.DataFrame({"whole": [17, 2**60], "double": [17.0, 0.5]}).write_parquet(path)

    assert ids_of(path, "whole")[0] == ["17", str(2**60)]
    assert ids_of(path, "double")[0] == ["17.0", "0.5"]


def test_lines_that_can_t_be_read_are_counted(tmp_path: Path) -> None:
    table, lines = tmp_path / "ids.csv", tmp_path / "ids.jsonl"
    table.write_text("user_id,land\nann,de\nben\n\nkim,at\n")
    lines.write_text('{"user_id": "ann"}\nben\n\n{"user_id": "kim"}\n')

    for path in (table, lines):
        found, counted = ids_of(path)
        assert [user_id for user_id in found if user_id] == ["ann", "kim"]
        assert counted == ReadLines(3, 1)


def test_a_missing_column_is_an_error_that_names_the_headings_there_are(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("kundennummer,who\nann,de\n")

    said = r"no column user_id; it has 2 columns, among them kundennummer\. .*--column"
    with pytest.raises(InputDataError, match=said):
        id_file(path, None)
    assert id_file(path, "who").column == "who"


def test_the_first_line_of_a_file_without_a_header_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("ann,de\nben,fr\n")

    with pytest.raises(InputDataError, match=r"it has 2 columns\. .*must be a header") as caught:
        id_file(path, None)
    assert "ann" not in str(caught.value)


def test_the_only_column_is_not_shown_where_it_may_be_an_id(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("u-1842\nu-1843\n")

    with pytest.raises(InputDataError, match="no column visitor") as raised:
        id_file(path, "visitor")
    assert "1842" not in str(raised.value)
    assert id_file(path, None).is_only_column


@pytest.mark.parametrize("first", ["17", "ann@example.com"])
def test_a_first_line_that_looks_like_an_id_is_not_a_header(first: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(f"{first}\n18\n")

    with pytest.raises(InputDataError, match="no header") as raised:
        id_file(path, None)
    assert "example" not in str(raised.value)


def test_unusable_files_are_refused_by_name(tmp_path: Path) -> None:
    empty, workbook, damaged = tmp_path / "ids.csv", tmp_path / "ids.xlsx", tmp_path / "ids.parquet"
    empty.write_text("")
    workbook.write_bytes(b"PK")
    damaged.write_bytes(b"PAR1 or not")

    with pytest.raises(InputDataError, match=r"ids\.csv is empty"):
        id_file(empty, None)
    with pytest.raises(UsageError, match=r"ids\.xlsx is not a known format"):
        id_file(workbook, None)
    with pytest.raises(InputDataError, match=r"ids\.parquet can't be read as parquet"):
        id_file(damaged, None)
    with pytest.raises(InputDataError, match="there is no file"):
        id_file(tmp_path / "nowhere.csv", None)
    with pytest.raises(InputDataError, match="there is no file"):
        id_file(tmp_path / "nowhere", None)
