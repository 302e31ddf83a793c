"""The lists that earlier nights have published, as tables that a log of what was shown is compared with.

They are read from the Parquet files of a night, and from the warehouse's own copy where these are gone: on a
new machine, say. What neither knows was not published, or has been taken back or removed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from features.contracts.sql_text import identifier, quoted
from features.warehouse.outputs import has_table

_LISTS = {
    "out_recommendations": (
        "user_key AS shown_to, surface, slot_rank AS slot, item_id, propensity, policy_version"
    ),
    "out_segment_distributions": (
        "'' AS shown_to, surface, slot_rank AS slot, item_id, probability AS propensity, policy_version"
    ),
}
"""Table → what a list says of an item. Where logs have no users, all visitors have one key."""

_FOR_EVERYBODY = frozenset({"out_segment_distributions"})

# Every night publishes this table, whatever it decides.
_OF_EVERY_NIGHT = "out_data_quality"


@dataclass(frozen=True)
class PublishedList:
    """One table of lists of one night.

    query: its rows: shown_to, surface, slot, item_id, propensity, policy_version. file: where it is read
    from; None for the warehouse itself. is_for_everybody: it knows no users.
    """

    run_id: str
    query: str
    file: Path | None
    is_for_everybody: bool

    @property
    def place(self) -> str:
        """Where its rows are, for the sentence of an error."""
        return str(self.file) if self.file else "the copy in the warehouse"

    @property
    def as_of(self) -> date:
        """The date of the night."""
        return date.fromisoformat(self.run_id[:10])


@dataclass(frozen=True)
class PublishedLists:
    """All that a shop has published and not taken back.

    run_ids: of all nights, also of those that decided nothing about what is shown. lists: the newest first.
    """

    run_ids: frozenset[str] = frozenset()
    lists: tuple[PublishedList, ...] = ()

    @property
    def oldest(self) -> date | None:
        """The date of the oldest night that is left; None where there is none."""
        return min((date.fromisoformat(run_id[:10]) for run_id in self.run_ids), default=None)


def published_lists(
    connection: duckdb.DuckDBPyConnection, folders: Iterable[tuple[str, Path]]
) -> PublishedLists:
    """Return the lists of all published nights.

    folders: run_id and folder of each; a night with two folders was published with two contents, and what
    either of them has may have been shown.
    """
    found: dict[str, list[PublishedList]] = {}
    for run_id, folder in folders:
        found.setdefault(run_id, []).extend(_of_folder(run_id, folder))
    held = _held_nights(connection)
    for run_id in held:
        if not found.get(run_id):
            found[run_id] = list(_of_warehouse(connection, run_id))
    newest_first = sorted(found, reverse=True)
    return PublishedLists(frozenset(found), tuple(one for run_id in newest_first for one in found[run_id]))


def _of_folder(run_id: str, folder: Path) -> Iterator[PublishedList]:
    for table, columns in _LISTS.items():
        file = folder / f"{table}.parquet"
        if file.is_file():
            query = f"SELECT {columns} FROM read_parquet({quoted(_without_pattern(file))})"
            yield PublishedList(run_id, query, file, table in _FOR_EVERYBODY)


def _without_pattern(file: Path) -> str:
    """Return the path as DuckDB takes it, which reads *?[ as the signs of a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(file))


def _of_warehouse(connection: duckdb.DuckDBPyConnection, run_id: str) -> Iterator[PublishedList]:
    for table, columns in _LISTS.items():
        if has_table(connection, table):
            query = f"SELECT {columns} FROM {identifier(table)} WHERE run_id = {quoted(run_id)}"
            if connection.execute(f"{query} LIMIT 1").fetchall():
                yield PublishedList(run_id, query, None, table in _FOR_EVERYBODY)


def _held_nights(connection: duckdb.DuckDBPyConnection) -> Sequence[str]:
    if not has_table(connection, _OF_EVERY_NIGHT):
        return ()
    found = connection.execute(f"SELECT DISTINCT run_id FROM {_OF_EVERY_NIGHT} ORDER BY 1").fetchall()
    return [run_id for (run_id,) in found]
