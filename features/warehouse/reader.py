"""A file becomes a table of text, one row per line, with every line accounted for.

A reader leaves two temporary relations behind: `numbered_lines` (the file's columns as text, and
`LINE`) and `unreadable_lines` (line, rule, reason). Each data line of the file is in exactly one of them,
or the file is refused.
"""

import csv
import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.warehouse.census import Census, text_chunks

# A name that no shop's file has, so that it can't hide a column of the file.
LINE = '"line of the file"'

_TEMPORARY = (
    "file_lines",
    "json_lines",
    "unreadable_lines",
    "skipped_lines",
    "csv_rejects",
    "csv_reject_scans",
)
_HEADER_BYTES = 1 << 20

# What DuckDB calls an unreadable line, and what we tell the reader of the report.
_UNREADABLE = """
    CASE error_type
        WHEN 'MISSING COLUMNS' THEN 'a line has as many fields as the header'
        WHEN 'TOO MANY COLUMNS' THEN 'a line has as many fields as the header'
        WHEN 'UNQUOTED VALUE' THEN 'a field that opens with a quote closes with one'
        WHEN 'INVALID ENCODING' THEN 'text is UTF-8'
        WHEN 'LINE SIZE OVER MAXIMUM' THEN 'a line has at most two million bytes'
        ELSE 'a line is readable CSV'
    END AS rule,
    CASE error_type
        WHEN 'MISSING COLUMNS' THEN 'the line has fewer fields than the header'
        WHEN 'TOO MANY COLUMNS' THEN 'the line has more fields than the header'
        WHEN 'UNQUOTED VALUE' THEN 'a quoted field does not end where it should'
        WHEN 'INVALID ENCODING' THEN 'the line is not UTF-8'
        WHEN 'LINE SIZE OVER MAXIMUM' THEN 'the line is too long'
        ELSE lower(error_type)
    END AS reason
"""


def read_lines(connection: duckdb.DuckDBPyConnection, file: SourceFile, census: Census) -> int:
    """Read a file into the two relations, which `drop_lines` removes; return its number of data lines.

    Call it outside of a transaction: inside one DuckDB does not count row ids from 0.
    Header and empty lines are no data lines. Only columns that some mapping mentions are kept.
    Raises InputDataError when a required column is missing, a name occurs twice, or lines get lost.
    """
    match file.file_format:
        case "csv":
            return _read_csv(connection, file, census)
        case "jsonl":
            return _read_jsonl(connection, file, census)
        case "parquet":
            return _read_parquet(connection, file)


def drop_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove what `read_lines` left behind."""
    connection.execute("DROP VIEW IF EXISTS numbered_lines")
    for table in _TEMPORARY:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


@contextmanager
def blame_file(said: str) -> Iterator[None]:
    """Turn what DuckDB finds wrong inside into an InputDataError that begins with `said`."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise InputDataError(f"{said}: {str(error).splitlines()[0]}") from error


def quoted(text: str) -> str:
    """Return the text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return the name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _read_csv(connection: duckdb.DuckDBPyConnection, file: SourceFile, census: Census) -> int:
    header = _header(file)
    _require(file, header)
    if census.has_mixed_newlines:
        raise InputDataError(
            f"{file.name} ends some lines with a carriage return and others without, or has one inside a "
            "line; export it with one kind of line end."
        )
    # The columns option is positional, so the names go in as the file's own header has them.
    types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    _read_text(
        connection, file, f"{{{types}}}", "quote='\"', escape='\"', header=true", _mentioned(file, header)
    )
    # DuckDB skips empty lines, except where they could be the empty value of a single column.
    empty = [line for line in census.empty_lines if len(header) > 1]
    n_lines = census.n_lines - 1 - len(empty)
    _number_lines(connection, first_line=2, empty_lines=empty)
    _reconcile(connection, file, n_lines)
    return n_lines


def _read_jsonl(connection: duckdb.DuckDBPyConnection, file: SourceFile, census: Census) -> int:
    _read_text(connection, file, "{'json': 'VARCHAR'}", "quote='', escape='', header=false", ("json",))
    _number_lines(connection, first_line=1, empty_lines=())
    connection.execute(
        f"""
        INSERT INTO unreadable_lines
        SELECT {LINE}, 'a line is a JSON object', 'the line is no JSON object' FROM numbered_lines
        WHERE json IS NOT NULL AND (NOT json_valid(json) OR json_type(try_cast(json AS JSON)) <> 'OBJECT')
        """
    )
    connection.execute(
        f"CREATE TEMP TABLE json_lines AS SELECT json, {LINE} FROM numbered_lines WHERE json IS NOT NULL "
        f"AND {LINE} NOT IN (SELECT line FROM unreadable_lines)"
    )
    found = connection.execute(
        "SELECT DISTINCT unnest(json_keys(json)) AS name FROM json_lines ORDER BY name"
    )
    names = tuple(row[0] for row in found.fetchall())
    n_lines = census.n_lines - len(census.empty_lines)
    if n_lines:
        _require(file, names)
    connection.execute("DROP VIEW numbered_lines; DROP TABLE file_lines")
    kept = "".join(
        f"json ->> {quoted(f'$.{identifier(name)}')} AS {identifier(name)}, "
        for name in _mentioned(file, names)
    )
    connection.execute(f"CREATE TEMP TABLE file_lines AS SELECT {kept}{LINE} FROM json_lines")
    connection.execute("DROP TABLE json_lines; CREATE TEMP VIEW numbered_lines AS FROM file_lines")
    _reconcile(connection, file, n_lines)
    return n_lines


def _read_parquet(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> int:
    source = f"read_parquet({quoted(str(file.path))})"
    names = tuple(row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())
    _require(file, names)
    kept = ", ".join(f"{identifier(name)}::VARCHAR AS {identifier(name)}" for name in _mentioned(file, names))
    connection.execute(f"CREATE TEMP TABLE file_lines AS SELECT {kept} FROM {source}")
    connection.execute("CREATE TEMP TABLE unreadable_lines (line BIGINT, rule VARCHAR, reason VARCHAR)")
    _number_lines(connection, first_line=1, empty_lines=())
    return _count(connection, "SELECT count(*) FROM file_lines")


def _header(file: SourceFile) -> tuple[str, ...]:
    """Return the names of the first line; a column without a name is called `column<position from 0>`."""
    first_line = b""
    for chunk in text_chunks(file.path):
        head, newline, _ = chunk.partition(b"\n")
        first_line += head
        if newline or len(first_line) > _HEADER_BYTES:
            break
    try:
        text = first_line.decode("utf-8-sig").rstrip("\r")
        names = next(csv.reader(io.StringIO(text), strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputDataError(f"{file.name} line 1: the header can't be read ({error}).") from error
    return tuple(name or f"column{position}" for position, name in enumerate(names))


def _require(file: SourceFile, found: tuple[str, ...]) -> None:
    missing = sorted(file.required - set(found))
    if missing:
        raise InputDataError(
            f"{file.name} lacks the columns {', '.join(missing)}; it has {_some(found)}. "
            "Export it with its header, or correct the mapping."
        )
    # DuckDB doesn't tell capitals apart in names.
    lowered = [name.lower() for name in found]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise InputDataError(f"{file.name} has more than one column called {', '.join(twice)}.")


def _some(names: Collection[str], limit: int = 15) -> str:
    shown = ", ".join(list(names)[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown or "no columns"


def _mentioned(file: SourceFile, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that some mapping mentions; at least one, because a table needs one."""
    sql = "\n".join(
        expression for log in file.logs for expression in (*log.columns.values(), log.where or "")
    ).lower()
    return tuple(name for name in names if name.lower() in sql) or names[:1]


def _read_text(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, types: str, dialect: str, kept: Collection[str]
) -> None:
    delimiter = "','" if file.file_format == "csv" else "'\x01'"
    connection.execute(
        f"""
        CREATE TEMP TABLE file_lines AS
        SELECT {", ".join(identifier(name) for name in kept)}
        FROM read_csv(
            {quoted(str(file.path))}, columns={types}, delim={delimiter}, {dialect}, auto_detect=false,
            store_rejects=true, rejects_table='csv_rejects', rejects_scan='csv_reject_scans'
        )
        """
    )
    connection.execute(
        f"""
        CREATE TEMP TABLE unreadable_lines AS
        SELECT line::BIGINT AS line, {_UNREADABLE}
        FROM csv_rejects QUALIFY row_number() OVER (PARTITION BY line ORDER BY column_idx NULLS FIRST) = 1
        """
    )


def _number_lines(
    connection: duckdb.DuckDBPyConnection, first_line: int, empty_lines: Collection[int]
) -> None:
    """Add to each row the number of its line, without asking the reader to go line by line.

    Rows keep the order of their lines. So a row's line is its position plus the lines that left no
    row before it: skipped line s_i (i = 0, 1, ...) lies behind s_i - first_line - i rows.
    """
    connection.execute(
        """
        CREATE TEMP TABLE skipped_lines AS
        WITH skipped AS (
            SELECT line, row_number() OVER (ORDER BY line) AS n_skipped
            FROM (SELECT line FROM unreadable_lines UNION SELECT unnest(?::BIGINT[]))
        )
        SELECT line - ? - (n_skipped - 1) AS n_rows_before, max(n_skipped) AS n_skipped
        FROM skipped GROUP BY n_rows_before
        """,
        [list(empty_lines), first_line],
    )
    plain = f"SELECT *, rowid + {first_line} AS {LINE} FROM file_lines"
    shifted = (
        f"SELECT lines.*, lines.rowid + {first_line} + coalesce(n_skipped, 0) AS {LINE} "
        f"FROM file_lines AS lines ASOF LEFT JOIN skipped_lines ON lines.rowid >= skipped_lines.n_rows_before"
    )
    skipped = _count(connection, "SELECT count(*) FROM skipped_lines")
    connection.execute(f"CREATE TEMP VIEW numbered_lines AS {shifted if skipped else plain}")


def _reconcile(connection: duckdb.DuckDBPyConnection, file: SourceFile, n_lines: int) -> None:
    """Refuse the file unless every data line became a row or is known to be unreadable.

    One stray quote can swallow the rest of a file: the reader then reports a single bad line.
    """
    n_rows = _count(connection, "SELECT count(*) FROM file_lines")
    n_unreadable = _count(connection, "SELECT count(*) FROM unreadable_lines")
    if n_rows + n_unreadable != n_lines:
        raise InputDataError(
            f"{file.name}{_suspect(file.path)}: the file has {n_lines} data lines but reads as {n_rows} rows "
            f"and {n_unreadable} unreadable lines. A quote may be left open, or a field hold a newline; "
            "correct the line, or export JSONL or Parquet."
        )


def _suspect(path: Path) -> str:
    """Point at the first line whose quotes don't pair up."""
    number, rest = 0, b""
    for chunk in text_chunks(path):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            if line.count(b'"') % 2:
                return f" line {number}"
    return f" line {number + 1}" if rest.count(b'"') % 2 else ""


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
