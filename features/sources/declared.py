"""A shop's own files, as its configuration declares them."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dataframely as dy

from features.contracts.logs import LOGS
from features.contracts.mapping import ELEMENT_NUMBER, LINE, JoinedFile, LogMapping, SourceFile
from features.contracts.sql_text import quoted
from features.errors import InputDataError, UsageError
from features.sources.file_tables import FileTable, LogTable
from features.sources.folder import log_files, refuse_link
from features.sources.local_time import EPOCHS, day, plain_iso, utc_time
from features.sources.money import cents, unmistakable_cents
from features.sources.operands import Expression


def files(folder: Path, tables: Sequence[FileTable], *, until: date | None = None) -> tuple[SourceFile, ...]:  # noqa: ARG001
    """Return the files that the tables match, in the order of tables and then of names.

    tables: from `parse_file_tables`.
    until: part of every adapter's signature; it leaves out no file, because the names of a shop's files don't
        show their days. The warehouse leaves out rows after the night's date.

    Raises InputDataError when a table matches no file, or the file that it joins does not exist, or is a
    folder; UsageError
    when there is no table, a file is outside of the folder, two tables match it (one table with both logs is
    needed), or a table matches the file that it joins.
    """
    if not tables:
        raise UsageError(
            "The configuration has no [[files]] table that describes the shop's files; "
            "`metacart init --from FILE` proposes one."
        )
    found: dict[Path, SourceFile] = {}
    for table in tables:
        paths = log_files(folder, table.path)
        if not paths:
            raise InputDataError(
                f"No file matches {table.path} in {folder}. Export it, or remove its [[files]] table from "
                "the configuration: a log may be missing."
            )
        join = _joined_file(folder, table)
        for path in paths:
            if path in found:
                raise UsageError(
                    f"Two [[files]] tables match {path}. Describe all logs of a file in one table."
                )
            if join and path == join.file.path:
                raise UsageError(
                    f"{table.path} matches {join.file.name}, which its own table joins. Choose a path that "
                    "leaves it out."
                )
            found[path] = _source_file(path, path.relative_to(folder).as_posix(), table, join)
    return tuple(found.values())


def unread_files(folder: Path, read: Sequence[SourceFile]) -> tuple[str, ...]:
    """Return the files whose names differ only in digits from those of files that are read, by name.

    Such a file is tomorrow's, or next month's, that the pattern of a `[[files]]` table does not fit. Without
    a word of it, a log would end with the month.

    read: the files of the shop, of this folder.
    """
    known = {file.path for file in read} | {file.join.file.path for file in read if file.join}
    kinds = {_without_digits(path) for path in known}
    alike = (path for path in folder.rglob("*") if _without_digits(path) in kinds and path not in known)
    return tuple(sorted(path.relative_to(folder).as_posix() for path in alike if path.is_file()))


def _without_digits(path: Path) -> str:
    return re.sub(r"\d+", "0", str(path))


def _joined_file(folder: Path, table: FileTable) -> JoinedFile | None:
    if table.join is None:
        return None
    form = table.join.form
    path = folder / form.path
    if not path.is_file():
        raise InputDataError(
            f"There is no file {form.path} in {folder}, which {table.path} joins. Export it, or remove join "
            "from the [[files]] table."
        )
    refuse_link(path, folder)
    file = SourceFile(
        path=path,
        name=path.relative_to(folder).as_posix(),
        file_format=form.file_format,
        required=frozenset(theirs for _, theirs in table.join.on),
        logs=(),
        delimiter=form.delimiter,
        source=form.path,
        encoding=form.encoding,
        skip_lines=form.skip_lines,
    )
    return JoinedFile(file, table.join.on, table.join.prefix, table.null_values, table.is_trimmed)


def _source_file(path: Path, name: str, table: FileTable, join: JoinedFile | None) -> SourceFile:
    read, needed = frozenset[str](), frozenset[str]()
    for log in table.logs:
        columns = LOGS[log.log].columns()
        conditions = frozenset[str]().union(*(said.columns for said in (log.where, log.elements) if said))
        read |= log.columns_behind(columns) | conditions
        needed |= log.columns_behind([name for name in columns if not columns[name].nullable]) | conditions
    # JSONL writes no key for a null, so an optional column may be missing for a night. In other formats a
    # missing column is a change of the export, or an error in the configuration.
    optional = table.optional | (read - needed if table.file_format == "jsonl" else frozenset())
    return SourceFile(
        path=path,
        name=name,
        file_format=table.file_format,
        required=read - optional,
        logs=tuple(_mapping(name, log, table) for log in table.logs),
        optional=optional & read,
        delimiter=table.delimiter,
        source=table.path,
        is_part=table.is_part,
        encoding=table.encoding,
        skip_lines=table.skip_lines,
        join=join,
    )


def _mapping(name: str, log: LogTable, table: FileTable) -> LogMapping:
    kinds = LOGS[log.log].columns()
    columns = (
        {column: quoted(text) for column, text in log.constants.items()}
        | {
            column: _id(name, kinds[column], parts, in_list=log.elements is not None)
            for column, parts in log.ids.items()
        }
        | {
            column: _value(kinds[column], read, log.units.get(column), table)
            for column, read in log.reads.items()
        }
    )
    return LogMapping(
        log=log.log,
        columns={column: columns[column] for column in kinds if column in columns},
        where=log.where.sql if log.where else None,
        elements=_elements(log.elements) if log.elements else None,
        one_row_per_key=log.one_row_per_key,
        adds_identical_lines=log.adds_identical_lines,
    )


def _value(kind: dy.Column, read: Expression, unit: str | None, table: FileTable) -> str:
    # Whether a quoted empty field is null depends on the format; a mapping shouldn't.
    said = f"nullif({read.as_text().sql}, '')"
    match kind:
        case dy.Datetime():
            if table.formats != {"parquet"} and not table.time_formats:
                said = plain_iso(said)
            return utc_time(said, time_zone=table.time_zone, formats=table.time_formats)
        case dy.Date():
            return day(said, formats=[pattern for pattern in table.time_formats if pattern not in EPOCHS])
        case dy.Int64() | dy.Float64():
            return _number(kind, read, unit, table)
        case _:
            return said


def _number(kind: dy.Column, read: Expression, unit: str | None, table: FileTable) -> str:
    said = f"nullif({read.as_text().sql}, '')"
    form = table.number_form
    # A result of arithmetic, and a number of Parquet, is written as the database writes it.
    as_written = read.kind == "text" and table.formats != {"parquet"}
    if form is not None and as_written:
        is_share = (kind.metadata or {}).get("unit") in {"share", "probability"}
        number = form.sql(said, is_share=is_share)
        return cents(f"({number})", unit) if unit else number
    if unit == "currency" and as_written and "csv" in table.formats:
        return unmistakable_cents(said, unit)
    return cents(said, unit) if unit else said


def _elements(said: Expression) -> str:
    """Return the SQL of a JSON list; an empty one for an empty value, null for a value that is not a list."""
    text = said.as_text().sql
    is_list = f"json_valid({text}) AND json_type({text}) = 'ARRAY'"
    return (
        f"CASE WHEN coalesce({text}, '') IN ('', 'null') THEN CAST([] AS JSON[]) "
        f"WHEN {is_list} THEN CAST({text} AS JSON[]) END"
    )


def _id(name: str, kind: dy.Column, parts: tuple[Expression, ...], *, in_list: bool) -> str:
    """Return the SQL of an id: the row's number in its file, or several columns joined without ambiguity.

    As a JSON array ("a", "bc") differs from ("ab", "c"); and where one part is missing, so is the id.
    """
    if not parts:
        line, element = (f"CAST({number} AS VARCHAR)" for number in (LINE, ELEMENT_NUMBER))
        if isinstance(kind, dy.Int64):
            return element if in_list else line
        number = f"{line} || ':' || {element}" if in_list else line
        return f"{quoted(name + ':')} || {number}"
    columns = [f"nullif({part.sql}, '')" for part in parts]
    whole = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return f"CASE WHEN {whole} THEN CAST(json_array({', '.join(columns)}) AS VARCHAR) END"
