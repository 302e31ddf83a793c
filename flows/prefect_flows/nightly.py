"""The nightly flow: the stages of night.py as Prefect tasks, so that a server schedules and shows them.

Five coarse tasks and no sub-flow: a task costs a server about 30 ms, a sub-flow a second. What was done is
recorded in the warehouse, not in Prefect's state, so a flow run that died is simply started again.
"""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from features.errors import MetacartError
from flows.lasting_output import outlive_readers
from flows.night_folder import Night
from flows.prefect_flows.night_page import show_night
from flows.prefect_flows.parameters import checked_settings
from flows.prefect_flows.progress_artifact import progress_artifact
from flows.prefect_flows.spoken_stages import spoken
from flows.shops import CONFIG
from flows.stages.decide import decide
from flows.stages.evaluate import evaluate
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.prune import plan, prune, prune_lines
from flows.stages.publish import Published, publish
from flows.workspace import Workspace


async def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Tell a passing fault (a full disk, a busy file) from one that will be the same in a minute."""
    fault = await state.aresult(raise_on_failure=False)
    return not isinstance(fault, MetacartError)


# A repeated ingest changes nothing, so it may be retried; the others start from files that it wrote.
@task(
    name="ingest",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=60,
    retry_condition_fn=is_worth_a_retry,
)
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
    workspace = Workspace(checked_settings(config, as_of))
    with workspace.locked():
        night = ingest_task(workspace, as_of)
        skipped = workspace.night_folder(night.run_id).stages_to_skip()
        for name, stage_task in (("learn", learn_task), ("evaluate", evaluate_task), ("decide", decide_task)):
            if name in skipped:
                get_run_logger().info("%s: done by an earlier run of this night", name)
            else:
                stage_task(workspace, night)
        published = publish_task(workspace, night)
        outdated = plan(workspace)
        prune(workspace, outdated)
        for line in prune_lines(outdated):
            get_run_logger().info(line)
    show_night(workspace, night, published)
    get_run_logger().info("%s is published in %s", night.run_id, published.folder)
    return {"run_id": night.run_id, "report": str(published.report)}
