"""The file of a link: where it may be, and how it gets there, for its owner alone and in one step."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from features.contracts.plain_text import shown
from features.contracts.sql_text import quoted
from features.errors import UsageError
from flows.file_modes import PRIVATE_FILE, PRIVATE_FOLDER
from flows.json_files import sync_folder
from flows.stages.publish import FORMULA_STARTS, formula_safe
from flows.workspace import Workspace

ENDINGS = (".parquet", ".csv")


def refuse_place(workspace: Workspace, out: Path, ids: Path, *, overwrite: bool) -> None:
    """Raise UsageError where a link must not be written.

    Not in the data folder, where published nights are served and an erasure searches; not where a later night
    would read it as a log; not over the file of ids; and over no other file unless that is allowed.
    """
    if out.suffix not in ENDINGS:
        raise UsageError(f"{out} must end in .parquet or .csv: that is the format of the link.")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is not a folder: name a file in an existing folder.")
    place = out.parent.resolve() / out.name
    if not str(place).isprintable() or any(sign in str(place) for sign in "*?[]"):
        raise UsageError(
            f"{shown(str(place))} has one of *?[] or a control character in its path: name another file."
        )
    data = workspace.settings.paths.data.resolve()
    if place.is_relative_to(data):
        raise UsageError(
            f"{out} is inside {data}, whose published nights are served to others, and the link says who is "
            "behind each pseudonym. Write it where the ids are kept."
        )
    logs = workspace.settings.shop.logs.resolve()
    patterns = [str(table.get("path", "")) for table in workspace.settings.files]
    if place.is_relative_to(logs) and any(
        pattern and place.relative_to(logs).match(pattern) for pattern in patterns
    ):
        raise UsageError(f"{out} would be read as a log by the next night: name another file.")
    if os.path.lexists(out):
        if ids.exists() and out.exists() and out.samefile(ids):
            raise UsageError(f"{out} is the file of the ids: name another file for the link.")
        if out.is_dir() or not overwrite:
            raise UsageError(f"{out} exists and was not changed. Name another file, or add --overwrite.")


@contextmanager
def private_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside the link, for its owner alone, and remove it with all that is in it.

    What a killed run has left there is removed first.
    """
    folder = out.parent.resolve() / f".{out.name}.tmp"
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    folder.mkdir(mode=PRIVATE_FOLDER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_link(connection: duckdb.DuckDBPyConnection, folder: Path, out: Path) -> int:
    """Write user_id and user_key of the table `links` in the order of the ids, replacing the file in one
    step.

    folder: of `private_folder`. Return how many ids of a CSV file stand behind an apostrophe, because a
    spreadsheet would take them for a formula; Parquet has them unchanged.
    """
    rows = folder / "link.parquet"
    connection.execute(
        "COPY (SELECT user_id, user_key FROM links ORDER BY user_id, user_key) "
        f"TO {quoted(str(rows))} (FORMAT parquet, COMPRESSION zstd)"
    )
    n_guarded = 0
    if out.suffix == ".csv":
        rows, table = folder / "link.csv", pl.scan_parquet(rows)
        formula_safe(table).sink_csv(rows)
        begins = pl.col("user_id").str.contains(FORMULA_STARTS)
        n_guarded = int(table.select(begins.sum()).collect(engine="streaming").item())
    rows.chmod(PRIVATE_FILE)
    descriptor = os.open(rows, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    rows.replace(out)
    sync_folder(out.parent)
    return n_guarded
