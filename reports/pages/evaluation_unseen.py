"""Segments that taught no learner: who earns more there than plain ones, with how much support."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports import unseen_segments_wording as wording
from reports.charts.adaptation_panels import adaptation_panels
from reports.pages.cells import heads, measured, text
from reports.pages.figure import Figure, Key
from reports.summaries.adaptation_curves import AdaptationCurve
from reports.summaries.formatting import RewardFormat, fixed
from reports.summaries.learner_comparisons import LearnerComparison, claims
from reports.summaries.printed_table import Cell, IntervalBar, PrintedTable, first_rows, interval_bars


@dataclass(frozen=True)
class UnseenEvidence:
    """What new segments say of the learners; None where the night has no rows for a part.

    comparisons: a table for each plain policy, the one that every learner was compared with first.
    hint: how they are judged, empty where nothing was. unmoved: that no learner adapts, empty where one does.
    """

    hint: str
    conclusion: str
    comparisons: tuple[PrintedTable, ...]
    figure: Figure | None
    support: PrintedTable | None
    steps: PrintedTable | None
    unmoved: str


def unseen_evidence(
    comparisons: Sequence[LearnerComparison],
    support: Sequence[AdaptationCurve],
    steps: Sequence[AdaptationCurve],
    reward: RewardFormat,
    *,
    n_unseen: int,
) -> UnseenEvidence:
    """Return the evidence; n_unseen: how many segments with a holdout were kept from the learners."""
    if not comparisons:
        nothing = wording.NO_LEARNER if n_unseen else wording.NO_SEGMENT
        return UnseenEvidence("", nothing, (), None, None, None, "")
    n_segments = comparisons[0].n_segments
    curve_format = reward.resized([(curve.gain, None, None) for curve in (*support, *steps) if curve.gain])
    return UnseenEvidence(
        hint=wording.HINT,
        conclusion=wording.comparison_conclusion(n_segments, claims(comparisons)),
        comparisons=_comparison_tables(comparisons, n_segments, reward),
        figure=_figure(support, curve_format) if support else None,
        support=_curve_table("rounds of support", support, curve_format) if support else None,
        steps=_curve_table("gradient steps on all rounds of support", steps, curve_format) if steps else None,
        unmoved="" if support else wording.NO_CURVE,
    )


def _comparison_tables(
    comparisons: Sequence[LearnerComparison], n_segments: int, reward: RewardFormat
) -> tuple[PrintedTable, ...]:
    """Return a table for each plain policy, in the order of the comparisons, all in the same decimals."""
    reward = reward.resized([(c.difference, c.lower, c.upper) for c in comparisons])
    baselines = dict.fromkeys(one.baseline for one in comparisons)
    counted = "1 new segment" if n_segments == 1 else f"{n_segments} new segments"
    return tuple(
        first_rows(
            f"Against {baseline}: difference in reward per round on {counted}, paired, doubly robust",
            heads("Learner", "Difference (interval)#", "Adjusted p#", "Claim"),
            _comparison_rows([one for one in comparisons if one.baseline == baseline], reward),
            "out_learner_comparisons",
        )
        for baseline in baselines
    )


def _comparison_rows(
    comparisons: Sequence[LearnerComparison], reward: RewardFormat
) -> list[tuple[Cell, ...]]:
    estimates = [(one.difference, one.lower, one.upper) for one in comparisons]
    return [
        (
            text(one.learner),
            *_compared(one, reward.difference(*estimate), bar),
        )
        for one, estimate, bar in zip(comparisons, estimates, interval_bars(estimates), strict=True)
    ]


def _compared(one: LearnerComparison, difference: str, bar: IntervalBar | None) -> tuple[Cell, ...]:
    """Return difference, p-value and claim; a learner that chooses as the plain policy does has none."""
    if one.difference == one.lower == one.upper == 0:
        return text(None), text(None), Cell(wording.same_choices(one.baseline), mark=wording.SAME)
    mark, word = wording.CLAIMS[one.is_claimed]
    return (
        measured(difference, one.difference, bar),
        measured(fixed(one.holm_p_value, 3), one.holm_p_value),
        Cell(word, mark=mark),
    )


def _figure(curves: Sequence[AdaptationCurve], reward: RewardFormat) -> Figure:
    gaining = [curve for curve in curves if curve.gain > 0]
    best = max(gaining, key=lambda curve: curve.gain, default=None)
    enough = best.half_gain_from if best else None
    axis = f"reward per round, {reward.unit}" if reward.unit else "reward per round"
    truth = (Key("dashed", "truth", "true, in the simulated world"),)
    return Figure(
        svg=adaptation_panels(curves, reward, axis=axis),
        name="Value by rounds of support, a panel for each learner; the table below has every point",
        conclusion=wording.support_conclusion(
            len(curves),
            len(gaining),
            best.learner if best else "",
            reward.change(best.gain) if best else "",
            enough.label if enough else "",
        ),
        keys=(
            Key("solid", "candidate", "estimated"),
            *(truth if any(curve.is_simulated for curve in curves) else ()),
        ),
    )


def _curve_table(over: str, curves: Sequence[AdaptationCurve], reward: RewardFormat) -> PrintedTable:
    longest = max(curves, key=lambda curve: len(curve.points))
    is_simulated = any(curve.is_simulated for curve in curves)
    value_head = ("Value",) if is_simulated else ()
    columns = heads("Learner", *value_head, *(f"{point.label}#" for point in longest.points))
    rows: list[tuple[Cell, ...]] = []
    for curve in curves:
        estimated = (measured(reward.value(point.value), point.value) for point in curve.points)
        rows.append((text(curve.learner), *((text(wording.ESTIMATED),) if is_simulated else ()), *estimated))
        if curve.is_simulated:
            known = (measured(reward.value(point.true_value), point.true_value) for point in curve.points)
            rows.append((text(curve.learner), text(wording.TRUE), *known))
    return first_rows(
        f"Value on new segments by {over}, segments alike, before the pooled model is fitted again",
        columns,
        rows,
        "out_adaptation_curves",
    )
