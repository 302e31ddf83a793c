"""The processes that `metacart serve` starts: server, deployer and worker; each ends with its parent.

python -m flows.prefect_flows.served_process server PORT
python -m flows.prefect_flows.served_process deploy WHEN_BUSY CONFIG...
python -m flows.prefect_flows.served_process worker AT_ONCE

Modules are imported by the process that needs them: the flows alone bring torch.
"""

import asyncio
import sys
from pathlib import Path
from typing import cast

from flows.prefect_flows.configured_shops import configured_shop
from flows.prefect_flows.loopback import HOST
from flows.prefect_flows.process_tree import leave_with_parent


def serve(port: int) -> None:
    """Run Prefect's server until a signal; connections that are open then are closed after a second."""
    import uvicorn

    from flows.prefect_flows.server_app import create_app

    uvicorn.run(
        create_app,
        factory=True,
        host=HOST,
        port=port,
        log_level="warning",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
    )


async def deploy(when_busy: str, configs: list[Path]) -> None:
    """Make the deployments, and end the runs that an earlier worker left behind."""
    from prefect.client.orchestration import get_client

    from flows.prefect_flows import deployments

    shops = [configured_shop(config) for config in configs]
    wanted = deployments.deployments_of(shops, cast("deployments.WhenBusy", when_busy))
    async with get_client() as client:
        await deployments.deploy(client, wanted, Path.cwd())
        await deployments.crash_lost_runs(client)


async def work(at_once: int) -> None:
    """Run a process worker until a signal."""
    from prefect.workers.process import ProcessWorker

    await ProcessWorker(work_pool_name="local", limit=at_once).start()


def main(arguments: list[str]) -> None:
    """Run one of the processes."""
    leave_with_parent()
    kind, *rest = arguments
    if kind == "server":
        serve(int(rest[0]))
    elif kind == "deploy":
        asyncio.run(deploy(rest[0], [Path(config) for config in rest[1:]]))
    else:
        asyncio.run(work(int(rest[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
