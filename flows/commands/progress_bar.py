"""A live progress bar of learning on a terminal; without a terminal, nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from flows.progress import LearnerRun, ProgressListener, describe_point, no_listener
from offline_rl.meta.meta_policy import Progress


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[ProgressListener]:
    """Show one line with learner, loss and validation value, and remove it when the block ends.

    The log file of a scheduler does not get this line: redrawn lines are noise there.
    """
    console = console or Console()
    if not console.is_terminal:
        yield no_listener
        return
    bar = Bar(
        TextColumn("  {task.description:<40}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[point]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("", total=1.0, start=False, visible=False, point="")

    def listener(run: LearnerRun) -> Progress:
        bar.start()
        bar.start_task(task)
        bar.update(
            task,
            description=f"{run.domain}, {run.learner}",
            completed=run.place / run.of,
            visible=True,
            point="",
        )
        return lambda point: bar.update(task, completed=run.share_done(point), point=describe_point(point))

    try:
        yield listener
    finally:
        bar.stop()
