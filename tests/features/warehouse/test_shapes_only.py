"""A broken line leaves the shapes of its values, and no text of it: any column may be shifted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts.logs import LOGS
from features.contracts.mapping import LogMapping, SourceFile
from features.deidentify.stored import stored_sql
from features.errors import InputDataError
from features.warehouse.byte_search import holds_text
from features.warehouse.load import load_file
from features.warehouse.quality import data_quality
from features.warehouse.store import open_store
from flows.commands.printed_quality import quality_lines
from reports.wording.sentences import say, say_rule
from tests.features.warehouse.good_lines import GOOD_LINES

BREAKS = {"users": "signup_at", "items": "price_cents", "ad_spend_daily": "date"}
"""Log → a column that a text breaks; `slot`, a time or a number elsewhere."""

letters = st.text(alphabet="qxzjkw", min_size=4, max_size=8)
digits = st.text(alphabet="3789", min_size=4, max_size=7)
personal_texts = st.one_of(
    st.builds(lambda name, house: f"{name}@{house}.example", letters, letters),
    st.builds(lambda area, number: f"+49 {area} {number}", digits, digits),
    st.builds(lambda area, number: f"0{area}{number}", digits, digits),
    st.builds(lambda name, number: f"{name}-{number}", letters, digits),
    digits,
)
places = st.sampled_from([(log, name) for log in GOOD_LINES for name in LOGS[log].column_names()])


def pieces(text: str) -> set[str]:
    """Return the parts of a text of four characters, without those that any page may hold."""
    kept = re.sub(r"example|\+49 ", "\n", text)
    return {part for part in (kept[at : at + 4] for at in range(len(kept) - 3)) if "\n" not in part}


def breaking(log: str) -> str:
    return BREAKS.get(log) or next(
        name for name in LOGS[log].column_names() if name in ("shown_at", "occurred_at", "ordered_at")
    )


@contextmanager
def shop(log: str, column: str, text: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, SourceFile, Path]]:
    """A warehouse, and a file with a good line and one that is broken and has the text in a column."""
    names = LOGS[log].column_names()
    line = dict(zip(names, GOOD_LINES[log].split(","), strict=True))
    broken = line | {breaking(log): "soon"} | {column: text}
    rows = [",".join(f'"{value}"' for value in row.values()) for row in (line, broken)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "day.csv"
        path.write_text("\n".join([",".join(names), *rows, ""]))
        mapping = LogMapping(log, {name: f'"{name}"' for name in names})
        store = Path(folder) / "warehouse" / "shop.duckdb"
        with open_store(store) as warehouse:
            yield warehouse, SourceFile(path, path.name, "csv", frozenset(names), (mapping,)), store


def load(warehouse: duckdb.DuckDBPyConnection, file: SourceFile, share: float) -> int:
    return load_file(
        warehouse,
        file,
        pseudonym_sql="'key of ' || user_id",
        key_id="k",
        max_rejected_share=share,
        stored_value=stored_sql,
        say=say,
    ).n_rejected


def test_the_lines_are_good_but_for_what_a_test_puts_into_them() -> None:
    for log in GOOD_LINES:
        with shop(
            log, breaking(log), GOOD_LINES[log].split(",")[LOGS[log].column_names().index(breaking(log))]
        ) as (
            warehouse,
            file,
            _,
        ):
            assert load(warehouse, file, 0.0) == 0, log


@settings(max_examples=20, deadline=None)
@given(place=places, text=personal_texts)
def test_no_piece_of_a_personal_text_is_kept_or_said(place: tuple[str, str], text: str) -> None:
    with shop(*place, text) as (warehouse, file, store):
        try:
            refusal = f"{load(warehouse, file, 0.0)} lines"
        except InputDataError as error:
            refusal = str(error)
        n_rejected = load(warehouse, file, 1.0)
        quality = data_quality(warehouse, "night", say, say_rule)
        kept = warehouse.execute("SELECT rule, findings, example FROM rejected_lines").fetchall()
        warehouse.execute("CHECKPOINT")
        said = "\n".join([refusal, quality.write_csv(), str(kept), *quality_lines(quality)])

        # the good line holds no part of the text, and a text that is a good value breaks nothing
        assert n_rejected == 1 or place[1] == breaking(place[0])
        assert [piece for piece in pieces(text) if n_rejected and piece in said] == []
        assert not (n_rejected and len(text) > 9 and holds_text(store, text))


@pytest.mark.parametrize(
    "text", ["ann@example.org", "0171 2345678", "491701234567", 'it\'s "ann"', "a\nb@x.de", "\ue000ann"]
)
def test_what_the_database_quotes_of_a_line_is_left_out_of_its_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text(
        '{"sku": "shoe", "price": '
        + f"{duckdb.execute('SELECT to_json(?)', [text]).fetchall()[0][0]}"
        + "}\n"
    )
    columns = {"item_id": "sku", "price_cents": "CAST(price AS SMALLINT)"}
    file = SourceFile(path, path.name, "jsonl", frozenset(), (LogMapping("items", columns),))

    with (
        open_store(tmp_path / "w" / "shop.duckdb") as warehouse,
        pytest.raises(InputDataError, match="does not fit its mapping") as caught,
    ):
        load(warehouse, file, 1.0)

    assert (
        "ann" not in str(caught.value) and "2345" not in str(caught.value) and "x.de" not in str(caught.value)
    )
    assert caught.value.__cause__ is None
