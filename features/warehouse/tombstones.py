"""Tombstones: the people whose rows are not loaded again, one JSON file each, outside of the warehouse.

So the record survives when a warehouse is deleted and loaded again.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from features.contracts.sql_text import quoted
from features.errors import DamagedFileError


@dataclass(frozen=True)
class Tombstone:
    """The tombstone of an erased person, whose rows are not loaded again: the pseudonym, and its key."""

    user_key: str
    key_id: str


def read_tombstones(folder: Path) -> tuple[Tombstone, ...]:
    """Return all erased people: one JSON object with user_key and key_id per file of the folder.

    A tombstone does not work with another key: when the shop changes its key, a file that is loaded again
    brings back its people, unless they are erased again.
    Raises DamagedFileError, naming the file, where one can't be read: a load would bring back its person.
    """
    return tuple(read_tombstone(file) for file in sorted(folder.glob("*.json")))


def not_erased_sql(user_keys: Collection[str]) -> str:
    """Return the SQL condition over stored rows that is true for all people except the erased.

    >>> not_erased_sql(["ab", "cd"])
    "(user_key IS NULL OR user_key NOT IN ('ab', 'cd'))"
    >>> not_erased_sql([])
    'true'
    """
    listed = ", ".join(map(quoted, sorted(user_keys)))
    return f"(user_key IS NULL OR user_key NOT IN ({listed}))" if listed else "true"


def read_tombstone(file: Path) -> Tombstone:
    """Return one erased person; raises DamagedFileError, naming the file."""
    try:
        record = json.loads(file.read_bytes())
        tombstone = Tombstone(record["user_key"], record["key_id"])
    except (ValueError, TypeError, KeyError, RecursionError, FileNotFoundError, IsADirectoryError):
        tombstone = Tombstone("", "")
    # The name of a tombstone that is not JSON any more, or not a file, is all that says whom it keeps out.
    if not all(isinstance(text, str) and text for text in (tombstone.user_key, tombstone.key_id)):
        raise DamagedFileError(
            f"{file} is damaged, and it keeps an erased person out: nothing was loaded, because that could "
            "bring the person back. Restore the file from a backup, or run `metacart erase` for the same "
            "person again, which writes it anew."
        )
    return tombstone
