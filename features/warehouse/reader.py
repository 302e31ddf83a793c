"""A file as a query: its columns by name and its lines as rows, without a copy of it where it is plain text.

Lines that can't be read are not dropped: DuckDB lists the CSV lines that it rejected, and a JSONL line that
is not an object is a row marked as unreadable. `line_numbers` counts both.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache

import duckdb

from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.mapping import ELEMENT, ELEMENT_NUMBER, LINE, SourceFile
from features.contracts.sql_text import identifier, quoted
from features.errors import InputDataError
from features.machine_faults import machine_fault
from features.warehouse.census import Census, take_census
from features.warehouse.csv_header import csv_header
from features.warehouse.database_words import words_of
from features.warehouse.plain_copy import PlainCopy, plain_copy

# The tables of the CSV lines that the reader could not read.
REJECTS, REJECT_SCANS = "csv_rejects", "csv_reject_scans"

# The type that mappings are written for.
TEXT = "VARCHAR"

# DuckDB's exceptions when an expression of the mapping is wrong, or can't be computed for a line.
MAPPING_ERRORS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.ParserException,
)

# DuckDB stores rows in groups of 122,880 and joins the pieces of smaller buffers by copying them once more.
_LARGE_FILE_BYTES, _LARGE_BUFFER_BYTES = 1 << 27, 1 << 26
# The keys of a JSONL file are taken from this many lines: otherwise all lines would be read twice.
_KEY_LINES = 10_000
_JSONL = "delim='\x01', quote='', escape='', header=false"
_NO_COLUMNS = tuple(name.strip('"') for name in (LINE, ELEMENT, ELEMENT_NUMBER))


@dataclass(frozen=True)
class Column:
    """One column that a mapping reads: SQL expression over the scan, and DuckDB's name of its type."""

    source: str
    sql_type: str = TEXT


@dataclass(frozen=True)
class FileScan:
    """The scan of a file by SQL.

    relation: SQL after FROM; each of its rows is one line of the file, in order.
    columns: by name, those that some mapping reads.
    names: the column names of the file, as far as they are known.
    absent: optional names of the mapping that the file lacks.
    n_rows: expected number of rows and unreadable lines. n_lines: data lines, without header and empty ones.
    first_line: number of the line that the first row is.
    skipped: numbers of the empty lines that leave no row.
    line: SQL expression for the number of a row's line; None where it follows only from the row's position.
    is_data, is_readable: SQL conditions on a row: a line that counts, and one that can be read.
    content: SQL expression for a hash of the whole line, including columns that no mapping reads.
    copy: the plain text that is read in place of the file; it exists as long as this record.
    n_without_partner: lines without a match in the file that this one joins.
    """

    relation: str
    columns: dict[str, Column]
    names: tuple[str, ...]
    absent: tuple[str, ...]
    n_rows: int
    n_lines: int
    first_line: int
    skipped: tuple[int, ...] = ()
    line: str | None = None
    is_data: str = "true"
    is_readable: str = "true"
    content: str = "NULL"
    copy: PlainCopy | None = None
    n_without_partner: int = 0


def scan_file(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    census: Census,
    *,
    also_read: Collection[str] = (),
    asks_every_key: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> FileScan:
    """Return how to read a file that is not empty; of plain text nothing but the header is read here.

    also_read: columns, in lower case, besides those that the mappings mention.
    asks_every_key: read all of a JSONL file for its keys, instead of its first lines.
    limits: of the length of lines.

    Raises InputDataError when a required column is missing or a name occurs twice, or when the text is of
    another encoding.
    """
    if file.file_format != "parquet" and (copy := plain_copy(connection, file.path, file.encoding)):
        plain = replace(file, path=copy.path, encoding=None)
        scan = scan_file(
            connection,
            plain,
            take_census(copy.path, limits=limits),
            also_read=also_read,
            asks_every_key=asks_every_key,
            limits=limits,
        )
        return replace(scan, copy=copy)
    mentioned = mentioned_names(file) | frozenset(also_read)
    match file.file_format:
        case "csv":
            return _scan_csv(file, census, mentioned, limits)
        case "jsonl":
            n_key_lines = None if asks_every_key else _KEY_LINES
            return _scan_jsonl(connection, file, census, mentioned, n_key_lines=n_key_lines, limits=limits)
        case "parquet":
            return _scan_parquet(connection, file, mentioned)


def mentioned_names(file: SourceFile) -> frozenset[str]:
    """Return the column names in the mappings of a file, in lower case, since DuckDB ignores case."""
    expressions = {
        f"({expression})"
        for mapping in file.logs
        for expression in (*mapping.columns.values(), mapping.where, mapping.elements)
        if expression
    }
    return _names_in(f"SELECT {', '.join(sorted(expressions))}")


@cache
def _names_in(query: str) -> frozenset[str]:
    """Return the names in every node of the parsed query that refers to a column, however deep.

    A query that is not SQL refers to none, and fails when it is used.
    """
    with duckdb.connect() as parser:
        found = parser.execute(
            """
            SELECT DISTINCT lower(name ->> '$')
            FROM (SELECT unnest(json_extract(json_serialize_sql(?::VARCHAR), '$..column_names[*]')) AS name)
            """,
            [query],
        )
        return frozenset(name for (name,) in found.fetchall())


@contextmanager
def blame_file(said: str, kinds: tuple[type[duckdb.Error], ...] = (duckdb.Error,)) -> Iterator[None]:
    """Raise DuckDB's errors inside the block as an InputDataError that begins with `said`.

    A fault of the machine is not blamed on the file. What DuckDB quotes of a line is left out.
    """
    try:
        yield
    except kinds as error:
        if fault := machine_fault(error):
            raise fault from error
        # without the cause: a trace of it would quote the line
        raise InputDataError(f"{said}: {words_of(error)}") from None


def _scan_csv(file: SourceFile, census: Census, mentioned: frozenset[str], limits: Limits) -> FileScan:
    header, n_above = csv_header(file)
    _require(file, header)
    if census.has_mixed_newlines:
        raise InputDataError(
            f"{file.name} ends some lines with a carriage return and others without, or has one inside a "
            "line; export it with one kind of line end."
        )
    # The columns option is positional, so the names go in as the file's own header has them.
    types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    dialect = f"delim={quoted(file.delimiter)}, quote='\"', escape='\"', header=true, skip={n_above}"
    first_line = n_above + 2
    # DuckDB skips empty lines, except where they could be the empty value of a single column.
    skipped = tuple(line for line in census.empty_lines if len(header) > 1 and line >= first_line)
    n_lines = census.n_lines - n_above - 1 - len(skipped)
    return FileScan(
        relation=_read_csv(file, f"{{{types}}}", dialect + _sizes(census, limits)),
        columns=_columns(file, {name: Column(identifier(name)) for name in _read(header, mentioned)}),
        names=header,
        absent=_absent(file, header),
        n_rows=n_lines,
        n_lines=n_lines,
        first_line=first_line,
        skipped=skipped,
        content=_hash(header),
    )


def _scan_jsonl(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    census: Census,
    mentioned: frozenset[str],
    *,
    n_key_lines: int | None,
    limits: Limits,
) -> FileScan:
    dialect = _JSONL + _sizes(census, limits)
    names = _keys(connection, file, n_key_lines, dialect)
    if n_key_lines and file.required - set(names):
        names = _keys(connection, file, None, dialect)
    n_lines = census.n_lines - len(census.empty_lines)
    if n_lines:
        _require(file, names)
    # Only the first lines were read for keys, so the mapping names the keys to read.
    declared = tuple(dict.fromkeys((*names, *sorted(file.required | file.optional))))
    undeclared = mentioned - {name.lower() for name in (*declared, *_NO_COLUMNS)}
    wanted = (*_read(declared or ("json",), mentioned), *sorted(undeclared))
    pointers = ", ".join(quoted(_pointer(name)) for name in wanted)
    lines = _read_csv(file, "{'json': 'VARCHAR'}", dialect)
    return FileScan(
        # A list of paths is looked up in one go; path by path, every line would be parsed as often.
        relation=f"(SELECT json, TRY(json_extract_string(json, [{pointers}])) AS fields FROM {lines})",
        columns={name: Column(f"fields[{place}]") for place, name in enumerate(wanted, start=1)},
        names=names,
        absent=_absent(file, names) if n_lines <= _KEY_LINES else (),
        n_rows=census.n_lines,
        n_lines=n_lines,
        first_line=1,
        is_data="json IS NOT NULL",
        is_readable="fields IS NOT NULL AND starts_with(ltrim(json, e' \\t'), '{')",
        content="hash(json)",
    )


def _keys(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, n_lines: int | None, dialect: str
) -> tuple[str, ...]:
    """Return the keys of the first lines, or of all; a broken line has none, and is counted later."""
    lines = _read_csv(file, "{'json': 'VARCHAR'}", dialect, keep_rejects=False)
    limit = f"LIMIT {n_lines}" if n_lines else ""
    found = connection.execute(
        "SELECT DISTINCT unnest(TRY(json_keys(json))) AS key "
        f"FROM (SELECT json FROM {lines} {limit}) ORDER BY key"
    )
    return tuple(key for (key,) in found.fetchall())


def _scan_parquet(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, mentioned: frozenset[str]
) -> FileScan:
    source = f"read_parquet({quoted(str(file.path))})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    types = {str(name): str(sql_type) for name, sql_type, *_ in described}
    _require(file, tuple(types))
    [(n_lines,)] = connection.execute(f"SELECT count(*) FROM {source}").fetchall()
    read = {name: Column(identifier(name), types[name]) for name in _read(tuple(types), mentioned)}
    return FileScan(
        relation=f"read_parquet({quoted(str(file.path))}, file_row_number=true)",
        columns=_columns(file, read),
        names=tuple(types),
        absent=_absent(file, tuple(types)),
        n_rows=n_lines,
        n_lines=n_lines,
        first_line=1,
        line="file_row_number + 1",
        content=_hash(types),
    )


def _hash(names: Iterable[str]) -> str:
    return f"hash({', '.join(identifier(name) for name in names)})"


def _sizes(census: Census, limits: Limits) -> str:
    """Return the options for the length of lines and of the buffer, which holds some of the longest ones."""
    line = f", max_line_size={limits.max_line_bytes}"
    return line + (f", buffer_size={_LARGE_BUFFER_BYTES}" if census.n_bytes > _LARGE_FILE_BYTES else "")


def _read_csv(file: SourceFile, columns: str, dialect: str, *, keep_rejects: bool = True) -> str:
    rejects = f"store_rejects=true, rejects_table={quoted(REJECTS)}, rejects_scan={quoted(REJECT_SCANS)}"
    return (
        f"read_csv({quoted(str(file.path))}, columns={columns}, {dialect}, auto_detect=false, "
        f"{rejects if keep_rejects else 'ignore_errors=true'})"
    )


def _columns(file: SourceFile, read: dict[str, Column]) -> dict[str, Column]:
    """Add the columns that the file may lack and lacks."""
    return read | {name: Column("CAST(NULL AS VARCHAR)") for name in _absent(file, read)}


def _absent(file: SourceFile, names: Iterable[str]) -> tuple[str, ...]:
    have = {name.lower() for name in names}
    return tuple(name for name in sorted(file.optional) if name.lower() not in have)


def _require(file: SourceFile, found: tuple[str, ...]) -> None:
    missing = sorted(file.required - set(found))
    if missing:
        raise InputDataError(
            f"{file.name} lacks the columns {', '.join(missing)}; it has {some_names(found)}. "
            "Export it with its header, or correct the mapping."
        )
    # DuckDB ignores case in names.
    lowered = [name.lower() for name in found]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise InputDataError(f"{file.name} has more than one column called {', '.join(twice)}.")


def some_names(names: Collection[str], limit: int = 15) -> str:
    """Return the first names of a list for a sentence, and how many there are besides."""
    shown = ", ".join(list(names)[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown or "no columns"


def _read(names: tuple[str, ...], mentioned: frozenset[str]) -> tuple[str, ...]:
    """Return the columns that some mapping reads; at least one, because a query needs one."""
    return tuple(name for name in names if name.lower() in mentioned) or names[:1]


def _pointer(key: str) -> str:
    """Return the JSON pointer of a key (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
