"""What happens in a night, as events: whoever follows it prints, logs, or keeps time by them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class StageBegins:
    """A stage begins; its name is one of `flows.night_folder.STAGES`."""

    stage: str


@dataclass(frozen=True)
class StageEnded:
    """A stage has ended without an error; seconds: its wall time."""

    stage: str
    seconds: float


@dataclass(frozen=True)
class StageFailed:
    """A stage has ended with an error, which is on its way; the night ends, or is tried again."""

    stage: str


@dataclass(frozen=True)
class StageSkipped:
    """A stage is not run: an earlier run of the same night has finished it."""

    stage: str


@dataclass(frozen=True)
class Says:
    """A line for a reader, of no stage."""

    line: str


NightEvent = StageBegins | StageEnded | StageFailed | StageSkipped | Says

Follower = Callable[[NightEvent], None]
"""Called with each event of a night, in the thread of the night."""


def unfollowed(event: NightEvent) -> None:
    """Ignore an event."""
    del event


def all_of(*followers: Follower) -> Follower:
    """Return a follower that passes each event on to all of these, in their order."""

    def follow(event: NightEvent) -> None:
        for follower in followers:
            follower(event)

    return follow
