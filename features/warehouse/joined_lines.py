"""The file that another one joins: its lines by key, each key once, and its columns in the other's scan.

The joined file is read whole into a temporary table, the other one streams past it: memory follows the
smaller of the two. A line without a partner keeps its place, with nulls in the joined columns.
"""

from dataclasses import dataclass, replace

import duckdb

from features.contracts.findings import Finding, Say, one_from_json, to_json
from features.contracts.limits import DEFAULT_LIMITS, Limits
from features.contracts.mapping import LINE, JoinedFile, SourceFile
from features.contracts.sql_text import identifier, quoted
from features.errors import InputDataError, closed
from features.warehouse.census import Census, take_census
from features.warehouse.line_numbers import number_rows
from features.warehouse.reader import (
    TEXT,
    Column,
    FileScan,
    blame_file,
    mentioned_names,
    scan_file,
    some_names,
)

# Read like a column of the file: a text where the line has no partner, null where it has one.
NO_PARTNER = "line without a partner"

_TABLE = "joined_lines"
_IS_UNREADABLE = '"is an unreadable line"'


@dataclass(frozen=True)
class Partners:
    """The stored lines of a joined file, which lines of another file are matched with.

    names: the columns of the joined file, by their names in the mappings of the other file.
    columns: the stored ones among them → their names in the table.
    """

    join: JoinedFile
    names: tuple[str, ...]
    columns: dict[str, str]


def store_partners(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    say: Say = to_json,
    limits: Limits = DEFAULT_LIMITS,
) -> Partners | None:
    """Store the lines of the file that this one joins; None where it joins none.

    Call it before the other file is scanned: of two plain copies of files the later removes the earlier. And
    call it outside of a transaction: inside one DuckDB does not count row ids from 0.
    Raises InputDataError where a line can't be read, of which `say` makes the sentence, and where two lines
    have one key.
    """
    if file.join is None:
        return None
    with blame_file(f"{file.join.file.name} can't be read as {file.join.file.file_format}"):
        return _stored(connection, file.join, mentioned_names(file), say, limits)


def scan_joining(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    census: Census,
    partners: Partners,
    limits: Limits = DEFAULT_LIMITS,
) -> FileScan:
    """Return how to read a file that joins another one; `with_partners` adds the other's columns once the
    rows have the numbers of their lines, because a join promises no order.

    Raises InputDataError where a column is in neither file, or in both.
    """
    keys = frozenset(ours for ours, _ in partners.join.on)
    own = replace(file, required=keys, optional=frozenset())
    scan = scan_file(
        connection,
        own,
        census,
        also_read={name.lower() for name in keys},
        asks_every_key=True,
        limits=limits,
    )
    _refuse_unclear(file, scan, partners)
    have = {name.lower() for name in scan.names}
    absent = tuple(
        name
        for name in sorted(file.optional)
        if name.lower() not in have | {theirs.lower() for theirs in partners.names}
    )
    columns = {name: column for name, column in scan.columns.items() if name.lower() in have}
    columns |= {name: Column(f"CAST(NULL AS {TEXT})") for name in absent}
    return replace(scan, columns=columns, absent=absent)


def with_partners(connection: duckdb.DuckDBPyConnection, scan: FileScan, partners: Partners) -> FileScan:
    """Return the scan with the columns of each line's partner, and the number of lines without one."""
    join = partners.join
    sources = {name.lower(): column.source for name, column in scan.columns.items()}
    on = " AND ".join(
        f"{_key(sources[ours.lower()], join)} = partners.{_key_name(place)}"
        for place, (ours, _) in enumerate(join.on)
    )
    relation = f"{scan.relation} AS lines LEFT JOIN {_TABLE} AS partners ON {on}"
    is_alone = f"partners.{_key_name(0)} IS NULL"
    own = {name.lower() for name in scan.names}
    joined = {
        name: Column(f"partners.{stored}")
        for name, stored in partners.columns.items()
        if name.lower() not in own
    }
    [(n_alone,)] = connection.execute(
        f"SELECT count(*) FROM {relation} WHERE {is_alone} AND {scan.is_data} AND {scan.is_readable}"
    ).fetchall()
    alone = {NO_PARTNER: Column(f"CASE WHEN {is_alone} THEN 'true' END")}
    return replace(scan, relation=relation, columns=scan.columns | joined | alone, n_without_partner=n_alone)


def _stored(
    connection: duckdb.DuckDBPyConnection,
    join: JoinedFile,
    mentioned: frozenset[str],
    say: Say,
    limits: Limits,
) -> Partners:
    file, prefix = join.file, join.prefix.lower()
    census = take_census(file.path, has_lines=file.file_format != "parquet", limits=limits)
    wanted = {name.removeprefix(prefix) for name in mentioned if name.startswith(prefix)}
    wanted |= {theirs.lower() for _, theirs in join.on}
    scan = scan_file(connection, file, census, also_read=wanted, asks_every_key=True, limits=limits)
    have = {name.lower() for name in scan.names}
    read = {name: column.source for name, column in scan.columns.items() if name.lower() in have}
    sources = {name.lower(): source for name, source in read.items()}
    columns = {f"{join.prefix}{name}": f'"joined {place}"' for place, name in enumerate(read)}
    selected = [
        f"{_key(sources[theirs.lower()], join)} AS {_key_name(place)}"
        for place, (_, theirs) in enumerate(join.on)
    ]
    selected += [
        f"CAST({source} AS {TEXT}) AS {name}"
        for name, source in zip(columns.values(), read.values(), strict=True)
    ]
    selected.append(f"{scan.is_data} AND NOT ({scan.is_readable}) AS {_IS_UNREADABLE}")
    if scan.line:
        selected.append(f"{scan.line} AS {LINE}")
    connection.execute(f"CREATE TEMP TABLE read_lines AS SELECT {', '.join(selected)} FROM {scan.relation}")
    lines = "FROM read_lines"
    if scan.line is None:
        [(n_rows,)] = connection.execute("SELECT count(*) FROM read_lines").fetchall()
        numbered = number_rows(connection, file, scan, "read_lines", n_rows)
        if numbered.n_unreadable:
            [(line, found)] = connection.execute(
                "SELECT line, finding FROM unreadable_lines ORDER BY line LIMIT 1"
            ).fetchall()
            raise _unreadable(join, line, one_from_json(found), say)
        lines = numbered.query
    _refuse_bad_lines(connection, join, lines, say)
    is_key = " AND ".join(f"{_key_name(place)} IS NOT NULL" for place in range(len(join.on)))
    connection.execute(
        f"CREATE TEMP TABLE {_TABLE} AS SELECT * EXCLUDE ({LINE}) FROM ({lines}) WHERE {is_key}"
    )
    # the other file will leave tables of these names, too
    connection.execute("DROP TABLE read_lines")
    connection.execute("DROP TABLE IF EXISTS skipped_lines")
    return Partners(join, tuple(f"{join.prefix}{name}" for name in scan.names), columns)


def _refuse_bad_lines(connection: duckdb.DuckDBPyConnection, join: JoinedFile, lines: str, say: Say) -> None:
    """Refuse a joined file with a line that is not a JSON object, or two lines with one key."""
    [(line,)] = connection.execute(f"SELECT min({LINE}) FROM ({lines}) WHERE {_IS_UNREADABLE}").fetchall()
    if line is not None:
        raise _unreadable(join, line, Finding("not_an_object", "line"), say)
    keys = [_key_name(place) for place in range(len(join.on))]
    found = connection.execute(
        f"""
        SELECT min({LINE}, 2), count(*) OVER ()
        FROM ({lines})
        WHERE {" AND ".join(f"{key} IS NOT NULL" for key in keys)}
        GROUP BY {", ".join(keys)} HAVING count(*) > 1
        ORDER BY min({LINE}) LIMIT 1
        """
    ).fetchone()
    if found:
        (first, second), n_keys = found
        others = f", and {n_keys - 1} more keys stand on several lines" if n_keys > 1 else ""
        raise InputDataError(
            f"{join.file.name} can't be joined: its lines {first} and {second} have the same {join.key}"
            f"{others}. A line that joins it must match one line: remove the repeated ones, or name in "
            "join.on all the columns that distinguish them."
        )


def _unreadable(join: JoinedFile, line: int, why: Finding, say: Say) -> InputDataError:
    first = Finding("first_rejected_line", join.file.name, {"line": line}, (why,))
    return InputDataError(
        f"{join.file.name} can't be joined: {closed(say([first]))} Correct it: without it lines of the other "
        "file would lack its values."
    )


def _refuse_unclear(file: SourceFile, scan: FileScan, partners: Partners) -> None:
    """Refuse a column that neither file has, and one that both have."""
    join = partners.join
    own, theirs = set(scan.names), set(partners.names)
    missing = sorted(file.required - own - theirs)
    if missing:
        raise InputDataError(
            f"{file.name} and {join.file.name}, which it joins, lack the columns {', '.join(missing)}; the "
            f"first has {some_names(scan.names)}, the second {some_names(partners.names)}. Export them with "
            "their headers, or correct the mapping."
        )
    same_key = {ours.lower() for ours, key in join.on if ours.lower() == f"{join.prefix}{key}".lower()}
    mentioned = mentioned_names(file)
    both = {name.lower() for name in own} & {name.lower() for name in theirs} & mentioned - same_key
    if both:
        raise InputDataError(
            f"{file.name} and {join.file.name}, which it joins, both have {', '.join(sorted(both))}. Set "
            f'join.prefix, such as "joined ": the column of {join.file.name} is then "joined {min(both)}".'
        )


def _key(source: str, join: JoinedFile) -> str:
    text = f"CAST({source} AS {TEXT})"
    if join.is_trimmed:
        text = f"trim({text})"
    text = f"nullif({text}, '')"
    for word in join.null_values:
        text = f"nullif({text}, {quoted(word)})"
    return text


def _key_name(place: int) -> str:
    return identifier(f"key {place} of the joined file")
