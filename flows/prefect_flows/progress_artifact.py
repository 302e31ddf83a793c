"""A progress artifact on the flow run's page while learners learn."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.progress import Lesson, Watch, described
from offline_rl.meta.meta_policy import CurvePoint, Progress

SECONDS_BETWEEN = 2.0
"""An update is a request of some 30 ms; a learner may reach a hundred points in a second."""


@contextmanager
def progress_artifact(shop: str) -> Iterator[Watch]:
    """One artifact, kept up to date inside the block and at 100 when it ends well.

    It stays where it was if learning fails: so it says how far the night came.  To be used inside a run.
    """
    key = f"learning-{shop.replace('_', '-')}"
    # Typed as if it might be awaited; in a task without an event loop it is done when it returns.
    created = create_progress_artifact(progress=0.0, key=key, description="Learning begins.")
    artifact = cast("UUID", created)
    last = -SECONDS_BETWEEN

    def watch(lesson: Lesson) -> Progress:
        def reached(point: CurvePoint) -> None:
            nonlocal last
            if time.monotonic() - last < SECONDS_BETWEEN:
                return
            last = time.monotonic()
            where = escape(f"{lesson.domain}, {lesson.learner}: {described(point)}")
            update_progress_artifact(artifact, 100.0 * lesson.share_done(point), where)

        return reached

    yield watch
    update_progress_artifact(artifact, 100.0, "All learners are done.")
