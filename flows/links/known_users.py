"""The people whom metacart knows by pseudonym: of the newest night, of the warehouse, and erased."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from features.contracts.sql_text import quoted
from features.deidentify import PseudonymKey
from features.errors import DamagedFileError, UsageError
from features.warehouse.manifest import key_ids
from features.warehouse.reader import blame_file
from features.warehouse.store import open_to_read
from features.warehouse.user_keys import write_user_keys
from flows.published_nights import PublishedNight
from flows.stages.ingest import refuse_foreign_tombstones, tombstones
from flows.workspace import Workspace

# A row that is for all users of a segment has the segment's id in place of a pseudonym.
_PSEUDONYM = "[0-9a-f]{64}"


@dataclass(frozen=True)
class KnownUsers:
    """Where pseudonyms were looked up.

    night: the run_id of the newest published night; None without one. n_night_users: people in its tables.
    has_warehouse: whether there is a warehouse.
    """

    night: str | None
    n_night_users: int
    has_warehouse: bool


def look_up_users(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, key: PseudonymKey, folder: Path
) -> KnownUsers:
    """Make the tables `night_users`, `warehouse_users` and `erased_users`, each of user_key.

    folder: for files that exist meanwhile. Call it with the shop locked.
    Raises UsageError where there is neither a night nor a warehouse, where the key is not that of the
    warehouse's rows, or where people were erased with another key, who could not be recognized;
    DamagedFileError where a published table or a tombstone can't be read.
    """
    erased = tombstones(workspace)
    refuse_foreign_tombstones(erased, key.key_id)
    connection.execute("CREATE TEMP TABLE erased_users (user_key VARCHAR)")
    for tombstone in erased:
        connection.execute("INSERT INTO erased_users VALUES (?)", [tombstone.user_key])
    night = workspace.nights.current() or max(
        workspace.nights.all(), key=lambda published: published.as_of, default=None
    )
    has_warehouse = workspace.warehouse.is_file()
    if night is None and not has_warehouse:
        raise UsageError(
            f"{workspace.shop} has neither a warehouse nor a published night, so nothing can show that the "
            "ids are those of its logs. Run `metacart run` first."
        )
    _warehouse_users(connection, workspace, key, folder / "warehouse_users.parquet")
    n_night_users = _night_users(connection, night)
    return KnownUsers(night.run_id if night else None, n_night_users, has_warehouse)


def _warehouse_users(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, key: PseudonymKey, path: Path
) -> None:
    if not workspace.warehouse.is_file():
        connection.execute("CREATE TEMP TABLE warehouse_users (user_key VARCHAR)")
        return
    with (
        open_to_read(workspace.warehouse) as store,
        blame_file(f"{workspace.warehouse} can't be read; `metacart ingest` may have to load the logs again"),
    ):
        known = key_ids(store)
        if known and key.key_id not in known:
            raise UsageError(
                f"The pseudonym key {key.key_id} is not that of the warehouse's rows ({', '.join(known)}): "
                "no id would have its user_key. Restore the key of the shop, or name its configuration by "
                "--config."
            )
        write_user_keys(store, path)
    connection.execute(
        f"CREATE TEMP TABLE warehouse_users AS SELECT user_key FROM read_parquet({quoted(str(path))})"
    )


def _night_users(connection: duckdb.DuckDBPyConnection, night: PublishedNight | None) -> int:
    tables = [
        f"SELECT user_key FROM read_parquet({quoted(str(path))})"
        for path in (_tables(night) if night else ())
    ]
    every = " UNION ALL ".join(tables) or "SELECT NULL::VARCHAR AS user_key"
    with blame_file(f"A table of {night.path if night else ''} can't be read; `metacart verify` names it"):
        connection.execute(
            f"CREATE TEMP TABLE night_users AS SELECT DISTINCT user_key FROM ({every}) "
            f"WHERE regexp_full_match(user_key, '{_PSEUDONYM}')"
        )
    [(n_users,)] = connection.execute("SELECT count(*) FROM night_users").fetchall()
    return int(n_users)


def _tables(night: PublishedNight) -> list[Path]:
    """Return the night's tables that name people."""
    found = []
    for path in sorted(night.path.glob("out_*.parquet")):
        try:
            schema = pl.read_parquet_schema(path)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise DamagedFileError(f"{path} is damaged; `metacart verify` says what to do.") from error
        if "user_key" in schema:
            found.append(path)
    return found
