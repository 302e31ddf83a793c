"""The nightly flow: the stages of night.py as Prefect tasks, so that a server schedules and shows them.

Five coarse tasks and no sub-flow: a task costs a server about 30 ms, a sub-flow a second. What was done is
recorded in the warehouse, not in Prefect's state, so a flow run that died is simply started again.
"""

from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from features.errors import MetacartError
from flows.night_folder import Night
from flows.prefect_flows.progress_artifact import progress_artifact
from flows.settings import read_settings
from flows.shops import CONFIG
from flows.stages.decide import decide
from flows.stages.evaluate import evaluate
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.publish import Published, publish
from flows.workspace import Workspace


async def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Tell a passing fault (a full disk, a busy file) from one that will be the same in a minute."""
    fault = await state.aresult(raise_on_failure=False)
    return not isinstance(fault, MetacartError)


# A repeated ingest changes nothing, so it may be retried; the others start from files that it wrote.
ingest_task = task(
    name="ingest",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=60,
    retry_condition_fn=is_worth_a_retry,
)(ingest)
evaluate_task = task(name="evaluate", cache_policy=NO_CACHE)(evaluate)
decide_task = task(name="decide", cache_policy=NO_CACHE)(decide)
publish_task = task(name="publish", cache_policy=NO_CACHE)(publish)


@task(name="learn", cache_policy=NO_CACHE)
def learn_task(workspace: Workspace, night: Night) -> None:
    """Learn, with a progress artifact on the run's page."""
    with progress_artifact(workspace.shop) as listener:
        learn(workspace, night, listener)


@flow(name="nightly")
def nightly(config: Path = CONFIG, as_of: date | None = None) -> dict[str, str]:
    """Turn one shop's logs into tomorrow's decisions.

    config: the shop's configuration file.
    as_of: the last day whose logs count; by default the newest day in the logs that is over.
    """
    workspace = Workspace(read_settings(config))
    with workspace.locked():
        night = ingest_task(workspace, as_of)
        learn_task(workspace, night)
        evaluate_task(workspace, night)
        decide_task(workspace, night)
        published = publish_task(workspace, night)
    _show(published, workspace.shop)
    get_run_logger().info("%s is published in %s", night.run_id, published.folder)
    return {"run_id": night.run_id, "report": str(published.report)}


def _show(published: Published, shop: str) -> None:
    """Put the verdicts and the way to the report on the flow run's page, which renders HTML: so escape."""
    if "out_verdicts" in published.tables:
        verdicts = pl.read_parquet(published.tables["out_verdicts"])
        create_table_artifact(
            [{name: escape(str(value)) for name, value in row.items()} for row in verdicts.to_dicts()],
            key=f"verdicts-{shop.replace('_', '-')}",
            description="What the gate decided, and why.",
        )
    create_link_artifact(
        published.report.as_uri(), link_text="Report", key=f"report-{shop.replace('_', '-')}"
    )
