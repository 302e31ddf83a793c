"""What each stage of a night did, as a line of a log: rows, verdicts, seconds and peak memory."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import polars as pl

from features.codes import ALL_SEGMENTS
from features.warehouse.quality import OF_WHOLE_FILES
from flows.night_folder import NightFolder
from flows.peak_memory import peak_memory_mb
from flows.workspace import Workspace

LOG_JSON = "METACART_LOG_JSON"
"""The environment variable that asks for JSON lines."""


@dataclass(frozen=True)
class StageReport:
    """What one stage of a night did.

    seconds: its wall time. peak_memory_mb: of the process so far, in MB (2**20 bytes).
    rows: table → rows of the tables that the stage wrote; for ingest also lines of the shop's files that were
    loaded and rejected. verdicts: domain → verdict on the whole shop, after the stage that judges.
    """

    shop: str
    run_id: str
    stage: str
    seconds: float
    peak_memory_mb: float
    rows: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The report as a line of text.

        >>> StageReport("a", "r", "evaluate", 2.5, 310.0, {"out_verdicts": 9}, {"budget": "hold"}).line
        'evaluate: 2.5 s, peak memory 310 MB; rows: out_verdicts 9; verdicts: budget hold'
        """
        rows = ", ".join(f"{name} {n:,}" for name, n in self.rows.items())
        verdicts = ", ".join(f"{domain} {verdict}" for domain, verdict in self.verdicts.items())
        return (
            f"{self.stage}: {self.seconds:.1f} s, peak memory {self.peak_memory_mb:.0f} MB"
            + (f"; rows: {rows}" if rows else "")
            + (f"; verdicts: {verdicts}" if verdicts else "")
        )

    @property
    def json_line(self) -> str:
        """The report as a JSON object in one line."""
        return json_line("stage", **asdict(self))


def json_line(event: str, **content: object) -> str:
    """Return one line of a JSON log: the time in UTC, the kind of event, and its content."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"at": at, "event": event, **content}, default=str)


@contextmanager
def reported(workspace: Workspace, stage: str, report: Callable[[StageReport], None]) -> Iterator[None]:
    """Time a stage in a block, and pass on what it did; a stage that fails is not reported."""
    began = time.monotonic()
    yield
    report(report_of(workspace, stage, time.monotonic() - began))


def report_of(workspace: Workspace, stage: str, seconds: float) -> StageReport:
    """Return what a stage did that has just ended, from the work folder of the night ingested last."""
    folder = workspace.latest
    tables = [] if folder is None else folder.tables_of(stage)
    rows = {} if folder is None else {name: folder.n_rows(name) for name in tables}
    if folder is not None and stage == "ingest":
        rows = _lines(folder) | rows
    return StageReport(
        shop=workspace.shop,
        run_id="" if folder is None else folder.run_id,
        stage=stage,
        seconds=round(seconds, 2),
        peak_memory_mb=peak_memory_mb(),
        rows=rows,
        verdicts=_verdicts(folder) if folder is not None and "out_verdicts" in tables else {},
    )


def _lines(folder: NightFolder) -> dict[str, int]:
    files = folder.table("out_data_quality").filter(pl.col("reason_codes").is_in(list(OF_WHOLE_FILES)))
    return {
        "lines loaded": int(files["n_loaded"].sum()),
        "lines rejected": int(files["n_rejected"].sum()),
    }


def _verdicts(folder: NightFolder) -> dict[str, str]:
    whole = folder.table("out_verdicts").filter(segment_id=ALL_SEGMENTS)
    return dict(whole.select("domain", pl.col("verdict").cast(pl.String)).iter_rows())
