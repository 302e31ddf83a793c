"""The deployments of `metacart serve`: those of prefect.yaml, and the night of each configured shop."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions, StateType
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists
from prefect.flows import Flow
from prefect.states import Crashed
from prefect.utilities.callables import parameter_schema

from flows.prefect_flows import nightly, verbs
from flows.prefect_flows.configured_shops import NIGHTLY, OF_ONE_SHOP, TAG, ConfiguredShop

POOL = "local"

# UTC: a local time zone would skip or repeat the night when the clocks change.
EVERY_NIGHT = CronSchedule(cron="15 4 * * *", timezone="UTC")

WhenBusy = Literal["cancel", "queue"]
STRATEGIES = {"cancel": ConcurrencyLimitStrategy.CANCEL_NEW, "queue": ConcurrencyLimitStrategy.ENQUEUE}


@dataclass(frozen=True)
class Deployed:
    """One deployment. when_busy: what happens to a second run at the same time; None for no limit."""

    flow: Flow[..., Any]
    name: str
    config: Path
    is_scheduled: bool = False
    when_busy: WhenBusy | None = None
    tags: tuple[str, ...] = field(default=(TAG,))


def deployments_of(shops: Sequence[ConfiguredShop], when_busy: WhenBusy) -> list[Deployed]:
    """Return the deployments: nightly/nightly and the verbs with the first shop, and one night for each shop.

    Each shop's night is scheduled once: that of the first shop by nightly/nightly.
    """
    first = shops[0]
    flows = (verbs.ingest, verbs.learn, verbs.evaluate, verbs.decide, verbs.publish)
    nights = [
        Deployed(
            nightly.nightly,
            shop.name,
            shop.config,
            is_scheduled=shop is not first,
            when_busy=when_busy,
            tags=(TAG, OF_ONE_SHOP),
        )
        for shop in shops
    ]
    every = Deployed(nightly.nightly, NIGHTLY, first.config, is_scheduled=True, when_busy="cancel")
    return [every, *nights, *(Deployed(verb, verb.name, first.config) for verb in flows)]


async def deploy(client: PrefectClient, wanted: Sequence[Deployed], folder: Path) -> None:
    """Make the server's deployments the wanted ones; those of shops that are no longer served are deleted.

    folder: the working folder of runs, to which a relative path in a parameter is relative.
    """
    with suppress(ObjectAlreadyExists):
        await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    made = {await _deploy(client, deployed, folder) for deployed in wanted}
    for known in await client.read_deployments():
        if TAG in known.tags and known.id not in made:
            await client.delete_deployment(known.id)


async def _deploy(client: PrefectClient, deployed: Deployed, folder: Path) -> UUID:
    schedule = DeploymentScheduleCreate(schedule=EVERY_NIGHT, slug="nightly", active=True)
    options = ConcurrencyOptions(collision_strategy=STRATEGIES[deployed.when_busy or "cancel"])
    return await client.create_deployment(
        flow_id=await client.create_flow(deployed.flow),
        name=deployed.name,
        entrypoint=f"{deployed.flow.fn.__module__}.{deployed.flow.fn.__name__}",
        parameters={"config": str(deployed.config)},
        parameter_openapi_schema=parameter_schema(deployed.flow).model_dump_for_openapi(),
        enforce_parameter_schema=True,
        pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}],
        work_pool_name=POOL,
        job_variables={"env": {"OMP_NUM_THREADS": "1"}},
        schedules=[schedule] if deployed.is_scheduled else [],
        concurrency_limit=1 if deployed.when_busy else None,
        concurrency_options=options if deployed.when_busy else None,
        tags=list(deployed.tags),
    )


async def crash_lost_runs(client: PrefectClient) -> int:
    """Mark runs as crashed that an earlier worker left behind as running; return their number.

    Only one worker serves this server, and it has not started yet: no such run can be alive. Left as it is,
    such a run would hold its shop's one place for ever.
    """
    lost = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=[TAG]),
            state=FlowRunFilterState(
                type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
            ),
        )
    )
    for run in lost:
        words = "`metacart serve` ended during this run. What was done is kept; start it again."
        await client.set_flow_run_state(run.id, Crashed(message=words), force=True)
    return len(lost)
