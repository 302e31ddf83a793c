"""How learning went: curves per learner, and what each segment brought to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports import wording
from reports.charts.learning_panels import loss_panels, validation_panels
from reports.pages.cells import counted, heads, marked, measured, people, text
from reports.pages.figure import Figure, Key
from reports.summaries.formatting import RewardFormat, fixed, two_digits
from reports.summaries.learning_curves import LearningCurve
from reports.summaries.notes import Note
from reports.summaries.printed_table import Cell, PrintedTable, first_rows
from reports.summaries.segment_tasks import SegmentTask
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
    *,
    has_users: bool,
) -> LearningEvidence | None:
    """Return the evidence, or None where there is neither a curve nor a task."""
    if not curves and not tasks:
        return None
    fitted = reward.resized([(gain, None, None) for curve in curves for gain in _changes(curve)])
    return LearningEvidence(
        figures=_figures(curves, fitted),
        kept=tuple((", ".join(note.learners), note.text) for note in notes if note.learners),
        learners=_learners_table(curves, fitted) if curves else None,
        tasks=_tasks_table(tasks, has_users=has_users) if tasks else None,
    )


def _figures(curves: Sequence[LearningCurve], reward: RewardFormat) -> tuple[Figure, ...]:
    axis = f"reward per round, {reward.unit}" if reward.unit else "reward per round"
    drawn = [curve for curve in curves if len(curve.points) > 1]
    if not drawn:
        return ()
    return (
        Figure(
            svg=validation_panels(drawn, reward, axis=axis),
            name=f"Validation value by step of {len(drawn)} learners; the table below has first and last",
            conclusion=wording.validation_conclusion(drawn),
            keys=(
                Key("solid", "candidate", "after adapting to the segment"),
                Key("dashed", "baseline", "zero-shot, before adapting"),
            ),
        ),
        Figure(
            svg=loss_panels(drawn),
            name=f"Training loss by step of {len(drawn)} learners; the table below has first and last",
            conclusion=wording.LOSS_CONCLUSION,
        ),
    )


def _learners_table(curves: Sequence[LearningCurve], reward: RewardFormat) -> PrintedTable:
    columns = heads(
        "Learner",
        "Steps#",
        "First loss#",
        "Last loss#",
        "First zero-shot value#",
        "First adapted value#",
        "Last zero-shot value#",
        "Last adapted value#",
        "Adapting is higher#",
    )
    rows = [
        (
            text(curve.learner),
            counted(curve.last.step),
            _loss_cell(curve.first_loss),
            _loss_cell(curve.last_loss),
            *(
                measured(reward.value(value), value)
                for point in (curve.first, curve.last)
                for value in (point.zero_shot_value, point.validation_value)
            ),
            measured(
                f"{curve.n_above} of {curve.n_compared} steps" if curve.n_differing else "no difference",
                curve.n_above if curve.n_differing else None,
            ),
        )
        for curve in curves
    ]
    return first_rows(
        "Learners at their first and last step, value on validation segments",
        columns,
        rows,
        "out_learning_curves",
    )


def _tasks_table(tasks: Sequence[SegmentTask], *, has_users: bool) -> PrintedTable:
    ends = sorted({_minute(task) for task in tasks})
    user_head = ("Users#",) if has_users else ()
    end_head = ("Support until",) if len(ends) > 1 else ()
    columns = heads("Segment", "Status", "Split", "Support#", "Query#", "Holdout#", *user_head, *end_head)
    user_cells = iter(people([task.n_users for task in tasks if task.has_windows]))
    rows: list[tuple[Cell, ...]] = [
        (
            text(task.segment_id),
            marked(task.status, wording.TASK_STATUS),
            text((task.split or "").replace("_", "-")),
            counted(task.n_support),
            counted(task.n_query if task.has_windows else None),
            counted(task.n_holdout if task.has_windows else None),
            *((next(user_cells) if task.has_windows else text(None),) if has_users else ()),
            *((text(_minute(task)),) if end_head else ()),
        )
        for task in tasks
    ]
    whys = ["" if task.status == "used" else say(task.findings) for task in tasks]
    caption = "What each segment brought to learning, in rounds"
    if ends[0] and not end_head:
        caption += f"; support until {ends[0]} UTC"
    return first_rows(caption, columns, rows, "out_segment_tasks", whys=whys)


def _minute(task: SegmentTask) -> str:
    return f"{task.support_until:%Y-%m-%d %H:%M}" if task.support_until else ""


def _changes(curve: LearningCurve) -> list[float]:
    ends = (curve.first.validation_value, curve.last.validation_value)
    moved = [ends[1] - ends[0]] if ends[0] is not None and ends[1] is not None else []
    return [change for change in (curve.first.gain, curve.last.gain, *moved) if change]


def _loss_cell(loss: float | None) -> Cell:
    return measured(fixed(loss, max(2, two_digits(loss or 0.0))), loss)
