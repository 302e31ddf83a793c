"""The spellings of a user's id: the one that the mapping stores, and ids with rows that look like it.

An id in another letter case, with other blanks around it or in another Unicode form is another pseudonym, and
so another person to the warehouse. The shop alone knows whether it is the same one.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import polars as pl

from features.contracts.mapping import SourceFile
from features.deidentify import PseudonymKey, pseudonym
from features.errors import MetacartError
from features.warehouse.erase import count_rows_of
from features.warehouse.mentions import UNREADABLE, count_mentions, folded, read_as, spellings_like
from features.warehouse.shop_ids import ShopId
from features.warehouse.store import open_store
from flows.erasure.trace_search import UNREADABLE as UNREADABLE_TABLES
from flows.stages.ingest import source_files
from flows.workspace import Workspace


@dataclass(frozen=True)
class LogFiles:
    """The shop's log files; missing: why there are none to search, if so."""

    files: tuple[SourceFile, ...]
    missing: str | None

    @property
    def every(self) -> list[SourceFile]:
        """All files that exist, those that others join included, each once."""
        every = {file.path: file for file in self.files}
        every |= {file.join.file.path: file.join.file for file in self.files if file.join}
        return [file for file in every.values() if file.path.is_file()]


@dataclass(frozen=True)
class LogMentions:
    """What the log files contain of a person.

    counts: file → mentions of the id. unread: damaged files. like: texts that look like the id.
    """

    counts: dict[str, int]
    unread: tuple[str, ...]
    like: frozenset[str] = field(repr=False)


@dataclass(frozen=True)
class Spelling:
    """Another id that looks like the erased one and has rows; how: what differs, as in `Proof.spellings`."""

    text: str = field(repr=False)
    how: str
    n_rows: int


def log_files(workspace: Workspace) -> LogFiles:
    """Return the shop's log files, or why they can't be listed."""
    try:
        return LogFiles(source_files(workspace.settings, None), None)
    except (MetacartError, *UNREADABLE) as error:
        return LogFiles((), str(error))


def stored_id(logs: LogFiles, user_id: str) -> str:
    """Return the id as the shop's mappings store it, where all of them agree and only its spelling changes.

    So blanks around an id are dropped where the mapping has `trim = true`, and are part of it elsewhere.
    """
    ids = read_as(logs.files, user_id)
    made = next(iter(ids)) if len(ids) == 1 else user_id
    return made if folded(made) == folded(user_id) else user_id


def search_logs(logs: LogFiles, shop_id: ShopId) -> LogMentions:
    """Count the mentions of the id in the log files, in every spelling that the mappings read as this id."""
    like: set[str] = set()
    unread = []
    for file in logs.every:
        try:
            like |= spellings_like(file, shop_id.texts[0])
        except UNREADABLE:
            unread.append(file.name)
    same = {text for text in like if shop_id.texts[0] in read_as(logs.files, text)}
    every = ShopId(tuple(sorted({text.strip() for text in (*shop_id.texts, *same)})))
    counts = {file.name: count_mentions(file, every) for file in logs.every if file.name not in unread}
    return LogMentions({name: n for name, n in counts.items() if n}, tuple(unread), frozenset(like - same))


def other_spellings(
    workspace: Workspace, key: PseudonymKey, user_id: str, like: Collection[str], *, with_warehouse: bool
) -> list[Spelling]:
    """Return the ids that look like an id and have rows in the warehouse or in a published night.

    like: texts of the log files; besides these, usual spellings of the id are tried.
    """
    texts = {text for text in (*like, *_usual(user_id)) if text and text != user_id}
    keys = {pseudonym(key, text): text for text in sorted(texts)}
    counts: dict[str, int] = {}
    if with_warehouse and workspace.warehouse.is_file():
        with open_store(workspace.warehouse) as connection:
            counts = count_rows_of(connection, keys)
    published = _count_published(workspace, [user_key for user_key in keys if user_key not in counts])
    return [
        Spelling(keys[user_key], _difference(keys[user_key], user_id), n_rows)
        for user_key, n_rows in (counts | published).items()
    ]


def _usual(user_id: str) -> set[str]:
    bare = {user_id, user_id.strip(), f" {user_id.strip()}", f"{user_id.strip()} "}
    cased = {
        form
        for text in bare
        for form in (text, text.lower(), text.upper(), text.casefold(), text.capitalize(), text.title())
    }
    return {unicodedata.normalize(form, text) for text in cased for form in ("NFC", "NFD")} | cased


def _difference(other: str, user_id: str) -> str:
    """Return what differs between like spellings.

    >>> _difference(" Ann", "ann"), _difference("ann ", "ann")
    ('blanks and case', 'blanks')
    """
    parts = []
    (one, two) = (unicodedata.normalize("NFC", text) for text in (other.strip(), user_id.strip()))
    if other != other.strip() or user_id != user_id.strip():
        parts.append("blanks")
    if one != two:
        parts.append("case")
    elif other.strip() != user_id.strip():
        parts.append("form")
    return " and ".join(parts)


def _count_published(workspace: Workspace, user_keys: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for night in workspace.nights.all():
        for path in sorted(night.path.glob("out_*.parquet")):
            try:
                table = pl.scan_parquet(path)
                if "user_key" not in table.collect_schema():
                    continue
                rows = table.filter(pl.col("user_key").is_in(user_keys)).group_by("user_key").len().collect()
            except UNREADABLE_TABLES:
                continue
            for user_key, n_rows in rows.iter_rows():
                counts[user_key] = counts.get(user_key, 0) + n_rows
    return counts
