"""What a command writes while its stages run: their seconds, and on request JSON lines on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.interruption import begin
from flows.night_folder import STAGES
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

IN_ORDER = ("ingest", *STAGES)


@dataclass
class StageLines:
    """Follows the stages of a night; `run_night` calls it with a line when a stage has ended.

    as_json: whether to write JSON lines too.
    """

    workspace: Workspace
    as_json: bool
    began: float = field(default_factory=time.monotonic)

    def __call__(self, line: str) -> None:
        """Print the line of a stage, whose first word is its name, and go on to the next stage."""
        sys.stdout.write(f"  {line}\n")
        sys.stdout.flush()
        stage = line.split(maxsplit=1)[0]
        if stage not in IN_ORDER:
            return
        self.ended(stage)
        following = IN_ORDER[IN_ORDER.index(stage) + 1 :]
        begin(following[0] if following else "the end of the night")

    def ended(self, stage: str) -> None:
        """Report a stage that has ended."""
        if self.as_json:
            _write(report_of(self.workspace, stage, time.monotonic() - self.began).json_line)
        self.began = time.monotonic()

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
    """Lock the shop for one stage, and report the stage when the block ends."""
    begin(stage)
    with workspace.locked():
        lines = StageLines(workspace, as_json)
        yield lines
        lines.ended(stage)


def _write(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
