"""One flow per verb, for a data scientist who runs a single stage again with other parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from prefect import flow

from flows.attempts.freshness import write_freshness
from flows.attempts.time_limits import limited
from flows.interruption import begin
from flows.prefect_flows.parameters import checked_settings
from flows.prefect_flows.progress_artifact import progress_artifact
from flows.prefect_flows.spoken_stages import spoken
from flows.shops import CONFIG
from flows.stage_events import StageBegins
from flows.stages import decide as decide_stage
from flows.stages import evaluate as evaluate_stage
from flows.stages import ingest as ingest_stage
from flows.stages import learn as learn_stage
from flows.stages import publish as publish_stage
from flows.workspace import Workspace


@flow
def ingest(config: Path = CONFIG, as_of: date | None = None) -> str:
    """Load new log files and build the warehouse as the night of `as_of` knows it; return the run_id."""
    workspace = Workspace(checked_settings(config, as_of))
    with _stage(workspace, "ingest"):
        return ingest_stage.ingest(workspace, as_of).run_id


@flow
def learn(config: Path = CONFIG) -> str:
    """Build the tasks of the ingested night and train every learner on them; return the run_id."""
    workspace = Workspace(checked_settings(config))
    with _stage(workspace, "learn"):
        night = workspace.recall()
        with progress_artifact(workspace.shop) as listener:
            learn_stage.learn(workspace, night, listener)
        return night.run_id


@flow
def evaluate(config: Path = CONFIG) -> str:
    """Judge the learned policies on the holdout and write the verdicts; return the run_id."""
    workspace = Workspace(checked_settings(config))
    with _stage(workspace, "evaluate"):
        night = workspace.recall()
        evaluate_stage.evaluate(workspace, night)
        return night.run_id


@flow
def decide(config: Path = CONFIG) -> str:
    """Write tomorrow's recommendation, targeting and budget tables; return the run_id."""
    workspace = Workspace(checked_settings(config))
    with _stage(workspace, "decide"):
        night = workspace.recall()
        decide_stage.decide(workspace, night)
        return night.run_id


@flow
def publish(config: Path = CONFIG) -> str:
    """Publish the night's tables and report and make them the current ones; return the report's path."""
    workspace = Workspace(checked_settings(config))
    with _stage(workspace, "publish"):
        published = publish_stage.publish(workspace, workspace.recall())
        write_freshness(workspace.shop, workspace.nights)
        return str(published.report)


@contextmanager
def _stage(workspace: Workspace, stage: str) -> Iterator[None]:
    """Run one stage in a block: with the shop locked, within its time, and logged."""
    again = f"prefect deployment run {stage}/{stage}"
    with workspace.locked(), limited(workspace.settings.time_limits, again) as deadlines:
        begin(stage)
        deadlines(StageBegins(stage))
        with spoken(workspace, stage):
            yield
