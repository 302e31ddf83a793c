"""What every source of logs obeys, whatever its files look like."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dataframely as dy
import duckdb
import polars as pl

from features.contracts.logs import KEYS, LOGS
from features.contracts.mapping import SourceFile
from features.deidentify import PseudonymKey, pseudonym, pseudonym_sql
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.store import open_store
from tests.laws.said_of_lines import rejected_lines

KEY = PseudonymKey(bytes(32))


@dataclass(frozen=True)
class SourceSample:
    """Tiny files in the form of a source.

    files: folder → what the source finds there.
    content: file → its text; every line of it is good.
    n_rows: rows that the sample leaves in each log.
    broken: file and its text with one bad line; said: the bad line's number and how its reason begins.
    user_ids: what nobody may find in the warehouse.
    """

    name: str
    files: Callable[[Path], tuple[SourceFile, ...]]
    content: Mapping[str, str | bytes]
    n_rows: Mapping[str, int]
    broken: tuple[str, str | bytes]
    said: tuple[int, str]
    user_ids: tuple[str, ...] = ()


def write(folder: Path, content: Mapping[str, str | bytes]) -> None:
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


@contextmanager
def loaded(
    folder: Path, files: tuple[SourceFile, ...], *, max_rejected_share: float = 1.0
) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[LoadedFile]]]:
    """Load files into a fresh warehouse beside them."""
    with open_store(folder / "warehouse" / "shop.duckdb") as warehouse:
        yield (
            warehouse,
            [
                load_file(
                    warehouse,
                    file,
                    pseudonym_sql=pseudonym_sql(KEY),
                    key_id=KEY.key_id,
                    max_rejected_share=max_rejected_share,
                )
                for file in files
            ],
        )


def rows(warehouse: duckdb.DuckDBPyConnection, log: str) -> pl.DataFrame:
    """Return a raw table under the names of its contract."""
    names = LOGS[log].column_names()
    stored = ", ".join(f'"{name}"' if name != "user_id" else "user_key AS user_id" for name in names)
    return warehouse.sql(f"SELECT {stored} FROM raw_{log} ORDER BY ALL").pl()


def named_rows(warehouse: duckdb.DuckDBPyConnection, log: str) -> list[dict[str, object]]:
    return rows(warehouse, log).to_dicts()


def good_lines_are_loaded_and_nothing_else(sample: SourceSample, folder: Path) -> None:
    write(folder, sample.content)
    with loaded(folder, sample.files(folder)) as (warehouse, files):
        assert all(file.n_rejected == 0 and file.n_loaded == file.n_lines > 0 for file in files)
        found = {log: rows(warehouse, log).height for log in LOGS}
    assert {log: n for log, n in found.items() if n} == sample.n_rows


def rows_keep_their_contract(sample: SourceSample, folder: Path) -> None:
    """SQL asked the rules on the way in; polars asks them again."""
    write(folder, sample.content)
    with loaded(folder, sample.files(folder)) as (warehouse, _):
        for log in sample.n_rows:
            schema: type[dy.Schema] = LOGS[log]
            frame = schema.validate(rows(warehouse, log), cast=True)
            assert frame.select(KEYS[log]).is_duplicated().sum() == 0, log


def a_broken_line_is_told_by_number_and_reason(sample: SourceSample, folder: Path) -> None:
    name, text = sample.broken
    line, reason = sample.said
    write(folder, {**sample.content, name: text})
    with loaded(folder, sample.files(folder)) as (warehouse, files):
        assert all(file.n_loaded + file.n_rejected == file.n_lines for file in files)
        assert {file.name: file.n_rejected for file in files if file.n_rejected} == {name: 1}
        [(found, why)] = rejected_lines(warehouse)
    assert (found, why[: len(reason)]) == (line, reason)


def nobody_is_stored_under_a_user_id(sample: SourceSample, folder: Path) -> None:
    write(folder, sample.content)
    with loaded(folder, sample.files(folder)) as (warehouse, _):
        stored = {
            value
            for log in sample.n_rows
            for row in rows(warehouse, log).iter_rows()
            for value in row
            if isinstance(value, str)
        }
    for user_id in sample.user_ids:
        assert not any(user_id in value for value in stored if len(value) != len(pseudonym(KEY, "")))
        assert pseudonym(KEY, user_id) in stored


def names_are_the_same_on_every_machine(sample: SourceSample, folder: Path) -> None:
    here, there = folder / "here", folder / "there"
    for place in (here, there):
        write(place, sample.content)
    described = [
        [(file.name, file.logs, file.required) for file in sample.files(place)] for place in (here, there)
    ]
    assert described[0] == described[1]


LAWS = (
    good_lines_are_loaded_and_nothing_else,
    rows_keep_their_contract,
    a_broken_line_is_told_by_number_and_reason,
    nobody_is_stored_under_a_user_id,
    names_are_the_same_on_every_machine,
)
