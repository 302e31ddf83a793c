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

from features.deidentify import PseudonymKey, pseudonym, read_key
from features.errors import InputDataError
from flows.links.id_file import USER_ID, IdFile, id_file, read_ids
from flows.links.id_forms import id_forms
from flows.links.known_users import look_up_users
from flows.links.link_file import private_folder, refuse_place, write_link
from flows.links.matched_ids import IdCounts, match_ids, without_the_key
from flows.links.near_spellings import near_spellings
from flows.stages.ingest import key_file, source_files
from flows.workspace import Workspace

# Beyond it the database spills to a private folder beside the link.
_MEMORY_LIMIT = "1GB"


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
        counts = match_ids(connection, read, forms, key)
        _refuse_nobody(ids, counts)
        [(n_without_id,)] = connection.execute(
            "SELECT count(*) FROM night_users ANTI JOIN links USING (user_key)"
        ).fetchall()
        with without_the_key("Unknown ids could not be tried in other spellings"):
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
    if not counts.n_ids:
        lines = f": {counts.n_empty:,} lines are empty, {counts.n_unreadable:,} can't be read"
        raise InputDataError(
            f"{ids} has no ids, and nothing was written{lines if counts.n_lines else ''}. Put one id on each "
            "line, below the header where the file has one."
        )
    if not counts.n_linked:
        raise InputDataError(
            f"{ids} has no id to link, and nothing was written: of {counts.n_lines:,} lines "
            f"{counts.n_empty:,} are empty and {counts.n_unreadable:,} can't be read; of {counts.n_ids:,} "
            f"ids the mapping makes nothing of {counts.n_nobody:,}, and {counts.n_erased:,} are of erased "
            "people."
        )
