"""A trial of a mapping on the first lines of its files, by the code that loads them at night."""

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dataframely as dy
import duckdb
import polars as pl

from features.contracts.findings import Finding, from_json
from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.logs import LOGS
from features.contracts.mapping import SourceFile
from features.deidentify import PseudonymKey, pseudonym_sql
from features.deidentify.stored import stored_sql
from features.errors import InputDataError, UsageError
from features.sources import declared
from features.sources.blanks import BLANK, blanks
from features.sources.file_tables import parse_file_tables
from features.text_files import text_chunks
from features.warehouse.load import load_file
from features.warehouse.plausible_times import FIRST_DAY
from features.warehouse.store import STORED_AS, open_store
from reports.wording.sentences import say

N_LINES = 1000

# These lines are smaller; a longer text has no line ends, and the load says so.
_MOST_BYTES = 1 << 26

# Blanks without which no line can be read: any stand-in would show losses that are not real.
_NEEDED = {"time_format", "delimiter", "encoding", "currency_sign"}


@dataclass(frozen=True)
class ColumnTrial:
    """The result of a trial for one column of a log.

    n_filled, n_empty: rows with a value and without one.
    n_refused: lines that were refused because of this column.
    lowest, highest: of times and numbers; for a flag, `lowest` is the number of true values. None for texts.
    is_blank: the draft leaves it to be filled in, and a stand-in was loaded.
    """

    log: str
    column: str
    n_filled: int
    n_empty: int
    n_refused: int
    lowest: str | None
    highest: str | None
    is_blank: bool


@dataclass(frozen=True)
class FileTrial:
    """The result of a trial for the first lines of one file.

    refusal: why the file can't be loaded at all; empty where it can.
    refused: a finding for each rule that lines were refused by, the most frequent first.
    n_more: files of the same table that were not tried.
    """

    name: str
    n_lines: int
    n_loaded: int
    columns: tuple[ColumnTrial, ...]
    refused: tuple[Finding, ...]
    refusal: str = ""
    n_more: int = 0


@dataclass(frozen=True)
class TrialTerms:
    """The settings of a shop that decide which lines are refused, as in `load_file`."""

    first_day: date = FIRST_DAY
    limits: Limits = DEFAULT_LIMITS


def trial_load(
    logs: Path, tables: Sequence[Mapping[str, Any]], terms: TrialTerms = TrialTerms()
) -> Iterator[FileTrial]:
    """Load the first N_LINES lines of each file into a temporary warehouse, and yield the results.

    logs: folder of the logs. tables: `[[files]]` of a configuration; blanks get a stand-in where possible.
    """
    for number, table in enumerate(tables):
        left = [key.rpartition(".")[2] for key, _ in blanks([table])]
        if needed := _NEEDED.intersection(left):
            yield FileTrial(
                str(table.get("path")),
                0,
                0,
                (),
                (),
                f"not tried before {', '.join(sorted(needed))} is filled in",
            )
            continue
        unfilled = frozenset(key.partition(".")[2] for key, _ in blanks([table]))
        try:
            files = declared.files(logs, parse_file_tables([_with_stand_ins(table)]))
        except (UsageError, InputDataError) as error:
            yield FileTrial(str(table.get("path")), 0, 0, (), (), str(error))
            continue
        with TemporaryDirectory(prefix="metacart-trial-") as folder:
            tried = _tried(files[0], Path(folder) / f"{number}", unfilled, terms)
            yield replace(tried, n_more=len(files) - 1)


def _tried(file: SourceFile, folder: Path, unfilled: frozenset[str], terms: TrialTerms) -> FileTrial:
    folder.mkdir()
    key = PseudonymKey(secrets.token_bytes(32))
    try:
        short = _first_lines(file, folder)
        with open_store(folder / "trial.duckdb") as connection:
            loaded = load_file(
                connection,
                short,
                pseudonym_sql=pseudonym_sql(key),
                key_id=key.key_id,
                max_rejected_share=1.0,
                first_day=terms.first_day,
                limits=terms.limits,
                stored_value=stored_sql,
                say=say,
            )
            columns = tuple(_columns(connection, short, _n_refused(connection), unfilled))
            refused = tuple(_refused(connection, file.name))
    except InputDataError as error:
        return FileTrial(file.name, 0, 0, (), (), str(error))
    return FileTrial(file.name, loaded.n_lines, loaded.n_loaded, columns, refused)


def _first_lines(file: SourceFile, folder: Path) -> SourceFile:
    """Write the first lines of a file next to the trial's warehouse."""
    path = folder / f"lines.{file.file_format}"
    if file.file_format == "parquet":
        pl.scan_parquet(file.path).head(N_LINES).collect().write_parquet(path)
        return replace(file, path=path)
    n_lines = N_LINES + (file.skip_lines + 1 if file.file_format == "csv" else 0)
    text, n_newlines = bytearray(), 0
    for chunk in text_chunks(file.path, file.encoding):
        text += chunk
        n_newlines += chunk.count(b"\n")
        if n_newlines > n_lines or len(text) > _MOST_BYTES:
            break
    lines = text.split(b"\n")
    path.write_bytes(b"\n".join(lines[:n_lines]) + (b"\n" if len(lines) > n_lines else b""))
    return replace(file, path=path, encoding=None)


def _refused(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[Finding]:
    """Yield the lines that each rule refuses, with the first one, the most frequent rule first."""
    found = connection.execute(
        "SELECT count(*) AS n_lines, min(line), arg_min(findings, line) FROM rejected_lines "
        "GROUP BY rule ORDER BY n_lines DESC, min(line)"
    ).fetchall()
    for n_lines, line, findings in found:
        first = Finding("first_rejected_line", name, {"line": line}, from_json(findings))
        yield Finding("lines_refused", name, {"n_lines": n_lines}, (first,))


def _n_refused(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return column → number of lines refused because of it."""
    found = connection.execute("SELECT findings FROM rejected_lines").fetchall()
    return Counter(from_json(findings)[0].subject for (findings,) in found)


def _columns(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    refused: Mapping[str, int],
    unfilled: frozenset[str],
) -> Iterator[ColumnTrial]:
    counted: set[str] = set()
    for mapping in file.logs:
        for name, kind in LOGS[mapping.log].columns().items():
            stored = f'"{STORED_AS.get(name, name)}"'
            [(n_rows, n_filled, lowest, highest)] = connection.execute(
                f"SELECT count(*), count({stored}), {_range(stored, kind)} FROM raw_{mapping.log}"
            ).fetchall()
            is_blank = any(key.startswith(f"{mapping.log}.") and key.endswith(f".{name}") for key in unfilled)
            # A line that is refused for both logs of a file counts once.
            n_refused = 0 if name in counted or name not in mapping.columns else refused.get(name, 0)
            counted.add(name)
            if name in mapping.columns or is_blank or (name == "price_cents" and mapping.log == "purchases"):
                yield ColumnTrial(
                    mapping.log, name, n_filled, n_rows - n_filled, n_refused, lowest, highest, is_blank
                )


def _range(stored: str, kind: dy.Column) -> str:
    match kind:
        case dy.Bool():
            return f"CAST(count(*) FILTER ({stored}) AS VARCHAR), NULL"
        case dy.Datetime():
            return ", ".join(f"strftime({least}({stored}), '%Y-%m-%d %H:%M')" for least in ("min", "max"))
        case dy.Date() | dy.Int64() | dy.Float64():
            return f"CAST(min({stored}) AS VARCHAR), CAST(max({stored}) AS VARCHAR)"
        case _:
            return f"CAST(count(DISTINCT {stored}) AS VARCHAR), NULL"


def _with_stand_ins(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table with something in each blank, so that all its other columns can be tried."""
    filled: dict[str, Any] = deepcopy(dict(table))
    if BLANK in (filled.get("decimal"), filled.get("thousands")):
        filled |= {"decimal": "."}
        filled.pop("thousands", None)
    for log in filled.keys() & LOGS.keys():
        constants = filled[log].setdefault("constants", {})
        for part in ("columns", "constants", "expressions", "ids", "units"):
            values = filled[log].get(part, {})
            for name in [name for name, value in values.items() if value in (BLANK, [BLANK])]:
                del values[name]
                kind = LOGS[log].columns()[name]
                if part == "ids":
                    values[name] = "row number"
                elif not kind.nullable:
                    constants[name] = _stand_in(kind)
        units = filled[log].get("units", {})
        read = filled[log].get("columns", {}).keys() | filled[log].get("expressions", {}).keys()
        for name in [name for name in units if name not in read]:
            del units[name]
    return filled


def _stand_in(kind: dy.Column) -> str | int | bool:
    match kind:
        case dy.Enum():
            return str(kind.categories[0])
        case dy.Int64() | dy.Float64():
            return 1
        case dy.Bool():
            return False
        case dy.Datetime():
            return "2000-01-01T00:00:00Z"
        case dy.Date():
            return "2000-01-01"
        case _:
            return "blank"
