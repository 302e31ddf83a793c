"""The whole night of one shop: its stages in order, timed, under the shop's lock, without a server."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import polars.selectors as cs

from features.contracts.outputs import Verdicts
from flows.night_folder import Night
from flows.progress import LinePrinter, ProgressListener, no_listener
from flows.settings import Settings
from flows.stages.decide import decide
from flows.stages.evaluate import evaluate
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.prune import plan, prune, prune_lines
from flows.stages.publish import Published, publish
from flows.workspace import Workspace
from reports.wording.sentences import say


@dataclass(frozen=True)
class NightResult:
    """The result of a night: its published files, its verdicts, and the seconds of each stage."""

    night: Night
    published: Published
    verdicts: pl.DataFrame
    seconds: Mapping[str, float]
    peak_memory_mb: float

    def to_json(self) -> dict[str, object]:
        """Return the object that `metacart run --json` prints as its last line."""
        return {
            "run_id": self.night.run_id,
            "shop": self.night.shop,
            "as_of": self.night.as_of.isoformat(),
            "verdicts": self.verdicts.drop("run_id").with_columns(cs.date().cast(pl.String)).to_dicts(),
            "undecided": {domain: say([why]) for domain, why in self.night.undecided.items()},
            "tables": {name: str(path) for name, path in self.published.tables.items()},
            "report": str(self.published.report),
            "seconds": dict(self.seconds),
            "peak_memory_mb": self.peak_memory_mb,
        }


@dataclass
class Stopwatch:
    """Seconds by stage, each printed when its stage ends."""

    print_line: LinePrinter
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)
        self.print_line(f"{name:<9}{self.seconds[name]:>8.2f} s")


def run_night(
    settings: Settings, as_of: date | None, print_line: LinePrinter, listener: ProgressListener = no_listener
) -> NightResult:
    """Run every stage for one shop and publish the result.

    as_of: the last day whose logs count; None means the newest day in the logs that is over.
    print_line: prints a line with the seconds of each stage. listener: receives the progress of learning.
    The stages that an interrupted run of the same night has finished are not run again.
    Raises LockedError if the shop is busy, InputDataError if its logs can't be used: nothing is published.
    """
    workspace = Workspace(settings)
    clock = Stopwatch(print_line)
    with workspace.locked():
        with clock.stage("ingest"):
            night = ingest(workspace, as_of)
        skipped = workspace.night_folder(night.run_id).stages_to_skip()
        stages: dict[str, Callable[[], None]] = {
            "learn": lambda: learn(workspace, night, listener),
            "evaluate": lambda: evaluate(workspace, night),
            "decide": lambda: decide(workspace, night),
        }
        for name, run_stage in stages.items():
            if name in skipped:
                print_line(f"{name:<9}    done by an earlier run of this night")
                continue
            with clock.stage(name):
                run_stage()
        with clock.stage("publish"):
            published = publish(workspace, night)
        outdated = plan(workspace)
        prune(workspace, outdated)
        for line in prune_lines(outdated):
            print_line(line)
        workspace.night_folder(night.run_id).write_seconds(clock.seconds)
    return NightResult(night, published, _verdicts(published), clock.seconds, _peak_memory_mb())


def _verdicts(published: Published) -> pl.DataFrame:
    table = published.tables.get("out_verdicts")
    return pl.read_parquet(table) if table else Verdicts.create_empty()


def _peak_memory_mb() -> float:
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
