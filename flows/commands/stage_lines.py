"""What a command writes while its stages run: their seconds, and on request JSON lines on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.attempts.time_limits import limited
from flows.interruption import begin
from flows.night_folder import STAGES
from flows.stage_events import NightEvent, Says, StageBegins, StageEnded, StageFailed, StageSkipped
from flows.stage_log import LOG_JSON, json_line, report_of
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.progress import LearnerRun, ProgressListener
    from offline_rl.meta.meta_policy import Progress

LogJsonFlag = Annotated[
    bool,
    Parameter(
        name="--log-json",
        negative="",
        env_var=LOG_JSON,
        help="Write a JSON line on standard error for each stage and each learner.",
    ),
]


@dataclass(frozen=True)
class StageLines:
    """Follows a night: prints a line when a stage has ended or is skipped, and names what is being done.

    as_json: whether to write JSON lines too.
    """

    workspace: Workspace
    as_json: bool

    def __call__(self, event: NightEvent) -> None:
        """Follow one event."""
        match event:
            case StageBegins(stage):
                begin(stage)
            case StageEnded(stage, seconds):
                _print_line(f"{stage:<9}{seconds:>8.2f} s")
                self.report(stage, seconds)
                if stage == STAGES[-1]:
                    begin("the end of the night")
            case StageSkipped(stage):
                _print_line(f"{stage:<9}    done by an earlier run of this night")
            case StageFailed():
                pass
            case Says(line):
                _print_line(line)

    def report(self, stage: str, seconds: float) -> None:
        """Write the JSON line of a stage that has ended."""
        if self.as_json:
            _write(report_of(self.workspace, stage, seconds).json_line)

    def listener(self, shown: "ProgressListener") -> "ProgressListener":
        """Return a listener to learning that also writes a JSON line when a learner begins."""
        if not self.as_json:
            return shown

        def listen(run: "LearnerRun") -> "Progress":
            _write(
                json_line(
                    "learner",
                    shop=self.workspace.shop,
                    domain=run.domain,
                    learner=run.learner,
                    place=run.place,
                    of=run.of,
                )
            )
            return shown(run)

        return listen


@contextmanager
def one_stage(workspace: Workspace, stage: str, as_json: bool) -> Iterator[StageLines]:
    """Lock the shop for one stage, within its time, and report the stage when the block ends."""
    begin(stage)
    limits = workspace.settings.time_limits
    with workspace.locked(), limited(limits, f"metacart {stage}") as deadlines:
        deadlines(StageBegins(stage))
        lines, began = StageLines(workspace, as_json), time.monotonic()
        yield lines
        lines.report(stage, time.monotonic() - began)


def _print_line(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


def _write(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
