"""One flow per verb, for a data scientist who runs a single stage again with other parameters."""

from datetime import date
from pathlib import Path

from prefect import flow

from flows.prefect_flows.parameters import checked_settings
from flows.prefect_flows.progress_artifact import progress_artifact
from flows.prefect_flows.spoken_stages import spoken
from flows.shops import CONFIG
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
    with workspace.locked(), spoken(workspace, "ingest"):
        return ingest_stage.ingest(workspace, as_of).run_id


@flow
def learn(config: Path = CONFIG) -> str:
    """Build the tasks of the ingested night and train every learner on them; return the run_id."""
    workspace = Workspace(checked_settings(config))
    with workspace.locked(), spoken(workspace, "learn"):
        night = workspace.recall()
        with progress_artifact(workspace.shop) as listener:
            learn_stage.learn(workspace, night, listener)
        return night.run_id


@flow
def evaluate(config: Path = CONFIG) -> str:
    """Judge the learned policies on the holdout and write the verdicts; return the run_id."""
    workspace = Workspace(checked_settings(config))
    with workspace.locked(), spoken(workspace, "evaluate"):
        night = workspace.recall()
        evaluate_stage.evaluate(workspace, night)
        return night.run_id


@flow
def decide(config: Path = CONFIG) -> str:
    """Write tomorrow's recommendation, targeting and budget tables; return the run_id."""
    workspace = Workspace(checked_settings(config))
    with workspace.locked(), spoken(workspace, "decide"):
        night = workspace.recall()
        decide_stage.decide(workspace, night)
        return night.run_id


@flow
def publish(config: Path = CONFIG) -> str:
    """Publish the night's tables and report and make them the current ones; return the report's path."""
    workspace = Workspace(checked_settings(config))
    with workspace.locked(), spoken(workspace, "publish"):
        return str(publish_stage.publish(workspace, workspace.recall()).report)
