"""The nightly flow: the stages of night.py as Prefect tasks, so that a server schedules and shows them.

Five coarse tasks and no sub-flow: a task costs a server about 30 ms, a sub-flow a second. What was done is
recorded in the warehouse, not in Prefect's state, so a flow run that died is simply started again.
"""

import time
from datetime import date
from pathlib import Path
from signal import Signals

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import TerminationSignal
from prefect.runtime import deployment

from flows.attempts.attempt import attempted, settings_of_night
from flows.attempts.failures import Failure, failure_of
from flows.attempts.retries import with_retries
from flows.interruption import begin
from flows.lasting_output import outlive_readers
from flows.night_folder import Night
from flows.prefect_flows.night_page import show_night
from flows.prefect_flows.parameters import checked_settings
from flows.prefect_flows.progress_artifact import progress_artifact
from flows.prefect_flows.spoken_stages import spoken
from flows.shops import CONFIG
from flows.stage_events import NightEvent, Says, StageBegins, StageEnded, StageFailed, StageSkipped, all_of
from flows.stages.decide import decide
from flows.stages.evaluate import evaluate
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.publish import Published, publish
from flows.stages.stage_order import NightStages, run_in_order
from flows.workspace import Workspace


@task(name="ingest", cache_policy=NO_CACHE)
def ingest_task(workspace: Workspace, as_of: date | None) -> Night:
    """Ingest."""
    with spoken(workspace, "ingest"):
        return ingest(workspace, as_of)


@task(name="learn", cache_policy=NO_CACHE)
def learn_task(workspace: Workspace, night: Night) -> None:
    """Learn, with a progress artifact on the run's page."""
    with spoken(workspace, "learn"), progress_artifact(workspace.shop) as listener:
        learn(workspace, night, listener)


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate_task(workspace: Workspace, night: Night) -> None:
    """Evaluate."""
    with spoken(workspace, "evaluate"):
        evaluate(workspace, night)


@task(name="decide", cache_policy=NO_CACHE)
def decide_task(workspace: Workspace, night: Night) -> None:
    """Decide."""
    with spoken(workspace, "decide"):
        decide(workspace, night)


@task(name="publish", cache_policy=NO_CACHE)
def publish_task(workspace: Workspace, night: Night) -> Published:
    """Publish."""
    with spoken(workspace, "publish"):
        return publish(workspace, night)


@flow(name="nightly")
def nightly(config: Path = CONFIG, as_of: date | None = None) -> dict[str, str]:
    """Turn one shop's logs into tomorrow's decisions.

    config: the shop's configuration file.
    as_of: the last day whose logs count; by default the newest day in the logs that is over.
    """
    outlive_readers()
    again = _command(config, as_of)
    settings = settings_of_night(
        config, as_of, again=again, warn=_warn, read=lambda: checked_settings(config, as_of)
    )
    workspace = Workspace(settings)
    stages = NightStages(
        ingest=lambda: ingest_task(workspace, as_of),
        learn=lambda night: learn_task(workspace, night),
        evaluate=lambda night: evaluate_task(workspace, night),
        decide=lambda night: decide_task(workspace, night),
        publish=lambda night: publish_task(workspace, night),
    )
    with attempted(
        workspace, config, as_of, again=again, warn=_warn, read_failure=failure_of_flow
    ) as attempt:
        follower = all_of(log_event, attempt.follow)
        run = with_retries(
            lambda: run_in_order(workspace, stages, follower),
            settings.retries.times,
            announce=lambda retry: follower(Says(retry.line)),
            sleep=time.sleep,
        )
        attempt.published_in(run.published.folder)
    show_night(workspace, run.night, run.published)
    get_run_logger().info("%s is published in %s", run.night.run_id, run.published.folder)
    return {"run_id": run.night.run_id, "report": str(run.published.report)}


def log_event(event: NightEvent) -> None:
    """Log what no task logs: a stage that is skipped, and what is said between the stages."""
    match event:
        case StageBegins(stage):
            begin(stage)
        case StageSkipped(stage):
            get_run_logger().info("%s: done by an earlier run of this night", stage)
        case Says(line):
            get_run_logger().info(line)
        case StageEnded() | StageFailed():
            pass


def failure_of_flow(error: BaseException) -> Failure:
    """Return what an error of a flow run means; Prefect has an error of its own for a signal."""
    if isinstance(error, TerminationSignal):
        name = Signals(error.signal).name
        return Failure(128 + error.signal, f"stopped by {name}; what was done is kept; start the run again.")
    return failure_of(error)


def _command(config: Path, as_of: date | None) -> str:
    """Return the command that starts the run again."""
    name = deployment.name
    if name is None:
        return f"metacart run --config {config}" + (f" --as-of {as_of}" if as_of else "")
    return f"prefect deployment run nightly/{name}" + (f" -p as_of={as_of}" if as_of else "")


def _warn(line: str) -> None:
    get_run_logger().warning(line)
