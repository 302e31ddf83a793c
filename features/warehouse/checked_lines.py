"""The lines of a file, read once: every value cast to its contract's type, every broken line marked.

A file is scanned into one temporary table. Its good lines are copied from there into the raw tables; of a
broken line the text is kept, so that its reason is worked out for the few lines that need one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb

from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.logs import ADDED_UP
from features.contracts.mapping import ELEMENT, ELEMENT_NUMBER, LINE, SourceFile
from features.contracts.sql_text import identifier
from features.warehouse.joined_lines import Partners, with_partners
from features.warehouse.line_numbers import NumberedRows, number_rows
from features.warehouse.log_columns import LogColumns, stored_name
from features.warehouse.plausible_times import PlausibleTimes
from features.warehouse.reader import TEXT, Column, FileScan
from features.warehouse.watermark import Watermark

BROKEN_TEXT = '"text of the broken line"'
# Of lines that add up, the hash that distinguishes two lines with equal numbers from a repeated line.
CONTENT = '"hash of the line"'
_IS_DATA, _IS_READABLE = '"is a data line"', '"is a readable line"'


@dataclass(frozen=True)
class CheckedLines:
    """A temporary table of checked lines for the logs that share it.

    query: its rows with LINE.
    n_broken: rows with BROKEN_TEXT. n_unreadable: lines in `unreadable_lines`, which have no row.
    read: what BROKEN_TEXT lists, the file's columns by name and type; an unreadable line's list is empty.
    """

    logs: tuple[LogColumns, ...]
    query: str
    n_broken: int
    n_unreadable: int
    read: Mapping[str, str]

    @property
    def broken_rows(self) -> str:
        """The query for the file's columns as text, of the broken rows alone."""
        columns = ", ".join(
            f"CAST({BROKEN_TEXT}[{place}] AS {sql_type}) AS {identifier(name)}"
            for place, (name, sql_type) in enumerate(self.read.items(), start=1)
        )
        return f"SELECT {LINE}, {columns} FROM ({self.query}) WHERE len({BROKEN_TEXT}) > 0"

    @property
    def unreadable_lines(self) -> str:
        """The query for the lines that are no data at all."""
        return f"SELECT {LINE} AS line FROM ({self.query}) WHERE len({BROKEN_TEXT}) = 0"


@dataclass(frozen=True)
class CheckedFile:
    """A file that was read: its checked lines, and its number of lines.

    tables: one for all logs, unless some take their rows from elements of lists.
    n_unreadable: lines in `unreadable_lines`.
    names, absent, n_without_partner: as `FileScan` has them.
    """

    tables: tuple[CheckedLines, ...] = ()
    n_lines: int = 0
    n_unreadable: int = 0
    names: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    n_without_partner: int = 0

    @property
    def has_line_per_row(self) -> bool:
        """Whether a row of the only table stands for its line, so that a good row is a good line."""
        return len(self.tables) == 1 and self.tables[0].logs[0].mapping.elements is None


def check_file(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    scan: FileScan,
    watermark: Watermark | None,
    times: PlausibleTimes,
    *,
    partners: Partners | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> CheckedFile:
    """Read and check a file; `drop_lines` removes the temporary tables of the result.

    partners: the lines of the file that it joins. limits: of the length of texts.

    Call it outside of a transaction: inside one DuckDB does not count row ids from 0.
    Raises InputDataError when lines get lost, duckdb.Error when an expression does not fit the file.
    """
    n_unreadable = 0
    asks_for_lines = scan.line is None and (partners is not None or _asks_for_lines(file))
    if asks_for_lines:
        scan, n_unreadable = _numbered(connection, file, scan)
    if partners:
        scan = with_partners(connection, scan, partners)
    by_elements: dict[str | None, list[LogColumns]] = {}
    for position, mapping in enumerate(file.logs):
        logs = by_elements.setdefault(mapping.elements, [])
        logs.append(LogColumns(mapping, f"log {position}: ", watermark, times, limits))
    tables = tuple(
        _check(connection, file, scan, number=number, elements=elements, logs=tuple(logs))
        for number, (elements, logs) in enumerate(by_elements.items())
    )
    if asks_for_lines:
        connection.execute("DROP TABLE file_lines")
    n_unreadable += sum(lines.n_unreadable for lines in tables)
    return CheckedFile(
        tables, scan.n_lines, n_unreadable, scan.names, scan.absent, n_without_partner=scan.n_without_partner
    )


def drop_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the temporary tables of `check_file` and `store_rows`."""
    found = connection.execute(
        """
        SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND NOT internal
        UNION ALL
        SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary
        """
    )
    for kind, name in found.fetchall():
        connection.execute(f"DROP {kind} {identifier(name)}")


def _asks_for_lines(file: SourceFile) -> bool:
    return any(
        mapping.elements is not None
        or any(LINE in expression for expression in (*mapping.columns.values(), mapping.where or ""))
        for mapping in file.logs
    )


def _adds_up(file: SourceFile) -> bool:
    return any(mapping.log in ADDED_UP for mapping in file.logs)


def _numbered(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, scan: FileScan
) -> tuple[FileScan, int]:
    """Store the text that is read, because the number of a line is only known once its row is stored.

    Return how to read that, and the number of unreadable lines.
    """
    columns = ", ".join(f"{column.source} AS {identifier(name)}" for name, column in scan.columns.items())
    content = f"{scan.content} AS {CONTENT}, " if _adds_up(file) else ""
    connection.execute(
        f"CREATE TEMP TABLE file_lines AS SELECT {columns}, {content}{scan.is_data} AS {_IS_DATA}, "
        f"{scan.is_readable} AS {_IS_READABLE} FROM {scan.relation}"
    )
    [(n_rows,)] = connection.execute("SELECT count(*) FROM file_lines").fetchall()
    numbered = number_rows(connection, file, scan, "file_lines", n_rows)
    scan = replace(
        scan,
        relation=f"({numbered.query})",
        columns={name: Column(identifier(name)) for name in scan.columns},
        line=LINE,
        is_data=_IS_DATA,
        is_readable=_IS_READABLE,
        content=CONTENT,
    )
    return scan, numbered.n_unreadable


def _check(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    scan: FileScan,
    *,
    number: int,
    elements: str | None,
    logs: tuple[LogColumns, ...],
) -> CheckedLines:
    table = f"checked_lines_{number}"
    read = dict.fromkeys(scan.columns, TEXT)
    if elements is not None:
        read |= {ELEMENT.strip('"'): TEXT, ELEMENT_NUMBER.strip('"'): "BIGINT"}
    natives = {name: column for name, column in scan.columns.items() if column.sql_type != TEXT}
    kept = [check.typed for log in logs for check in log.checks] + [
        f"{_IS_DATA} AND {log.belongs} AS {log.belongs}" for log in logs
    ]
    if scan.line:
        kept.append(LINE)
    adds_up = any(log.mapping.log in ADDED_UP for log in logs)
    if adds_up:
        kept.append(CONTENT)
    # Typed columns that are used without change cost less to read again than to store.
    is_cheap = natives and elements is None and len(logs) == 1 and logs[0].only_names(scan.columns)
    kind = "VIEW" if is_cheap else "TABLE"
    lines = _lines(scan, elements, with_content=adds_up)
    connection.execute(
        f"""
        CREATE TEMP {kind} {table} AS
        SELECT {", ".join(kept)}, CASE
            WHEN {_IS_DATA} AND NOT {_IS_READABLE} THEN []
            WHEN {_IS_DATA} AND ({" OR ".join(log.is_broken for log in logs)})
            THEN [{", ".join(_shown(name, natives) for name in read)}]
        END AS {BROKEN_TEXT}
        FROM (
            SELECT *, {", ".join(log.values(natives) for log in logs)}
            FROM (SELECT *, {", ".join(log.texts(natives) for log in logs)} FROM ({lines}))
        )
        """
    )
    counts = f"SELECT count(*), count({BROKEN_TEXT}) FROM {table}"
    [(n_rows, n_broken)] = connection.execute(counts).fetchall()
    numbered = NumberedRows(f"FROM {table}", n_unreadable=0)
    if scan.line is None:
        numbered = number_rows(connection, file, scan, table, n_rows)
    return CheckedLines(logs, numbered.query, n_broken, numbered.n_unreadable, read)


def _lines(scan: FileScan, elements: str | None, *, with_content: bool) -> str:
    """Return the query for the file's columns by name; those that are more than text come in both forms."""
    columns = [f"{column.source} AS {stored_name(name, column)}" for name, column in scan.columns.items()]
    columns += [
        f"CAST({column.source} AS {TEXT}) AS {identifier(name)}"
        for name, column in scan.columns.items()
        if column.sql_type != TEXT
    ]
    columns += [f"{scan.is_data} AS {_IS_DATA}", f"{scan.is_readable} AS {_IS_READABLE}"]
    if scan.line:
        columns.append(f"{scan.line} AS {LINE}")
    if with_content:
        columns.append(f"{scan.content} AS {CONTENT}")
    lines = f"SELECT {', '.join(columns)} FROM {scan.relation}"
    if elements is None:
        return lines
    return f"""
        SELECT
            *,
            CAST(unnest(elements) AS {TEXT}) AS {ELEMENT},
            generate_subscripts(elements, 1) AS {ELEMENT_NUMBER}
        FROM (SELECT *, coalesce(TRY({elements}), [NULL]) AS elements FROM ({lines}))
    """


def _shown(name: str, natives: Mapping[str, Column]) -> str:
    # cast where the line is broken, which is rare; the text column would be made for every line
    return f"CAST({stored_name(name, natives[name]) if name in natives else identifier(name)} AS {TEXT})"
