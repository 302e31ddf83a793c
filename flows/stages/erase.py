"""Erase: a person is removed from warehouse, work folders and published tables, with a proof.

The shop itself has to erase its own log files and its copies of published tables: the proof names the log
files that still contain the person's id. The pseudonym key stays: without it, new rows of an erased person
could not be recognized. Learned policies that used rounds of the person are deleted with their work folder.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from features.contracts.findings import codes_of, to_json
from features.deidentify import pseudonym, read_key
from features.errors import InputDataError, MetacartError, UsageError
from features.warehouse.build import build
from features.warehouse.byte_search import holds_text
from features.warehouse.erase import ERASED, erase_person, find_person, rewrite_store
from features.warehouse.mentions import count_mentions
from features.warehouse.store import open_store
from flows.json_files import read_json, write_json
from flows.night_folder import NightFolder
from flows.stages.ingest import key_file, source_files
from flows.stages.publish import rewrite_table
from flows.workspace import Workspace
from reports.wording.sentences import say

# Columns of out_data_quality that quote a line of the shop's files.
QUOTES = ("reason", "findings", "example")


@dataclass(frozen=True)
class Proof:
    """The proof of an erasure: the rows of a person before and after; it contains no id of the shop's.

    It is also the tombstone that keeps the person out of later loads.

    erasure_id: identifies the erasure where the pseudonym must not be, as in a published manifest.
    found, left: place → number of rows about the person, 1 for a file that is not a table.
    shop_files: log file → how often it contains the shop's id as a word; a short id is also found where it
    means something else. shop_files_missing: why log files could not be searched, if so.
    is_done: false from the start until nothing is left.
    """

    erasure_id: str
    shop: str
    user_key: str
    key_id: str
    reason: str
    erased_on: date
    found: Mapping[str, int]
    left: Mapping[str, int]
    shop_files: Mapping[str, int]
    shop_files_missing: str | None
    is_done: bool


@dataclass(frozen=True)
class _Person:
    """One person, by the shop's id and by the pseudonym in the warehouse."""

    user_id: str
    user_key: str


def erase(workspace: Workspace, user_id: str, *, reason: str, erased_on: date) -> Proof:
    """Erase a person from everything that metacart stores, and return the proof.

    user_id: as the shop's mapping passes it to the contract. Call it with the shop locked
    (`workspace.locked`). From the start, the proof is a tombstone that keeps the person out of later loads.
    After a crash, or at any time, run it again: it continues, and the proof keeps the numbers found first. A
    work folder with rows of the person is reset to the end of ingest: the stages begin again at `learn`.

    Raises UsageError without an id or reason or where the shop has no key; MetacartError, naming the places,
    when something is left.
    """
    if not user_id or not reason.strip():
        raise UsageError("An erasure needs the shop's own id of the user and a reason.")
    key = read_key(key_file(workspace))
    person = _Person(user_id, pseudonym(key, user_id))
    proof = _begin(workspace, person, key.key_id, reason, erased_on)
    if workspace.warehouse.is_file():
        with open_store(workspace.warehouse) as connection:
            erase_person(connection, person.user_key, person.user_id)
            _rebuild(connection, workspace)
        shutil.rmtree(f"{workspace.warehouse}.tmp", ignore_errors=True)
        rewrite_store(workspace.warehouse)
    for folder in workspace.night_folders:
        _reset(folder, person)
    for table in sorted(workspace.published.rglob("out_*.parquet")):
        _rewrite(table, person, proof)
    shop_files, missing = _search_shop_files(workspace, person)
    left = _search(workspace, person)
    proof = replace(proof, left=left, shop_files=shop_files, shop_files_missing=missing, is_done=not left)
    _write(workspace, proof)
    if left:
        raise MetacartError(
            f"Rows of the person are left in {', '.join(left)}. Remove files that are not metacart's, "
            "then erase again."
        )
    return proof


def erasures(workspace: Workspace) -> Path:
    """Return the folder of the shop's proofs, one JSON file per person."""
    return workspace.settings.paths.data / "erasures" / workspace.shop


def _begin(workspace: Workspace, person: _Person, key_id: str, reason: str, erased_on: date) -> Proof:
    """Write the tombstone, with all numbers found before anything is removed."""
    found = _search(workspace, person)
    erasure_id = hashlib.sha256(f"erasure of {person.user_key}".encode()).hexdigest()[:12]
    proof = Proof(
        erasure_id,
        workspace.shop,
        person.user_key,
        key_id,
        reason,
        erased_on,
        found,
        {},
        {},
        None,
        is_done=False,
    )
    known = erasures(workspace) / f"{erasure_id}.json"
    if known.is_file():
        earlier = read_json(known)
        most = {
            place: max(found.get(place, 0), earlier["found"].get(place, 0))
            for place in sorted({*found, *earlier["found"]})
        }
        first_said = date.fromisoformat(earlier["erased_on"])
        proof = replace(proof, reason=earlier["reason"], erased_on=first_said, found=most)
    _write(workspace, proof)
    return proof


def _write(workspace: Workspace, proof: Proof) -> None:
    folder = erasures(workspace)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(
        folder / f"{proof.erasure_id}.json", asdict(proof) | {"erased_on": proof.erased_on.isoformat()}
    )


def _rebuild(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Build the marts of the last night again, so that no sum in them counts the person."""
    if workspace.latest is not None:
        build(
            connection,
            as_of=workspace.latest.as_of,
            attribution_hours=workspace.settings.night.attribution_hours,
        )


def _reset(folder: NightFolder, person: _Person) -> None:
    """Reset a work folder with rows of the person to the end of ingest."""
    if not any(_n_traces(file, person) for file in _files(folder.path)):
        return
    folder.clear()
    for name in folder.table_names:
        folder.write_table(name, _without(folder.table(name), person))
    folder.seal_ingest()


def _rewrite(path: Path, person: _Person, proof: Proof) -> None:
    """Remove the person from a published table."""
    if not _n_traces(path, person):
        return
    before = pl.read_parquet(path)
    after = _without(before, person)
    note = {
        "erasure_id": proof.erasure_id,
        "erased_on": proof.erased_on.isoformat(),
        "table": path.stem,
        "rows": before.height - after.height,
    }
    rewrite_table(path.parent, path.stem, after, note)


def _search(workspace: Workspace, person: _Person) -> dict[str, int]:
    """Return every place with rows about the person; names are relative to the data folder."""
    data = workspace.settings.paths.data
    found = {}
    if workspace.warehouse.is_file():
        with open_store(workspace.warehouse) as connection:
            rows = find_person(connection, person.user_key, person.user_id)
        found.update({f"warehouse table {table}": n_rows for table, n_rows in rows.items()})
    database = workspace.warehouse.name
    files = [
        *workspace.warehouse.parent.glob(f"{database}*"),
        *workspace.warehouse.parent.glob(f".{database}*"),
        *_files(workspace.work),
        *_files(workspace.published),
    ]
    counts = {path: _n_traces(path, person) for path in sorted(files) if path.is_file()}
    return found | {path.relative_to(data).as_posix(): n for path, n in counts.items() if n}


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _n_traces(path: Path, person: _Person) -> int:
    """Count the rows of a Parquet file about the person; 1 for another file with the pseudonym."""
    if path.suffix != ".parquet":
        return int(holds_text(path, person.user_key))
    table = pl.scan_parquet(path)
    texts = [name for name, kind in table.collect_schema().items() if kind == pl.String]
    n_rows = table.filter(_is_about(texts, person.user_key)).select(pl.len()).collect().item()
    return int(n_rows) + int(_quotes(pl.read_parquet(path), person.user_id).sum() if _is_quality(path) else 0)


def _without(table: pl.DataFrame, person: _Person) -> pl.DataFrame:
    """Drop the rows with the pseudonym, and the quoted lines that contain the shop's id."""
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    kept = table.filter(~_is_about(texts, person.user_key))
    if not {"rule", "example"} <= set(kept.columns):
        return kept
    quoting = _quotes(kept, person.user_id)
    left = {
        "reason": say([ERASED]),
        "reason_codes": codes_of([ERASED]),
        "findings": to_json([ERASED]),
        "example": None,
    }
    # a table of an earlier version has no findings
    return kept.with_columns(
        pl.when(quoting).then(pl.lit(text)).otherwise(name).alias(name)
        for name, text in left.items()
        if name in kept.columns
    )


def _is_about(texts: list[str], user_key: str) -> pl.Expr:
    return pl.any_horizontal(
        pl.lit(value=False),
        *(pl.col(name).str.contains(user_key, literal=True).fill_null(False) for name in texts),
    )


def _is_quality(path: Path) -> bool:
    return path.stem == "out_data_quality"


def _quotes(table: pl.DataFrame, user_id: str) -> pl.Series:
    """Return for each row whether a quoted line contains the shop's id as a word."""
    word = re.compile(rf"(?<![0-9A-Za-z_]){re.escape(user_id)}(?![0-9A-Za-z_])")
    quotes = table.select(name for name in QUOTES if name in table.columns).iter_rows()
    return pl.Series([any(text and word.search(text) for text in row) for row in quotes], dtype=pl.Boolean)


def _search_shop_files(workspace: Workspace, person: _Person) -> tuple[dict[str, int], str | None]:
    """Count the person's id in each log file of the shop, or return why that is not possible."""
    try:
        files = source_files(workspace.settings, None)
    except InputDataError as error:
        return {}, str(error)
    every = {file.name: file for file in files}
    every |= {file.join.file.name: file.join.file for file in files if file.join}
    counts = {
        file.name: count_mentions(file, person.user_id) for file in every.values() if file.path.is_file()
    }
    return {name: n_mentions for name, n_mentions in counts.items() if n_mentions}, None
