"""Publish: tables, report and manifest in a new folder, and last the pointer to it.

Everything is written next to its final place and then renamed, so a reader sees a whole night or none.
A run_id identifies inputs, configuration and code: publishing it again writes anew only what has been
damaged. A night earlier than the current one is published too, but does not become current.
"""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from features.contracts.check import check_output
from features.contracts.outputs import OUTPUTS
from features.warehouse.outputs import store_outputs
from features.warehouse.store import open_store
from flows.checksums import SUMS
from flows.json_files import write_json
from flows.night_folder import Night, NightFolder
from flows.published_nights import MANIFEST
from flows.registry.champions import champions_after
from flows.registry.experiments import experiments_after
from flows.settings import Settings
from flows.stages.lists_today import still_unproven
from flows.stages.worded import worded_manifest
from flows.workspace import Workspace
from reports.pages import write_report

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

VERSIONED = ("metacart", "duckdb", "polars", "pyarrow", "torch", "scikit-learn", "numpy")

# Of all that is published, only wall time differs between equal runs.
UNHASHED = {"out_learning_curves": ["seconds"]}

ROWS_AT_ONCE = 100_000

# A spreadsheet evaluates a cell that starts with one of these signs as a formula, also behind white space and
# in full width; some cut a cell at a line end and evaluate what follows.
FORMULA_STARTS = r"^[\s\p{Cf}\p{Cc}]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|^[\t\r\n]|[\r\n][\s]*[=+\-@]"


@dataclass(frozen=True)
class Published:
    """A published night: name → Parquet path of each table, and the report."""

    folder: Path
    tables: Mapping[str, Path]
    report: Path

    def table(self, name: str) -> pl.DataFrame:
        """Read one of the tables."""
        return pl.read_parquet(self.tables[name])


def publish(workspace: Workspace, night: Night) -> Published:
    """Publish the tables that the stages wrote to the work folder of a night.

    Raises UsageError if a stage has not run, MetacartError if a table breaks its contract.
    """
    work = workspace.night_folder(night.run_id)
    with work.stage("publish"):
        tables = {name: work.table(name) for name in work.table_names}
        for name, frame in tables.items():
            check_output(frame, OUTPUTS[name])
        # A champion is kept before a published night can name it.
        champions = replace(
            champions_after(workspace, night, work), experiments=experiments_after(workspace, night, work)
        )
        manifest = _manifest(workspace.settings, work, night, tables) | champions.manifest_entries()
        nights = workspace.nights
        nights.sweep()
        fresh = _write_folder(workspace.published / f".{night.run_id}.tmp", tables, manifest)
        published = nights.place(fresh, night.run_id, manifest)
        with open_store(workspace.warehouse) as connection:
            store_outputs(connection, tables, night.run_id)
        nights.point_to_newest(published=published)
    folder = published.path
    return Published(
        folder, {name: folder / f"{name}.parquet" for name in tables}, folder / "report" / "index.html"
    )


def _manifest(
    settings: Settings, work: NightFolder, night: Night, tables: Mapping[str, pl.DataFrame]
) -> dict[str, Any]:
    learning = work.notes("learn")
    # Acts are those of visitors, so what is unproven is of people as well.
    has_users = bool(night.unproven) or any(work.names(domain).has_users for domain in night.domains)
    return {
        "run_id": night.run_id,
        "shop": night.shop,
        "source": settings.shop.source,
        "as_of": str(night.as_of),
        "data_from": str(night.data_from),
        "data_to": str(night.data_to),
        "currency": settings.shop.currency_code,
        "reward": settings.night.reward,
        "seed": settings.night.seed,
        "config": settings.content,
        "config_hash": settings.content_hash,
        "inputs": dict(night.inputs),
        "n_inputs": len(night.inputs),
        "versions": {name: version(name) for name in VERSIONED} | {"python": platform.python_version()},
        "checksums": SUMS,
        "tables": {
            name: {"rows": frame.height, "hash": rows_sha256(name, frame)} for name, frame in tables.items()
        },
        "unit": "user" if has_users else "round",
        "device": learning.device,
        **worded_manifest(
            night.undecided,
            still_unproven(work, night),
            (*learning.notes, *work.notes("evaluate").notes),
            estimated=night.estimated,
        ),
    }


def rows_sha256(name: str, frame: pl.DataFrame) -> str:
    """Return sha256 over the rows, without the columns that measure time."""
    rows = frame.drop(UNHASHED.get(name, []))
    # In parts: as one text, a table of lists for a million users would take gigabytes.
    digest = hashlib.sha256(rows.head(0).write_csv().encode())
    for part in rows.iter_slices(ROWS_AT_ONCE):
        digest.update(part.write_csv(include_header=False).encode())
    return digest.hexdigest()


def _write_folder(fresh: Path, tables: Mapping[str, pl.DataFrame], manifest: dict[str, Any]) -> Path:
    """Write the whole night into a temporary folder, and return it."""
    fresh.mkdir(parents=True)
    for name, frame in tables.items():
        frame.write_parquet(fresh / f"{name}.parquet")
        formula_safe(frame).write_csv(fresh / f"{name}.csv")
    write_json(fresh / MANIFEST, manifest)
    write_report(fresh)
    return fresh


def formula_safe(frame: Frame) -> Frame:
    """Put an apostrophe before texts that a spreadsheet would evaluate as a formula."""
    text = pl.col(pl.String)
    return frame.with_columns(
        pl.when(text.str.contains(FORMULA_STARTS)).then(pl.lit("'") + text).otherwise(text).name.keep()
    )
