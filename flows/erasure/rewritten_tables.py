"""Published files after an erasure: tables rewritten without the person, or removed; pages with a mask.

Nothing else changes a published file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from features.warehouse.shop_ids import ShopId
from flows.checksums import SUMS, read_sums, sha256_of
from flows.file_modes import SHARED_FILE
from flows.json_files import sync_folder, write_json
from flows.published_nights import MANIFEST, PublishedNight
from flows.stages.publish import formula_safe, rows_sha256


@dataclass(frozen=True)
class ErasureNote:
    """What a manifest says of an erasure in one of its tables.

    rows: erased rows. is_removed: the table could not be read, and was removed as a whole.
    """

    erasure_id: str
    erased_on: date
    table: str
    rows: int = 0
    is_removed: bool = False

    def among(self, known: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the notes of a manifest with this one: once, with the rows of the first time."""
        own = {"erasure_id": self.erasure_id, "table": self.table}
        same = [note for note in known if own.items() <= note.items()]
        rows = max([self.rows, *(note.get("rows", 0) for note in same)])
        erased_on = same[0]["erased_on"] if same else self.erased_on.isoformat()
        removed = {"is_removed": True} if self.is_removed else {}
        entry = own | {"erased_on": erased_on, "rows": rows} | removed
        return [entry if note in same else note for note in known] if same else [*known, entry]


def rewrite_table(night: PublishedNight, frame: pl.DataFrame, note: ErasureNote) -> None:
    """Replace the rows of a published table after an erasure.

    The manifest gets the new hash and the note. Each file is replaced in one step, Parquet last: after a
    crash its old rows show that the erasure is not complete. A file that was not as it was published keeps
    its old checksum, so that `metacart verify` still names it.
    """
    csv, parquet = (night.path / f"{note.table}.{kind}" for kind in ("csv", "parquet"))
    fresh = night.path / f".{note.table}.tmp"
    frame.write_parquet(fresh)
    known = read_sums(night.path / SUMS) or {}
    made = sha256_of(fresh)
    # After a crash the checksum may already be that of the new file.
    is_whole = known.get(parquet.name) in {sha256_of(parquet), made}
    formula_safe(frame).write_csv(fresh)
    fresh.chmod(SHARED_FILE)
    sums = {csv.name: sha256_of(fresh), parquet.name: made} if is_whole else {}
    fresh.replace(csv)
    entry = {"rows": frame.height, "hash": rows_sha256(note.table, frame)}
    night.resum(sums | _noted(night, note, {note.table: entry}, known))
    frame.write_parquet(fresh)
    fresh.chmod(SHARED_FILE)
    fresh.replace(parquet)
    sync_folder(night.path)


def remove_table(night: PublishedNight, note: ErasureNote) -> None:
    """Remove a published table that can't be read; `metacart verify` names its files as missing."""
    note = replace(note, is_removed=True)
    night.resum(_noted(night, note, {}, read_sums(night.path / SUMS) or {}))
    for kind in ("csv", "parquet"):
        (night.path / f"{note.table}.{kind}").unlink(missing_ok=True)
    sync_folder(night.path)


def mask_page(night: PublishedNight, path: Path, shop_id: ShopId, mask: str) -> None:
    """Put a mask in place of the shop's id in a page of the report."""
    fresh = night.path / f".{path.name}.tmp"
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    fresh.write_text(shop_id.mask_in(text, mask), encoding="utf-8", errors="surrogateescape")
    fresh.chmod(SHARED_FILE)
    name = path.relative_to(night.path).as_posix()
    known = (read_sums(night.path / SUMS) or {}).get(name)
    if known in {sha256_of(path), sha256_of(fresh)}:
        night.resum({name: sha256_of(fresh)})
    fresh.replace(path)
    sync_folder(path.parent)


def _noted(
    night: PublishedNight, note: ErasureNote, entries: Mapping[str, Any], known: Mapping[str, str]
) -> dict[str, str]:
    """Write the note into the manifest, and return the manifest's new checksum if it was whole before."""
    manifest = night.manifest
    path: Path = night.path / MANIFEST
    if manifest is None:
        return {}
    notes = manifest.get("erasures", [])
    after = note.among(notes)
    is_whole = known.get(MANIFEST) == sha256_of(path) or after == notes
    write_json(
        path, manifest | {"tables": manifest.get("tables", {}) | entries, "erasures": after}, SHARED_FILE
    )
    return {MANIFEST: sha256_of(path)} if is_whole else {}
