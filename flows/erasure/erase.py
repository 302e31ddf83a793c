"""Erase: a person is removed from warehouse, work folders and published tables, with a proof.

The tombstone comes first, so that the person stays out whatever happens then. Damaged files don't stop an
erasure: those of metacart's own are removed and named, since nobody can say what they contain. In rows of
other people the shop's own id is masked where the text only links or describes; where it stays, the proof
says why.

The shop itself has to erase its own log files and its copies of published tables: the proof names the log
files that still contain the person's id. The pseudonym key stays: without it, new rows of an erased person
could not be recognized. Learned policies that used rounds of the person are deleted with their work folder;
champions, whose numbers are of groups, stay, but for those that name the person (`erased_champions`).
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from features.deidentify import PseudonymKey, pseudonym, read_key
from features.errors import InputDataError, LockedError, MetacartError, UsageError
from features.machine_faults import machine_fault
from features.warehouse.build import build
from features.warehouse.erase import ERASED, erase_person, rewrite_store
from features.warehouse.shop_ids import ShopId
from features.warehouse.store import open_store
from flows.erasure.damaged_files import damage, named, sweep
from flows.erasure.erased_champions import remove_champions
from flows.erasure.other_spellings import (
    LogFiles,
    Spelling,
    log_files,
    other_spellings,
    search_logs,
    stored_id,
)
from flows.erasure.proof import NOT_SEARCHED, PUBLISHED, RAW_TABLES, Proof, begin, most, save
from flows.erasure.rewritten_tables import ErasureNote, mask_page, remove_table, rewrite_table
from flows.erasure.trace_search import (
    UNREADABLE,
    Person,
    count_traces,
    files_of,
    pages_to_mask,
    places_in,
    search,
    search_mentions,
    without,
    words_in,
)
from flows.night_folder import INGESTED, NightFolder
from flows.published_nights import PublishedNight, is_run_id
from flows.stages.ingest import key_file
from flows.workspace import Workspace
from reports.wording.sentences import say


@dataclass(frozen=True)
class _Erasure:
    """An erasure in progress: whose, and the shop's log files."""

    workspace: Workspace
    key: PseudonymKey
    logs: LogFiles
    person: Person

    @property
    def stored_id(self) -> str:
        return self.person.shop_id.texts[0]


def erase(workspace: Workspace, user_id: str, *, reason: str, erased_on: date) -> Proof:
    """Erase a person from everything that metacart stores, and return the proof.

    user_id: the shop's own id; it is compared as the shop's mapping stores it (`stored_id`). Call it with the
    shop locked (`workspace.locked`). From the start, the proof is a tombstone that keeps the person out of
    later loads. After a crash, or at any time, run it again: it continues, and the proof keeps the numbers
    found first. A work folder with rows of the person is reset to the end of ingest: the stages begin again
    at `learn`.

    Raises UsageError without an id or reason or where the shop has no key; MetacartError, naming the places,
    when something is left, or the warehouse can't be opened or rewritten: all else is erased then.
    """
    return _erase(workspace, user_id, reason, erased_on)[0]


def erase_every_spelling(
    workspace: Workspace, user_id: str, *, reason: str, erased_on: date
) -> tuple[Proof, ...]:
    """Erase a person and every id with rows that differs in blanks, letter case or Unicode form alone."""
    first, spellings = _erase(workspace, user_id, reason, erased_on)
    others = [_erase(workspace, other.text, reason, erased_on)[0] for other in spellings]
    return first, *others


def _erase(
    workspace: Workspace, user_id: str, reason: str, erased_on: date
) -> tuple[Proof, Sequence[Spelling]]:
    if not user_id.strip() or not reason.strip():
        raise UsageError("An erasure needs the shop's own id of the user and a reason.")
    key = read_key(key_file(workspace))
    logs = log_files(workspace)
    stored = stored_id(logs, user_id)
    person = Person(ShopId(tuple(dict.fromkeys((stored, user_id)))), pseudonym(key, stored))
    proof = begin(workspace, person.user_key, key.key_id, reason, erased_on)
    erasure = _Erasure(workspace, key, logs, person)
    proof, trouble = _remove(erasure, proof)
    proof, spellings = _prove(erasure, proof, with_warehouse=trouble is None)
    if trouble is not None:
        raise MetacartError(
            f"{trouble} All but the warehouse is erased; when the warehouse can be used, erase again."
        ) from trouble
    if proof.left:
        raise MetacartError(
            f"Rows of the person are left in {', '.join(proof.left)}. Remove files that are not metacart's, "
            "then erase again."
        )
    return proof, spellings


def _remove(erasure: _Erasure, proof: Proof) -> tuple[Proof, MetacartError | None]:
    """Record all that is found, remove it, and return the proof, and why the warehouse can't be used."""
    workspace, person = erasure.workspace, erasure.person
    trouble = None
    try:
        traces = search(workspace, person)
    except LockedError:
        raise
    except (MetacartError, duckdb.Error) as error:
        trouble = _said(workspace, error)
        traces = search(workspace, person, with_warehouse=False)
    # Tables that are made from the raw ones are made again.
    masked = {place: n for place, n in traces.maskable.items() if place.startswith((RAW_TABLES, PUBLISHED))}
    damaged = {**proof.damaged, **damage(workspace, traces.unreadable)}
    proof = replace(
        proof,
        found=most(proof.found, traces.rows),
        masked=most(proof.masked, masked),
        damaged=damaged,
    )
    save(workspace, proof)
    mask = f"erased-{proof.erasure_id}"
    sweep(workspace)
    if trouble is None and workspace.warehouse.is_file():
        try:
            _erase_warehouse(workspace, person, mask=mask)
        except (MetacartError, duckdb.Error) as error:
            trouble = _said(workspace, error)
    with duckdb.connect() as connection:
        for folder in workspace.night_folders:
            if is_run_id(folder.run_id):
                _reset(folder, person, connection)
        remove_champions(workspace, person, connection)
    for night in workspace.nights.all():
        _rewrite(night, person, proof)
        for page in pages_to_mask(night, person.shop_id):
            mask_page(night, page, person.shop_id, mask)
    return proof, trouble


def _prove(erasure: _Erasure, proof: Proof, *, with_warehouse: bool) -> tuple[Proof, Sequence[Spelling]]:
    """Search again, and write what is left and what only the shop can erase or judge."""
    workspace, person = erasure.workspace, erasure.person
    after = search(workspace, person, with_warehouse=with_warehouse)
    left = after.rows | after.maskable
    if not with_warehouse:
        left |= {named(workspace, workspace.warehouse): 1}
    mentions = search_logs(erasure.logs, person.shop_id)
    spellings = other_spellings(
        workspace, erasure.key, erasure.stored_id, mentions.like, with_warehouse=with_warehouse
    )
    rows: dict[str, int] = {}
    for other in spellings:
        rows[other.how] = rows.get(other.how, 0) + other.n_rows
    proof = replace(
        proof,
        left=left,
        shop_files=mentions.counts,
        shop_files_missing=erasure.logs.missing,
        shop_files_unread=mentions.unread,
        mentions=tuple(search_mentions(workspace, person.shop_id, with_warehouse=with_warehouse)),
        spellings=rows,
        not_searched=NOT_SEARCHED,
        is_done=not left,
    )
    save(workspace, proof)
    return proof, spellings


def _said(workspace: Workspace, error: Exception) -> MetacartError:
    if isinstance(error, MetacartError):
        return error
    return machine_fault(error) or InputDataError(
        f"{workspace.warehouse} can't be read; restore it, or move it away and load the logs again. "
        f"DuckDB says: {str(error).splitlines()[0]}"
    )


def _erase_warehouse(workspace: Workspace, person: Person, *, mask: str) -> None:
    with open_store(workspace.warehouse) as connection:
        erase_person(connection, person.user_key, person.shop_id, mask=mask, sentence=say([ERASED]))
        _rebuild(connection, workspace)
    shutil.rmtree(f"{workspace.warehouse}.tmp", ignore_errors=True)
    rewrite_store(workspace.warehouse)


def _rebuild(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Build the marts of the last night again, so that no sum in them counts the person."""
    as_of = _last_as_of(workspace)
    if as_of is not None:
        build(connection, as_of=as_of, attribution_hours=workspace.settings.night.attribution_hours)


def _last_as_of(workspace: Workspace) -> date | None:
    """Return the date of the night that was ingested last; of the newest one where that is not known."""
    try:
        latest = workspace.latest
    except MetacartError:
        latest = None
    known = [latest] if latest else [folder for folder in workspace.night_folders if is_run_id(folder.run_id)]
    dates = [date.fromisoformat(folder.run_id[:10]) for folder in known]
    last = workspace.last_night()
    return max(dates) if dates else last


def _reset(folder: NightFolder, person: Person, connection: duckdb.DuckDBPyConnection) -> None:
    """Reset a work folder with rows of the person, or with damaged tables, to the end of ingest.

    connection: any, to read Parquet with.
    """
    if any(_is_to_go(file, person, connection) for file in files_of(folder.path)):
        folder.clear()
        for name in folder.table_names:
            try:
                table = folder.table(name)
            except UNREADABLE:
                (folder.path / f"{name}.parquet").unlink()
            else:
                folder.write_table(name, without(table, person))
    # A crash can leave a reset folder without its mark; without its files it takes another ingest.
    if all((folder.path / name).is_file() for name in INGESTED) and not folder.is_sealed:
        folder.seal_ingest()


def _is_to_go(file: Path, person: Person, connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a file of a work folder is about the person, or nobody can say.

    What the ingest wrote can name files of the shop's; all else is made again without the shop's id.
    """
    if count_traces(file, person) != 0:
        return True
    if not person.shop_id.is_distinct or file.name in INGESTED:
        return False
    return bool(words_in(file, person.shop_id, connection))


def _rewrite(night: PublishedNight, person: Person, proof: Proof) -> None:
    """Remove the person from the tables of a published night, and tables that can't be read."""
    tables = {path.stem for kind in ("csv", "parquet") for path in night.path.glob(f"out_*.{kind}")}
    for name in sorted(tables):
        note = ErasureNote(proof.erasure_id, proof.erased_on, name)
        parquet, csv = (night.path / f"{name}.{kind}" for kind in ("parquet", "csv"))
        has_traces = csv.is_file() and bool(count_traces(csv, person))
        if not parquet.is_file():
            if has_traces or (name == "out_data_quality" and places_in(csv, person.shop_id)):
                remove_table(night, note)
            continue
        try:
            before = pl.read_parquet(parquet)
        except UNREADABLE:
            remove_table(night, note)
            continue
        if has_traces or count_traces(parquet, person):
            after = without(before, person)
            rewrite_table(night, after, replace(note, rows=before.height - after.height))
