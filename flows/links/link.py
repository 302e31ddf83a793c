"""Link: the ids of a serving system beside the pseudonyms of the published tables.

The ids are brought into the form in which ingest stores them and hashed with the shop's key; then they are
compared with the people of the newest night and of the warehouse, because a link that matches nothing looks
like one that does. A link is personal data: whoever has it and a published table knows who is in the table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.deidentify import PseudonymKey, pseudonym, pseudonym_sql, read_key
from features.errors import InputDataError, MetacartError
from features.machine_faults import machine_fault
from features.warehouse.database_words import words_of
from flows.links.id_file import USER_ID, IdFile, ReadLines, id_file, read_ids
from flows.links.id_forms import IdForms, id_forms, store_forms
from flows.links.known_users import look_up_users
from flows.links.link_file import private_folder, refuse_place, write_link
from flows.links.near_spellings import near_spellings
from flows.stages.ingest import key_file, source_files
from flows.workspace import Workspace

# Beyond it the database spills to a private folder beside the link.
_MEMORY_LIMIT = "1GB"


@dataclass(frozen=True)
class IdCounts:
    """How many lines and ids of a file became what.

    n_lines = n_unreadable + n_empty + n_repeated + n_ids. n_nobody: ids of which the mapping makes nothing,
    such as null words. n_erased: ids of erased people, left out. n_linked = n_ids - n_nobody - n_erased.
    n_rows: rows of the link; more than n_linked where an id is known in several forms.
    n_in_night, n_in_warehouse, n_known: linked ids that are there, or in one of the two.
    n_sharing: rows fewer there would be with each user_key once: of ids that the mapping makes one of.
    """

    n_lines: int
    n_unreadable: int
    n_empty: int
    n_repeated: int
    n_ids: int
    n_nobody: int
    n_erased: int
    n_linked: int
    n_rows: int
    n_in_night: int
    n_in_warehouse: int
    n_known: int
    n_sharing: int

    @property
    def n_unknown(self) -> int:
        """Linked ids that are neither in the night's tables nor in the warehouse."""
        return self.n_linked - self.n_known


@dataclass(frozen=True)
class Linked:
    """What a link holds, and how it fits the shop.

    night: run_id of the newest published night; None without one. n_night_users: people in its tables.
    n_night_users_without_id: those whose user_key the link lacks. n_forms: forms in which the mappings store
    ids. is_composed: as `IdForms` has it. near: what differs → unknown ids that would be known otherwise.
    encoding: the code page that the file of ids seems to be in; None for UTF-8, UTF-16 and Parquet.
    n_guarded: ids behind an apostrophe in a CSV file. is_written: false where no id is known.
    """

    counts: IdCounts
    night: str | None
    n_night_users: int
    n_night_users_without_id: int
    has_warehouse: bool
    n_forms: int
    is_composed: bool
    near: dict[str, int]
    encoding: str | None
    n_guarded: int
    is_written: bool


def link(workspace: Workspace, ids: Path, out: Path, *, column: str | None, overwrite: bool) -> Linked:
    """Write the link of a file of ids, and return what is in it; without one known id, nothing is written.

    Call it with the shop locked: then no person is erased meanwhile. Memory is bounded, whatever the number
    of ids. Raises MissingKeyError without the shop's key, which is never made here; UsageError where the
    link must not be at `out`, or the key is not that of the rows; InputDataError where the file can't be
    read, or no id in it may be linked.
    """
    refuse_place(workspace, out, ids, overwrite=overwrite)
    key = read_key(key_file(workspace))
    source = id_file(ids, column)
    forms = id_forms(source_files(workspace.settings, None))
    with private_folder(out) as folder, _database(folder) as connection:
        known = look_up_users(connection, workspace, key, folder)
        read = read_ids(connection, source, workspace.settings.limits.of_files)
        _refuse_lost_header(connection, source, key)
        counts = _match(connection, read, forms, key)
        _refuse_nobody(ids, counts)
        [(n_without_id,)] = connection.execute(
            "SELECT count(*) FROM night_users ANTI JOIN links USING (user_key)"
        ).fetchall()
        with _without_the_key("Unknown ids could not be tried in other spellings"):
            near = near_spellings(connection, key) if counts.n_unknown else {}
        is_written = counts.n_known > 0
        n_guarded = write_link(connection, folder, out) if is_written else 0
    return Linked(
        counts=counts,
        night=known.night,
        n_night_users=known.n_night_users,
        n_night_users_without_id=int(n_without_id),
        has_warehouse=known.has_warehouse,
        n_forms=len(forms.forms),
        is_composed=forms.is_composed,
        near=near,
        encoding=source.file.encoding,
        n_guarded=n_guarded,
        is_written=is_written,
    )


@contextmanager
def _database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY_LIMIT,
        "threads": 2,
        "temp_directory": str(folder / "spilled"),
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(config=settings) as connection:
        yield connection


@contextmanager
def _without_the_key(said: str) -> Iterator[None]:
    """Raise DuckDB's errors without their cause: it quotes the query, which has the key."""
    try:
        yield
    except duckdb.Error as error:
        raise (machine_fault(error) or MetacartError(f"{said}: {words_of(error)}")) from None


def _refuse_lost_header(connection: duckdb.DuckDBPyConnection, source: IdFile, key: PseudonymKey) -> None:
    """Refuse a file whose header is an id: it has none, and its first id would not be linked."""
    if not source.is_only_column:
        return
    [(is_known,)] = connection.execute(
        "SELECT $key IN (SELECT user_key FROM night_users UNION ALL SELECT user_key FROM warehouse_users "
        "UNION ALL SELECT user_key FROM erased_users)",
        {"key": pseudonym(key, source.column)},
    ).fetchall()
    if is_known:
        raise InputDataError(
            f"{source.file.name} has no header: its first line is an id of the shop. Put a line with "
            f"{USER_ID} above it."
        )


def _refuse_nobody(ids: Path, counts: IdCounts) -> None:
    if not counts.n_linked:
        raise InputDataError(
            f"{ids} has no id to link, and nothing was written: of {counts.n_lines:,} lines "
            f"{counts.n_empty:,} are empty and {counts.n_unreadable:,} can't be read; of {counts.n_ids:,} "
            f"ids the mapping makes nothing of {counts.n_nobody:,}, and {counts.n_erased:,} are of erased "
            "people."
        )


def _match(
    connection: duckdb.DuckDBPyConnection, read: ReadLines, forms: IdForms, key: PseudonymKey
) -> IdCounts:
    """Make the table `links`: user_id, user_key, in_night, in_warehouse."""

    def counted(query: str) -> list[int]:
        [row] = connection.execute(query).fetchall()
        return [int(number) for number in row]

    filled = f"FROM id_lines WHERE is_data AND is_readable AND {USER_ID} <> ''"
    [n_filled] = counted(f"SELECT count(*) {filled}")
    connection.execute(f"CREATE TEMP TABLE link_ids AS SELECT DISTINCT {USER_ID} {filled}")
    connection.execute("DROP TABLE id_lines")
    store_forms(connection, forms)
    with _without_the_key("The ids could not be hashed"):
        connection.execute(
            f"CREATE TEMP TABLE hashed_ids AS SELECT {USER_ID}, form, {pseudonym_sql(key, 'stored_id')} AS "
            "user_key FROM stored_ids"
        )
    connection.execute("DROP TABLE stored_ids")
    connection.execute(_LINKS + (_ONE_UNLESS_KNOWN if len(forms.forms) > 1 else ""))
    [n_ids] = counted("SELECT count(*) FROM link_ids")
    [n_people] = counted(f"SELECT count(DISTINCT {USER_ID}) FROM hashed_ids")
    n_rows, n_linked, n_keys, n_in_night, n_in_warehouse, n_known = counted(
        f"""
        SELECT
            count(*),
            count(DISTINCT {USER_ID}),
            count(DISTINCT user_key),
            count(DISTINCT {USER_ID}) FILTER (in_night),
            count(DISTINCT {USER_ID}) FILTER (in_warehouse),
            count(DISTINCT {USER_ID}) FILTER (in_night OR in_warehouse)
        FROM links
        """
    )
    return IdCounts(
        n_lines=read.n_lines,
        n_unreadable=read.n_unreadable,
        n_empty=read.n_lines - read.n_unreadable - n_filled,
        n_repeated=n_filled - n_ids,
        n_ids=n_ids,
        n_nobody=n_ids - n_people,
        n_erased=n_people - n_linked,
        n_linked=n_linked,
        n_rows=n_rows,
        n_in_night=n_in_night,
        n_in_warehouse=n_in_warehouse,
        n_known=n_known,
        n_sharing=n_rows - n_keys,
    )


# An id is left out when any of its forms is of an erased person.
_LINKS = """
CREATE TEMP TABLE links AS
SELECT
    hashed_ids.user_id,
    hashed_ids.user_key,
    night_users.user_key IS NOT NULL AS in_night,
    warehouse_users.user_key IS NOT NULL AS in_warehouse
FROM hashed_ids
LEFT JOIN night_users ON hashed_ids.user_key = night_users.user_key
LEFT JOIN warehouse_users ON hashed_ids.user_key = warehouse_users.user_key
WHERE hashed_ids.user_id NOT IN (SELECT user_id FROM hashed_ids SEMI JOIN erased_users USING (user_key))
"""
# Of several forms those that are known count; of an id that is not known, the first file's.
_ONE_UNLESS_KNOWN = """
QUALIFY (in_night OR in_warehouse) OR (
    NOT bool_or(in_night OR in_warehouse) OVER (PARTITION BY hashed_ids.user_id)
    AND row_number() OVER (PARTITION BY hashed_ids.user_id ORDER BY hashed_ids.form) = 1
)
"""
