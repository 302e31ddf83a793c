"""Ingest: a shop's files → checked, pseudonymous rows in the warehouse, and the marts of one night."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb

from features.areas import AREAS, RECOMMENDATION
from features.contracts.findings import Finding
from features.contracts.mapping import SourceFile
from features.deidentify import MissingKeyError, PseudonymKey, pseudonym_sql, read_key
from features.deidentify.stored import stored_sql
from features.errors import InputDataError, UsageError
from features.sources import declared
from features.sources.adapters import ADAPTERS, FILES
from features.sources.file_tables import parse_file_tables
from features.warehouse.build import build
from features.warehouse.earned_money import refuse_unknown_money
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.log_days import first_and_last_day, last_day_with_rewards, row_counts
from features.warehouse.manifest import key_ids
from features.warehouse.published_lists import published_lists
from features.warehouse.quality import data_quality
from features.warehouse.retention import drop_old_rows, first_kept_day
from features.warehouse.store import open_store
from features.warehouse.tombstones import Tombstone, not_erased_sql, read_tombstones
from features.warehouse.watermark import Watermark
from flows.complete_days import newest_over, refuse_unfinished_day
from flows.night_folder import Night
from flows.registry.standing_champions import standing_champions
from flows.settings import Settings
from flows.stages.divisible import undivided_domains
from flows.stages.estimable import estimable
from flows.stages.lists_today import lists_until_promotion
from flows.stages.undecided import undecided, unproven
from flows.standing import StandingChampions
from flows.workspace import Workspace
from reports.wording.sentences import say, say_rule


def ingest(workspace: Workspace, as_of: date | None) -> Night:
    """Load new files, build the marts of the night of `as_of`, and name the night.

    as_of: None for the newest complete day in the logs; for rounds without times, the day on which the last
        reward may arrive.
    A file that was loaded before is recognized by its hash and skipped, so a repeated night changes nothing.
    Raises InputDataError where a file can't be used; files loaded before it stay loaded.
    """
    settings = workspace.settings
    files = source_files(settings, as_of)
    # The clock is read only here: for the time when new files were received, and for the last complete day.
    now = datetime.now(UTC)
    refuse_unfinished_day(as_of, now.date())
    with open_store(workspace.warehouse) as connection:
        key = _key(connection, workspace)
        loaded = _load_all(connection, workspace, files, as_of, now, key=key)
        loaded_days = first_and_last_day(connection, "raw")
        if loaded_days is None:
            raise InputDataError(
                "The logs hold no row with a day, so there is no night to run. Check shop.logs, "
                "and the reasons of rejected lines."
            )
        as_of = as_of or newest_complete_day(connection, loaded_days[1], settings, now)
        # From here on the marts are those of no night until this one is remembered.
        workspace.forget()
        if settings.night.keep_days:
            # A date after the end of the logs must not drop all their rows.
            drop_old_rows(connection, first_kept_day(min(as_of, loaded_days[1]), settings.night.keep_days))
        build(
            connection,
            as_of=as_of,
            attribution_hours=settings.night.attribution_hours,
            max_superseded_share=settings.night.max_rejected_share,
        )
        known_days = first_and_last_day(connection, "stg")
        if known_days is None:
            raise InputDataError(
                f"The logs have no row up to {as_of}. Choose a later date, or load earlier logs."
            )
        champions = standing_champions(workspace, as_of)
        outlook = _outlook(connection, settings, as_of, champions)
        domains = outlook.domains
        if RECOMMENDATION.name in {*domains, *outlook.undivided}:
            refuse_unknown_money(connection, settings.night.counted, settings.shop.currency_code)
        inputs = dict(file.joined for file in loaded if file.joined)
        inputs |= {file.name: file.sha256 for file in loaded}
        logged = [domain for domain in domains if domain not in outlook.estimated]
        listed = lists_until_promotion(connection, workspace, as_of, champions, logged)
        serving = [served for served in (champions.manifest_entries(), sorted(listed)) if served]
        night = Night(
            run_id=_run_id(workspace, as_of, inputs, row_counts(connection, "stg"), serving),
            shop=workspace.shop,
            as_of=as_of,
            inputs=inputs,
            data_from=known_days[0],
            data_to=known_days[1],
            domains=domains,
            undecided=outlook.undecided,
            unproven={**_without_champion(outlook.unproven, domains, champions), **listed},
            estimated=outlook.estimated,
            config_sha256=settings.content_hash,
            champions=champions,
        )
        quality = data_quality(
            connection,
            night.run_id,
            say,
            say_rule,
            key_id=key.key_id,
            unread=declared.unread_files(settings.shop.logs, files) if settings.shop.source == FILES else (),
        )
        workspace.night_folder(night.run_id).write_table("out_data_quality", quality)
    workspace.remember(night)
    return night


@dataclass(frozen=True)
class _Outlook:
    """What a night's logs allow: the domains that are learned, and domain → why it is not, or how.

    undivided: the domains whose rounds have propensities, and can't be divided to learn from them.
    """

    domains: tuple[str, ...]
    undivided: frozenset[str]
    undecided: Mapping[str, Finding]
    unproven: Mapping[str, Finding]
    estimated: Mapping[str, Finding]


def _outlook(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date, champions: StandingChampions
) -> _Outlook:
    reasons = undecided(connection, as_of, settings.night.counted)
    ranked = unproven(connection, reasons, settings.segments.min_rounds)
    estimates = estimable(connection, settings, as_of, champions)
    why = estimates.said(reasons, ranked)
    logged = [
        area.name
        for area in AREAS
        if area.is_learned and area.name not in {*reasons, *ranked, *estimates.estimated}
    ]
    undivided = undivided_domains(connection, settings, as_of, logged)
    return _Outlook(
        domains=tuple(
            area.name
            for area in AREAS
            if area.name in estimates.estimated or (area.name in logged and area.name not in undivided.all)
        ),
        undivided=undivided.all,
        undecided={**why.undecided, **undivided.undecided},
        unproven={**why.unproven, **undivided.unproven},
        estimated=estimates.estimated,
    )


def _without_champion(
    unproven: Mapping[str, Finding], domains: Collection[str], champions: StandingChampions
) -> dict[str, Finding]:
    """Return the unproven domains in which no champion serves: one that won an experiment stands on that."""
    return {
        domain: why
        for domain, why in unproven.items()
        if domain not in domains or not champions.of(domain).policy_version
    }


def newest_complete_day(
    connection: duckdb.DuckDBPyConnection, last_day: date, settings: Settings, now: datetime
) -> date:
    """Return the date of a night for which none was asked; last_day: of all loaded rows."""
    with_rewards = last_day_with_rewards(connection, last_day, settings.night.attribution_hours)
    return min(with_rewards, newest_over(now.date()))


def source_files(settings: Settings, until: date | None) -> tuple[SourceFile, ...]:
    """Return the shop's files with the logs of each, by its `[[files]]` tables or by its adapter."""
    if settings.shop.source == FILES:
        return declared.files(settings.shop.logs, parse_file_tables(settings.files), until=until)
    return ADAPTERS[settings.shop.source].files(settings.shop.logs, until=until)


def _load_all(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    files: Sequence[SourceFile],
    as_of: date | None,
    now: datetime,
    *,
    key: PseudonymKey,
) -> list[LoadedFile]:
    erased = tombstones(workspace)
    refuse_foreign_tombstones(erased, key.key_id)
    hashed = pseudonym_sql(key)
    not_erased = not_erased_sql([tombstone.user_key for tombstone in erased])
    watermark = _watermark(workspace, as_of)
    published = published_lists(connection, [(night.run_id, night.path) for night in workspace.nights.all()])
    # A new log comes with its history: none of its days was closed.
    known_logs = {log for log, n_rows in row_counts(connection, "raw").items() if n_rows}

    def load(file: SourceFile) -> LoadedFile:
        return load_file(
            connection,
            file,
            pseudonym_sql=hashed,
            key_id=key.key_id,
            max_rejected_share=workspace.settings.night.max_rejected_share,
            watermark=watermark if any(mapping.log in known_logs for mapping in file.logs) else None,
            first_day=workspace.settings.shop.first_day,
            now=now,
            stored_value=stored_sql,
            not_erased=not_erased,
            published=published,
            say=say,
            limits=workspace.settings.limits.of_files,
        )

    loaded = [(file, load(file)) for file in files]
    # The other file of the same content may have changed since: then its rows no longer count for this one.
    return [load(file) if done.twin_of else done for file, done in loaded]


def _key(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> PseudonymKey:
    """Return the shop's key; only a shop without rows of another key gets a new one.

    Raises UsageError where the key is missing: under a new one, every known user would be another person.
    """
    known = key_ids(connection)
    try:
        return read_key(key_file(workspace), create=not known)
    except MissingKeyError as error:
        raise UsageError(
            f"{error} The warehouse holds rows of the key {', '.join(known)}: under a new key, all users "
            f"would be new. To begin anew all the same, move {workspace.warehouse} away."
        ) from error


def _watermark(workspace: Workspace, as_of: date | None) -> Watermark | None:
    """Return the closed days: none on the first night, and none after a night that is run again."""
    last = workspace.last_night()
    if last is None:
        return None
    return Watermark(min(last, as_of) if as_of else last, workspace.settings.night.late_days)


def refuse_foreign_tombstones(erased: Sequence[Tombstone], key_id: str) -> None:
    """Refuse to load with another key than that of erased people: it would not recognize them."""
    foreign = sum(tombstone.key_id != key_id for tombstone in erased)
    if foreign:
        raise UsageError(
            f"{foreign} people were erased with another pseudonym key than the present one ({key_id}), "
            "which can't recognize their rows. Restore the old key, or erase them again with the new one "
            "and move their old proofs out of data/erasures."
        )


def tombstones(workspace: Workspace) -> tuple[Tombstone, ...]:
    """Return the proofs of all erasures of the shop: people whose rows are not loaded again."""
    return read_tombstones(workspace.settings.paths.data / "erasures" / workspace.shop)


def key_file(workspace: Workspace) -> Path:
    """Return the path of the shop's pseudonym key; the first night creates it."""
    settings = workspace.settings
    return settings.privacy.key_file or settings.paths.data / "secrets" / f"{workspace.shop}.key"


def _run_id(
    workspace: Workspace,
    as_of: date,
    inputs: Mapping[str, str],
    n_rows: Mapping[str, int],
    serving: Sequence[object],
) -> str:
    """Return the run_id, a hash of all that affects a night's numbers: date, inputs, rows, settings and code.

    n_rows: rows of each dated log that the night uses. The same files give other rows where earlier nights
    have closed days, where old rows were dropped, and where people were erased. serving: what the nights
    before let serve; empty where that is the shop's own policy.
    """
    content = json.dumps(
        [
            as_of.isoformat(),
            inputs,
            n_rows,
            workspace.settings.content_hash,
            version("metacart"),
            sorted(tombstone.user_key for tombstone in tombstones(workspace)),
            *serving,
        ],
        sort_keys=True,
    )
    return f"{as_of.isoformat()}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
