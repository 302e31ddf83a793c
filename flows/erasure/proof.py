"""The proof of an erasure: what was found of a person, what is left and why, and what was not searched."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Literal

from features.errors import MetacartError
from features.warehouse.erase import QUOTING
from flows.json_files import read_record, write_record
from flows.workspace import Workspace

Why = Literal["unclear", "shop_file", "needed", "published"]
"""Why a mention stays.

unclear: the id is short, a number or a plain word, so the text could mean something else.
shop_file: the text names a file of the shop's, or a column or line of it.
needed: an id or a name in rows of other people, which other rows and the shop refer to.
published: text of a published night that is not about a person.
"""

Damage = Literal["removed", "reset", "kept", "not searched"]
"""What was done with a leftover or damaged file: its folder was reset to the end of ingest, or it is not
metacart's and nobody knows what it contains."""

RAW_TABLES, PUBLISHED = "warehouse table raw_", "published/"
"""How the places of logged rows and of published files begin."""

NOT_SEARCHED = ("numbers", "models", "copies", "links")
"""Columns of numbers and times; arrays and learned policies; copies outside of the data folder, and files
that `metacart link` wrote there."""


@dataclass(frozen=True)
class Mention:
    """Texts that contain the shop's own id as a word and were not changed; column: empty for a file of text.

    place: as in `Proof.found`.
    """

    place: str
    column: str
    n_rows: int
    why: Why


@dataclass(frozen=True)
class Proof:
    """The proof of an erasure: the rows of a person before and after; it contains no id of the shop's.

    It is also the tombstone that keeps the person out of later loads. Fields with a default are missing in
    proofs of earlier versions.

    erasure_id: identifies the erasure where the pseudonym must not be, as in a published manifest.
    found, left: place → number of rows about the person, 1 for a file that is not a table.
    shop_files: log file → how often it contains the shop's id as a word; a short id is also found where it
    means something else. shop_files_missing: why log files could not be searched, if so; shop_files_unread:
    those that are damaged.
    is_done: false from the start until nothing is left.
    masked: place, column → rows of other people in which the shop's id was masked; page → places in it.
    mentions: where the shop's own id is left. damaged: file → what was done with it.
    spellings: how another id with rows differs from this one ("blanks", "case", "form", or several) → its
    number of rows; it can be the same person, and is not erased.
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
    masked: Mapping[str, int] = field(default_factory=dict)
    mentions: tuple[Mention, ...] = ()
    damaged: Mapping[str, Damage] = field(default_factory=dict)
    shop_files_unread: tuple[str, ...] = ()
    spellings: Mapping[str, int] = field(default_factory=dict)
    not_searched: tuple[str, ...] = ()

    @property
    def has_found(self) -> bool:
        """Whether metacart stored anything about the person, beyond quoted lines that contain the id."""
        return bool(self.masked) or any(not is_quote(place) for place in self.found)


def is_quote(place: str) -> bool:
    """Whether a place quotes lines of the shop's files: those in quarantine.

    >>> is_quote("warehouse table rejected_lines"), is_quote("published/shop/2026/out_data_quality.parquet")
    (True, True)
    """
    name = place.removeprefix("warehouse table ").rpartition("/")[2]
    return name.partition(".")[0] in QUOTING


def erasures(workspace: Workspace) -> Path:
    """Return the folder of the shop's proofs, one JSON file per person."""
    return workspace.settings.paths.data / "erasures" / workspace.shop


def proof_path(workspace: Workspace, proof: Proof) -> Path:
    """Return the file of a proof."""
    return erasures(workspace) / f"{proof.erasure_id}.json"


def begin(workspace: Workspace, user_key: str, key_id: str, reason: str, erased_on: date) -> Proof:
    """Write the tombstone before anything is searched, and return the proof so far.

    Of an erasure that was begun before, reason, day and all that was found then stay. A damaged proof is
    replaced, and named.
    """
    erasure_id = hashlib.sha256(f"erasure of {user_key}".encode()).hexdigest()[:12]
    proof = Proof(
        erasure_id, workspace.shop, user_key, key_id, reason, erased_on, {}, {}, {}, None, is_done=False
    )
    path = proof_path(workspace, proof)
    if path.is_file():
        try:
            earlier = read_record(path, Proof)
            proof = replace(earlier, key_id=key_id, user_key=user_key, is_done=False)
        except MetacartError:
            proof = replace(
                proof, damaged={path.relative_to(workspace.settings.paths.data).as_posix(): "removed"}
            )
    save(workspace, proof)
    return proof


def save(workspace: Workspace, proof: Proof) -> None:
    """Write the proof."""
    folder = erasures(workspace)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_record(proof_path(workspace, proof), proof)


def most(*counts: Mapping[str, int]) -> dict[str, int]:
    """Return the largest count of each place: a second run finds less than the first."""
    places = sorted({place for some in counts for place in some})
    return {place: max(some.get(place, 0) for some in counts) for place in places}
