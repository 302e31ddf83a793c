"""A live bar on the terminal while learners learn; where there is no terminal, nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from flows.progress import Lesson, Watch, described, unwatched
from offline_rl.meta.meta_policy import Progress


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[Watch]:
    """One line with learner, loss and validation value, gone when the block ends.

    A log file of a scheduler gets none of it: redrawn lines are noise there.
    """
    console = console or Console()
    if not console.is_terminal:
        yield unwatched
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

    def watch(lesson: Lesson) -> Progress:
        bar.start()
        bar.start_task(task)
        bar.update(
            task,
            description=f"{lesson.domain}, {lesson.learner}",
            completed=lesson.place / lesson.of,
            visible=True,
            point="",
        )
        return lambda point: bar.update(task, completed=lesson.share_done(point), point=described(point))

    try:
        yield watch
    finally:
        bar.stop()
