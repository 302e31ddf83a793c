"""A progress artifact of learning on the flow run's page."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.progress import LearnerRun, ProgressListener, describe_point
from offline_rl.meta.meta_policy import CurvePoint, Progress

SECONDS_BETWEEN = 2.0
"""Least time between updates: an update is a request of 30 ms, and a learner may have 100 points a second."""


@contextmanager
def progress_artifact(shop: str) -> Iterator[ProgressListener]:
    """Create one artifact, update it inside the block, and set it to 100 when the block ends.

    If learning fails, the artifact keeps its last value and shows how far the night came. Use it inside a
    flow run.
    """
    key = f"learning-{shop.replace('_', '-')}"
    # Typed as possibly awaitable; in a task without an event loop it is created when the call returns.
    created = create_progress_artifact(progress=0.0, key=key, description="Learning begins.")
    artifact = cast("UUID", created)
    last = -SECONDS_BETWEEN

    def listener(run: LearnerRun) -> Progress:
        def reached(point: CurvePoint) -> None:
            nonlocal last
            if time.monotonic() - last < SECONDS_BETWEEN:
                return
            last = time.monotonic()
            where = escape(f"{run.domain}, {run.learner}: {describe_point(point)}")
            update_progress_artifact(artifact, 100.0 * run.share_done(point), where)

        return reached

    yield listener
    update_progress_artifact(artifact, 100.0, "All learners are done.")
