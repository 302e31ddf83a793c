"""Prefect's server with one more check: a run with a parameter that can't work is refused, not queued.

Prefect itself checks parameters by their types when a run is made, and by our own rules only when it starts:
then another night may be running, and the run waits or is cancelled before it could say what is wrong.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from prefect.server import models
from prefect.server.api.server import create_app as prefect_app
from prefect.server.database import provide_database_interface
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from features.errors import UsageError
from flows.prefect_flows.configured_shops import OF_ONE_SHOP, TAG
from flows.prefect_flows.parameters import checked_settings

MAKES_RUNS = re.compile(r"/deployments/([0-9a-f-]{36})/create_flow_run(?:/bulk)?/?$")


class CheckedParameters(BaseHTTPMiddleware):
    """Refuses to make a run of our deployments whose parameters can't work."""

    async def dispatch(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Check a request that makes a run, and pass on all others."""
        found = MAKES_RUNS.search(request.scope["path"])
        if request.method == "POST" and found:
            try:
                await _check(UUID(found[1]), await request.json())
            except UsageError as error:
                return JSONResponse({"detail": f"Error creating flow run: {error}"}, status_code=409)
            # What is not even JSON gets the server's own answer.
            except ValueError:
                pass
        return await call_next(request)


def create_app() -> FastAPI:
    """Return the application that uvicorn runs; parameters are checked after the password."""
    app = prefect_app(final=True)
    # The last middleware is the innermost.
    app.api_app.user_middleware.append(Middleware(CheckedParameters))  # type: ignore[attr-defined]
    return app


async def _check(deployment_id: UUID, content: Any) -> None:
    database = provide_database_interface()
    async with database.session_context() as session:
        # Prefect's decorator hides from type checkers that this is a coroutine.
        reading: Awaitable[Any] = models.deployments.read_deployment(
            session=session, deployment_id=deployment_id
        )
        deployment = await reading
        if deployment is None or TAG not in deployment.tags:
            return
        default, name, tags = dict(deployment.parameters), deployment.name, list(deployment.tags)
    for run in content if isinstance(content, list) else [content]:
        given = run.get("parameters") if isinstance(run, Mapping) else None
        check_parameters(default | dict(given or {}), name if OF_ONE_SHOP in tags else None)


def check_parameters(parameters: Mapping[str, Any], shop: str | None) -> None:
    """Check the parameters of a run; values of another type than theirs are left to the server's own check.

    Raises UsageError.
    """
    config, as_of = parameters.get("config"), parameters.get("as_of")
    if not isinstance(config, str):
        return
    try:
        day = date.fromisoformat(as_of) if isinstance(as_of, str) else None
    except ValueError:
        raise UsageError(f"as_of = {as_of!r} is not a date such as 2026-01-05.") from None
    checked_settings(Path(config), day, shop=shop)
