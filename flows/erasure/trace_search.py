"""The search for a person in everything that metacart stores: by pseudonym, and by the shop's own id."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from features.contracts.findings import codes_of, to_json
from features.contracts.sql_text import quoted
from features.text_files import raw_chunks
from features.warehouse.byte_search import count_words, holds_text
from features.warehouse.erase import ERASED, find_maskable, find_person, find_words
from features.warehouse.shop_ids import ShopId, text_columns
from features.warehouse.shop_ids import count_words as count_rows
from features.warehouse.store import open_store
from flows.erasure.proof import Mention, Why
from flows.night_folder import INGESTED
from flows.published_nights import PublishedNight
from flows.workspace import Workspace
from reports.wording.sentences import say

# Columns of out_data_quality that quote a line of the shop's files.
QUOTES = ("reason", "findings", "example")

# What polars raises on a damaged Parquet file; a panic of its core is no Exception.
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)

# Columns that name files of the shop, and the columns in them.
_OF_FILES = {"source_name", "source", "names", "file_sha256", "replaced_sha256", "twin_of", "joined_sha256"}
_MODELS = {".npz", ".safetensors"}


@dataclass(frozen=True)
class Person:
    """One person, by the shop's id and by the pseudonym in the warehouse."""

    shop_id: ShopId
    user_key: str = field(repr=False)


@dataclass(frozen=True)
class Traces:
    """Where a person is: place → rows about the person, and "place, column" → rows of others to be masked,
    or page → places in it.

    unreadable: Parquet files that nobody can search.
    """

    rows: dict[str, int]
    maskable: dict[str, int]
    unreadable: tuple[Path, ...]


def search(workspace: Workspace, person: Person, *, with_warehouse: bool = True) -> Traces:
    """Return every place with rows about the person; names are relative to the data folder.

    with_warehouse: whether the warehouse's tables are searched, which takes a file that can be opened.
    """
    data = workspace.settings.paths.data
    rows, maskable, unreadable = {}, {}, []
    if with_warehouse and workspace.warehouse.is_file():
        with open_store(workspace.warehouse) as connection:
            found = find_person(connection, person.user_key, person.shop_id)
            texts = find_maskable(connection, person.user_key, person.shop_id)
        rows = {f"warehouse table {table}": n_rows for table, n_rows in found.items()}
        maskable = {f"warehouse table {table}, {column}": n for (table, column), n in texts.items()}
    for night in workspace.nights.all():
        for page in pages_to_mask(night, person.shop_id):
            maskable[page.relative_to(data).as_posix()] = places_in(page, person.shop_id)
    for path in stored_files(workspace):
        n_traces = count_traces(path, person)
        if n_traces is None:
            unreadable.append(path)
        elif n_traces:
            rows[path.relative_to(data).as_posix()] = n_traces
    return Traces(rows, maskable, tuple(unreadable))


def search_mentions(workspace: Workspace, shop_id: ShopId, *, with_warehouse: bool) -> Iterator[Mention]:
    """Yield the texts that contain the shop's own id as a word: after an erasure, those that stay."""
    data = workspace.settings.paths.data
    if with_warehouse and workspace.warehouse.is_file():
        with open_store(workspace.warehouse) as connection:
            words = find_words(connection, shop_id)
        for (table, column), n_rows in words.items():
            yield Mention(f"warehouse table {table}", column, n_rows, _why(shop_id, column))
    with duckdb.connect() as connection:
        for path in _files_of_nights(workspace):
            place = path.relative_to(data).as_posix()
            # A published CSV file has the rows of the Parquet file beside it.
            if path.suffix in _MODELS or (path.suffix == ".csv" and path.with_suffix(".parquet").is_file()):
                continue
            for column, n_rows in words_in(path, shop_id, connection).items():
                yield Mention(place, column, n_rows, _why(shop_id, column, path))


def pages_to_mask(night: PublishedNight, shop_id: ShopId) -> list[Path]:
    """Return the pages of a night's report that contain the shop's id, if it is distinct.

    The report quotes lines in quarantine.
    """
    pages = files_of(night.path / "report") if shop_id.is_distinct else []
    return [page for page in pages if page.suffix == ".html" and places_in(page, shop_id)]


def stored_files(workspace: Workspace) -> list[Path]:
    """Return all files of warehouse, work folders, published nights and champions."""
    folder, name = workspace.warehouse.parent, workspace.warehouse.name
    beside = [path for form in (f"{name}*", f".{name}*") for path in sorted(folder.glob(form))]
    below = [file for path in beside for file in ([path] if path.is_file() else files_of(path))]
    return [*below, *_files_of_nights(workspace)]


def _files_of_nights(workspace: Workspace) -> list[Path]:
    return [
        path
        for folder in (workspace.work, workspace.published, workspace.registry)
        for path in files_of(folder)
    ]


def files_of(folder: Path) -> list[Path]:
    """Return the files of a folder and its subfolders."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def count_traces(path: Path, person: Person) -> int | None:
    """Count the rows of a Parquet file about the person; 1 for another file that contains the pseudonym.

    None for a Parquet file that can't be read.
    """
    if path.suffix != ".parquet":
        return int(holds_text(path, person.user_key))
    try:
        table = pl.scan_parquet(path)
        texts = [name for name, kind in table.collect_schema().items() if kind == pl.String]
        n_rows = int(table.filter(_is_about(texts, person.user_key)).select(pl.len()).collect().item())
        if path.stem == "out_data_quality":
            n_rows += int(_quotes(pl.read_parquet(path), person.shop_id).sum())
    except UNREADABLE:
        return None
    return n_rows


def words_in(path: Path, shop_id: ShopId, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count the rows of a Parquet file with the id as a word, by column; under "" the places in another file.

    connection: any, to read Parquet with. Empty for a Parquet file that can't be read.
    """
    if path.suffix != ".parquet":
        n_places = places_in(path, shop_id)
        return {"": n_places} if n_places else {}
    relation = f"read_parquet({quoted(str(path))})"
    try:
        return count_rows(connection, relation, text_columns(connection, relation), shop_id)
    except duckdb.Error:
        return {}


def places_in(path: Path, shop_id: ShopId) -> int:
    """Count the places in a file of metacart's that contain the id as a word.

    The bytes are searched as they are: a policy's numbers can look like any form of text.
    """
    return count_words(raw_chunks(path), *shop_id.spellings)


def without(table: pl.DataFrame, person: Person) -> pl.DataFrame:
    """Drop the rows with the pseudonym, and the quoted lines that contain the shop's id."""
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    kept = table.filter(~_is_about(texts, person.user_key))
    if not {"rule", "example"} <= set(kept.columns):
        return kept
    quoting = _quotes(kept, person.shop_id)
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


def _quotes(table: pl.DataFrame, shop_id: ShopId) -> pl.Series:
    """Return for each row whether a quoted line contains the shop's id as a word."""
    quotes = table.select(name for name in QUOTES if name in table.columns).iter_rows()
    return pl.Series([any(map(shop_id.is_in, row)) for row in quotes], dtype=pl.Boolean)


def _why(shop_id: ShopId, column: str, path: Path | None = None) -> Why:
    if not shop_id.is_distinct:
        return "unclear"
    if column in _OF_FILES or (path is not None and path.name in INGESTED):
        return "shop_file"
    return "needed" if column else "published"
