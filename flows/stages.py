"""Stages: the order of a night's work, with a mark in its folder for each that is done.

A stage begins where the one before it has ended, and beginning takes back its own mark and those of all that
come after it: tables of a learner that has changed since can't be published.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from features.errors import UsageError
from flows.workspace import Night, Workspace

STAGES = ("learn", "evaluate", "decide", "publish")


@contextmanager
def stage(workspace: Workspace, night: Night, name: str) -> Iterator[None]:
    """Do one stage of an ingested night; it counts as done when the block ends without a fault.

    Raises UsageError, naming the command to run first, if an earlier stage is not done.
    """
    folder = workspace.work(night.run_id)
    place = STAGES.index(name)
    for earlier in STAGES[:place]:
        if not (folder / f"{earlier}.done").is_file():
            raise UsageError(
                f"{night.run_id} is not ready for {name}: run `metacart {earlier}` first. An erasure takes a "
                "night back to what `metacart ingest` left."
            )
    for later in STAGES[place:]:
        (folder / f"{later}.done").unlink(missing_ok=True)
    yield
    (folder / f"{name}.done").touch()
