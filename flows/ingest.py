"""Ingest: a shop's files → checked, pseudonymous rows in the warehouse, and the marts of one night."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import cast

import duckdb

from features.contracts.mapping import SourceFile
from features.deidentify import pseudonym_sql, read_key
from features.deidentify.stored import stored_sql
from features.errors import InputDataError
from features.sources import (
    criteo_attribution,
    declared,
    online_retail,
    open_bandit,
    otto,
    rees46,
    retailrocket,
    simulated,
)
from features.sources.file_tables import parse_file_tables
from features.warehouse.build import build
from features.warehouse.erase import Tombstone, not_erased_sql, read_tombstones
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.quality import data_quality
from features.warehouse.store import open_store
from flows.settings import Settings
from flows.workspace import Night, Workspace

SOURCES: Mapping[str, Callable[..., tuple[SourceFile, ...]]] = {
    "open_bandit": open_bandit.files,
    "simulated": simulated.files,
    "rees46": rees46.files,
    "retailrocket": retailrocket.files,
    "online_retail": online_retail.files,
    "otto": otto.files,
    "criteo_attribution": criteo_attribution.files,
}


def ingest(workspace: Workspace, as_of: date | None) -> Night:
    """Load what is new, build the marts as the night of `as_of` knows them, and name the night.

    as_of: None means the newest day in the logs that is over.
    A file that was loaded before is skipped by its hash, so that a repeated night changes nothing.
    Raises InputDataError where a file can't be used; what was loaded before it stays.
    """
    settings = workspace.settings
    files = source_files(settings, as_of)
    with open_store(workspace.warehouse) as connection:
        loaded = [_load(connection, workspace, file) for file in files]
        as_of = as_of or _newest_day_that_is_over(connection)
        build(connection, as_of=as_of, attribution_hours=settings.night.attribution_hours)
        domains, data_from, data_to = _census(connection, as_of)
        inputs = {file.name: file.sha256 for file in loaded}
        night = Night(
            run_id=_run_id(workspace, as_of, inputs),
            shop=workspace.shop,
            as_of=as_of,
            inputs=inputs,
            data_from=data_from,
            data_to=data_to,
            domains=domains,
        )
        data_quality(connection, night.run_id).write_parquet(
            workspace.work(night.run_id) / "out_data_quality.parquet"
        )
    workspace.remember(night)
    return night


def source_files(settings: Settings, until: date | None) -> tuple[SourceFile, ...]:
    """Return the shop's files and what each feeds: by its `[[files]]` tables, or by its adapter."""
    if settings.shop.source == "files":
        return declared.files(settings.shop.logs, parse_file_tables(settings.files), until=until)
    return SOURCES[settings.shop.source](settings.shop.logs, until=until)


def _load(connection: duckdb.DuckDBPyConnection, workspace: Workspace, file: SourceFile) -> LoadedFile:
    key = read_key(key_file(workspace), create=True)
    return load_file(
        connection,
        file,
        pseudonym_sql=pseudonym_sql(key),
        key_id=key.key_id,
        max_rejected_share=workspace.settings.night.max_rejected_share,
        stored_value=stored_sql,
        not_erased=not_erased_sql([tombstone.user_key for tombstone in tombstones(workspace)]),
    )


def tombstones(workspace: Workspace) -> tuple[Tombstone, ...]:
    """Return the proofs of all erasures of the shop: whom no file may bring back."""
    return read_tombstones(workspace.settings.paths.data / "erasures" / workspace.shop)


def key_file(workspace: Workspace) -> Path:
    """Return where the shop's pseudonym key lies; it is made on the first night."""
    settings = workspace.settings
    return settings.privacy.key_file or settings.paths.data / "secrets" / f"{workspace.shop}.key"


def _newest_day_that_is_over(connection: duckdb.DuckDBPyConnection) -> date:
    """Return the night's date where none was asked for: the one place that looks at the clock."""
    [(newest,)] = connection.execute(
        """
        SELECT max(CAST(shown_at AS DATE))
        FROM (SELECT shown_at FROM raw_impressions UNION ALL SELECT shown_at FROM raw_ad_impressions)
        """
    ).fetchall()
    if newest is None:
        raise InputDataError(
            "The logs hold no impressions at all, so there is nothing to decide from. "
            "Check shop.logs, and the files' quarantine reasons above."
        )
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    return min(cast(date, newest), yesterday)


def _census(connection: duckdb.DuckDBPyConnection, as_of: date) -> tuple[tuple[str, ...], date, date]:
    """Return the domains that have rounds, and the first and last day with any."""
    [(domains, data_from, data_to)] = connection.execute(
        """
        SELECT list(DISTINCT domain ORDER BY domain DESC), min(decided_date), max(decided_date)
        FROM fct_rounds
        """
    ).fetchall()
    if not domains:
        raise InputDataError(
            f"No impression happened up to {as_of}. Choose a later date, or load earlier logs."
        )
    return tuple(domains), data_from, data_to


def _run_id(workspace: Workspace, as_of: date, inputs: Mapping[str, str]) -> str:
    """Name a night by what decides its numbers: date, inputs, configuration and code."""
    content = json.dumps(
        [
            as_of.isoformat(),
            inputs,
            workspace.settings.content_hash,
            version("metacart"),
            sorted(tombstone.user_key for tombstone in tombstones(workspace)),
        ],
        sort_keys=True,
    )
    return f"{as_of.isoformat()}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
