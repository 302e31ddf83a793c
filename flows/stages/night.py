"""The whole night of one shop, without a server."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import polars.selectors as cs

from features.contracts.outputs import Verdicts
from flows.night_folder import Night
from flows.peak_memory import peak_memory_mb
from flows.progress import ProgressListener, no_listener
from flows.settings import Settings
from flows.stage_events import Follower, unfollowed
from flows.stages.decide import decide
from flows.stages.evaluate import evaluate
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.publish import Published, publish
from flows.stages.stage_order import NightStages, run_in_order
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
            "estimated": {domain: say([why]) for domain, why in self.night.estimated.items()},
            "tables": {name: str(path) for name, path in self.published.tables.items()},
            "report": str(self.published.report),
            "seconds": dict(self.seconds),
            "peak_memory_mb": self.peak_memory_mb,
        }


def run_night(
    settings: Settings,
    as_of: date | None,
    follower: Follower = unfollowed,
    listener: ProgressListener = no_listener,
) -> NightResult:
    """Run every stage for one shop and publish the result.

    as_of: the last day whose logs count; None means the newest day in the logs that is over.
    follower: receives what happens in the night. listener: receives the progress of learning.
    The stages that an interrupted run of the same night has finished are not run again.
    Raises LockedError if the shop is busy, InputDataError if its logs can't be used: nothing is published.
    """
    workspace = Workspace(settings)
    stages = NightStages(
        ingest=lambda: ingest(workspace, as_of),
        learn=lambda night: learn(workspace, night, listener),
        evaluate=lambda night: evaluate(workspace, night),
        decide=lambda night: decide(workspace, night),
        publish=lambda night: publish(workspace, night),
    )
    run = run_in_order(workspace, stages, follower)
    return NightResult(run.night, run.published, _verdicts(run.published), run.seconds, peak_memory_mb())


def _verdicts(published: Published) -> pl.DataFrame:
    table = published.tables.get("out_verdicts")
    return pl.read_parquet(table) if table else Verdicts.create_empty()
