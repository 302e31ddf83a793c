"""How learning went: curves per learner, and what each segment brought to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.learning_panels import loss_panels, validation_panels
from reports.pages.cells import counted, heads, marked, measured, people, text
from reports.pages.figure import Figure, Key, reward_axis
from reports.pages.marks import TASK_STATUS
from reports.summaries.formatting import RewardFormat, two_digits
from reports.summaries.learning_curves import LearningCurve
from reports.summaries.notes import Note
from reports.summaries.printed_table import Cell, PrintedTable, first_rows
from reports.summaries.segment_tasks import SegmentTask
from reports.wording.catalog import Catalog
from reports.wording.evaluation import validation_conclusion
from reports.wording.sentences import say


@dataclass(frozen=True)
class LearningEvidence:
    """Figures, notes and tables of learning; None where the night has no rows for a table.

    kept: the learners and what the night says of the parameters that they kept.
    """

    figures: tuple[Figure, ...]
    kept: tuple[tuple[str, str], ...]
    learners: PrintedTable | None
    tasks: PrintedTable | None


def learning_evidence(
    curves: Sequence[LearningCurve],
    tasks: Sequence[SegmentTask],
    notes: Sequence[Note],
    reward: RewardFormat,
    catalog: Catalog,
    *,
    has_users: bool,
) -> LearningEvidence | None:
    """Return the evidence, or None where there is neither a curve nor a task."""
    if not curves and not tasks:
        return None
    fitted = reward.resized([(gain, None, None) for curve in curves for gain in _changes(curve)])
    return LearningEvidence(
        figures=_figures(curves, fitted, catalog),
        kept=tuple(
            (catalog.text("page.label", name=catalog.listed(note.learners)), note.text)
            for note in notes
            if note.learners
        ),
        learners=_learners_table(curves, fitted, catalog) if curves else None,
        tasks=_tasks_table(tasks, catalog, has_users=has_users) if tasks else None,
    )


def _figures(curves: Sequence[LearningCurve], reward: RewardFormat, catalog: Catalog) -> tuple[Figure, ...]:
    drawn = [curve for curve in curves if len(curve.points) > 1]
    if not drawn:
        return ()
    return (
        Figure(
            svg=validation_panels(drawn, reward, catalog, axis=reward_axis(reward, catalog)),
            name=catalog.text("figure.validation", n_learners=len(drawn)),
            conclusion=validation_conclusion(drawn, catalog),
            keys=(
                Key("solid", "candidate", catalog.text("key.adapted")),
                Key("dashed", "baseline", catalog.text("key.zero_shot")),
            ),
        ),
        Figure(
            svg=loss_panels(drawn, catalog),
            name=catalog.text("figure.loss", n_learners=len(drawn)),
            conclusion=catalog.text("learning.loss"),
        ),
    )


def _learners_table(curves: Sequence[LearningCurve], reward: RewardFormat, catalog: Catalog) -> PrintedTable:
    columns = heads(
        catalog,
        "learner",
        "steps#",
        "first_loss#",
        "last_loss#",
        "first_zero_shot#",
        "first_adapted#",
        "last_zero_shot#",
        "last_adapted#",
        "adapting_higher#",
    )
    rows = [
        (
            text(curve.learner, catalog),
            counted(curve.last.step, catalog),
            _loss_cell(curve.first_loss, catalog),
            _loss_cell(curve.last_loss, catalog),
            *(
                measured(catalog.numbers.reward(reward, value), value)
                for point in (curve.first, curve.last)
                for value in (point.zero_shot_value, point.validation_value)
            ),
            _higher(curve, catalog),
        )
        for curve in curves
    ]
    return first_rows(catalog.text("caption.learners"), columns, rows, "out_learning_curves")


def _higher(curve: LearningCurve, catalog: Catalog) -> Cell:
    if not curve.n_differing:
        return measured(catalog.text("learning.no_difference"), None)
    words = catalog.text("learning.higher", n_above=curve.n_above, n_compared=curve.n_compared)
    return measured(words, curve.n_above)


def _tasks_table(tasks: Sequence[SegmentTask], catalog: Catalog, *, has_users: bool) -> PrintedTable:
    ends = sorted({_minute(task, catalog) for task in tasks})
    user_head = ("users#",) if has_users else ()
    end_head = ("support_until",) if len(ends) > 1 else ()
    columns = heads(
        catalog, "segment", "status", "split", "support#", "query#", "holdout#", *user_head, *end_head
    )
    user_cells = iter(people([task.n_users for task in tasks if task.has_windows], catalog))
    rows: list[tuple[Cell, ...]] = [
        (
            text(task.segment_id, catalog),
            marked(task.status, TASK_STATUS, catalog, "task_status"),
            text(catalog.text(f"split.{task.split}") if task.split else None, catalog),
            counted(task.n_support, catalog),
            counted(task.n_query if task.has_windows else None, catalog),
            counted(task.n_holdout if task.has_windows else None, catalog),
            *((next(user_cells) if task.has_windows else text(None, catalog),) if has_users else ()),
            *((text(_minute(task, catalog), catalog),) if end_head else ()),
        )
        for task in tasks
    ]
    whys = ["" if task.status == "used" else say(task.findings, catalog=catalog) for task in tasks]
    caption = (
        catalog.text("caption.tasks_until", until=ends[0])
        if ends[0] and not end_head
        else catalog.text("caption.tasks")
    )
    return first_rows(caption, columns, rows, "out_segment_tasks", whys=whys)


def _minute(task: SegmentTask, catalog: Catalog) -> str:
    return catalog.numbers.minute(task.support_until) if task.support_until else ""


def _changes(curve: LearningCurve) -> list[float]:
    ends = (curve.first.validation_value, curve.last.validation_value)
    moved = [ends[1] - ends[0]] if ends[0] is not None and ends[1] is not None else []
    return [change for change in (curve.first.gain, curve.last.gain, *moved) if change]


def _loss_cell(loss: float | None, catalog: Catalog) -> Cell:
    return measured(catalog.numbers.fixed(loss, max(2, two_digits(loss or 0.0))), loss)
