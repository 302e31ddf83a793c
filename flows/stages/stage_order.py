"""The order of a night, written once: its stages under the shop's lock, and the removal of what is old.

A shell and Prefect run it with stages of their own: plain functions there, tasks here.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from flows.night_folder import Night
from flows.stage_events import Follower, Says, StageBegins, StageEnded, StageFailed, StageSkipped
from flows.stages.prune import plan, prune, prune_lines
from flows.stages.publish import Published
from flows.workspace import Workspace


@dataclass(frozen=True)
class NightStages:
    """What runs each stage of one night; the first names the night, the last publishes it."""

    ingest: Callable[[], Night]
    learn: Callable[[Night], None]
    evaluate: Callable[[Night], None]
    decide: Callable[[Night], None]
    publish: Callable[[Night], Published]


@dataclass(frozen=True)
class NightRun:
    """A night that was run; seconds: of each stage that was not skipped."""

    night: Night
    published: Published
    seconds: Mapping[str, float]


@dataclass
class Stopwatch:
    """Seconds by stage, of the stages that have ended; follower: hears of each."""

    follower: Follower
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Say that a stage begins, time it, and say how it has ended."""
        self.follower(StageBegins(name))
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self.follower(StageFailed(name))
            raise
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.follower(StageEnded(name, self.seconds[name]))


def run_in_order(workspace: Workspace, stages: NightStages, follower: Follower) -> NightRun:
    """Run the stages of a night in their order, with the shop locked, and remove what is no longer kept.

    The stages that an interrupted run of the same night has finished are not run again.
    Raises LockedError if the shop is busy, and what the stages raise: then nothing is published.
    """
    clock = Stopwatch(follower)
    with workspace.locked():
        with clock.stage("ingest"):
            night = stages.ingest()
        skipped = workspace.night_folder(night.run_id).stages_to_skip()
        between = {"learn": stages.learn, "evaluate": stages.evaluate, "decide": stages.decide}
        for name, run_stage in between.items():
            if name in skipped:
                follower(StageSkipped(name))
                continue
            with clock.stage(name):
                run_stage(night)
        with clock.stage("publish"):
            published = stages.publish(night)
        outdated = plan(workspace)
        prune(workspace, outdated)
        for line in prune_lines(outdated):
            follower(Says(line))
        workspace.night_folder(night.run_id).write_seconds(clock.seconds)
    return NightRun(night, published, clock.seconds)
