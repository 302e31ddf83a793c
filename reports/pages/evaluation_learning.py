"""How learning went: curves per learner, and what each segment brought to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports import wording
from reports.charts.learning_panels import loss_panels, validation_panels
from reports.pages.cells import counted, heads, marked, measured, people, text
from reports.pages.figure import Figure, Key
from reports.summaries.formatting import MISSING, RewardFormat, fixed, two_digits
from reports.summaries.learning_curves import LearningCurve
from reports.summaries.printed_table import Cell, PrintedTable, first_rows
from reports.summaries.segment_tasks import SegmentTask
from reports.summaries.suppression import without_small_counts


@dataclass(frozen=True)
class LearningEvidence:
    """Figures and tables of learning; None where the night has no rows for them."""

    figures: tuple[Figure, ...]
    learners: PrintedTable | None
    tasks: PrintedTable | None


def learning_evidence(
    curves: Sequence[LearningCurve], tasks: Sequence[SegmentTask], reward: RewardFormat, *, has_users: bool
) -> LearningEvidence | None:
    """Return the evidence, or None where there is neither a curve nor a task."""
    if not curves and not tasks:
        return None
    fitted = reward.resized([(curve.gain, None, None) for curve in curves])
    return LearningEvidence(
        figures=_figures(curves, fitted),
        learners=_learners_table(curves, fitted) if curves else None,
        tasks=_tasks_table(tasks, has_users=has_users) if tasks else None,
    )


def _figures(curves: Sequence[LearningCurve], reward: RewardFormat) -> tuple[Figure, ...]:
    axis = f"reward per round, {reward.unit}" if reward.unit else "reward per round"
    drawn = [curve for curve in curves if len(curve.points) > 1]
    if not drawn:
        return ()
    best = max(drawn, key=_best_value)
    pp = "pp" if reward.unit == "%" else reward.unit
    gain = f"{fixed(reward.shown(best.gain), reward.decimals, signed=True)} {pp}".rstrip()
    return (
        Figure(
            svg=validation_panels(drawn, reward, axis=axis),
            name=f"Validation value by step of {len(drawn)} learners; the table below has the key steps",
            conclusion=wording.validation_conclusion(best.learner, gain, (best.gain or 0.0) > 0),
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
        "Best step#",
        "Validation value#",
        "Zero-shot#",
        "Gain#",
    )
    pp = " pp" if reward.unit == "%" else ""
    rows = [
        (
            text(curve.learner),
            counted(curve.last_step),
            _loss_cell(curve.first_loss),
            _loss_cell(curve.last_loss),
            counted(curve.best.step),
            measured(reward.value(curve.best.validation_value), curve.best.validation_value),
            measured(reward.value(curve.best.zero_shot_value), curve.best.zero_shot_value),
            measured(
                MISSING
                if curve.gain is None
                else fixed(reward.shown(curve.gain), reward.decimals, signed=True) + pp,
                curve.gain,
            ),
        )
        for curve in sorted(curves, key=lambda curve: (-_best_value(curve), curve.learner))
    ]
    return first_rows("Learners at their best validation step", columns, rows, "out_learning_curves")


def _tasks_table(tasks: Sequence[SegmentTask], *, has_users: bool) -> PrintedTable:
    user_head = ("Users#",) if has_users else ()
    columns = heads(
        "Segment", "Status", "Split", "Support#", "Query#", "Holdout#", *user_head, "Support until", "Reason…"
    )
    users = people([task.n_users for task in tasks])
    rows: list[tuple[Cell, ...]] = []
    for task, user_cell in zip(tasks, users, strict=True):
        reason = without_small_counts(task.reason) if has_users else task.reason
        rows.append(
            (
                text(task.segment_id),
                marked(task.status, wording.TASK_STATUS),
                text((task.split or "").replace("_", "-")),
                counted(task.n_support),
                counted(task.n_query),
                counted(task.n_holdout),
                *((user_cell,) if has_users else ()),
                text(f"{task.support_until:%Y-%m-%d %H:%M}" if task.support_until else None),
                text(reason),
            )
        )
    return first_rows("What each segment brought to learning, in rounds", columns, rows, "out_segment_tasks")


def _best_value(curve: LearningCurve) -> float:
    value = curve.best.validation_value
    return float("-inf") if value is None else value


def _loss_cell(loss: float | None) -> Cell:
    return measured(fixed(loss, max(2, two_digits(loss or 0.0))), loss)
