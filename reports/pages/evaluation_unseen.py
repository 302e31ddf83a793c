"""Segments that taught no learner: who earns more there than plain ones, with how much support."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.adaptation_panels import adaptation_panels, amount_label
from reports.pages.cells import heads, measured, text
from reports.pages.figure import Figure, Key, reward_axis
from reports.pages.marks import IS_CLAIMED, SAME
from reports.summaries.adaptation_curves import AdaptationCurve
from reports.summaries.formatting import RewardFormat
from reports.summaries.learner_comparisons import LearnerComparison, claims
from reports.summaries.printed_table import Cell, Column, IntervalBar, PrintedTable, first_rows, interval_bars
from reports.wording.catalog import Catalog
from reports.wording.unseen_segments import comparison_conclusion, same_choices, support_conclusion


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
    catalog: Catalog,
    *,
    n_unseen: int,
) -> UnseenEvidence:
    """Return the evidence; n_unseen: how many segments with a holdout were kept from the learners."""
    if not comparisons:
        nothing = catalog.text("unseen.no_learner" if n_unseen else "unseen.no_segment")
        return UnseenEvidence("", nothing, (), None, None, None, "")
    n_segments = comparisons[0].n_segments
    curve_format = reward.resized([(curve.gain, None, None) for curve in (*support, *steps) if curve.gain])
    return UnseenEvidence(
        hint=catalog.text("unseen.hint"),
        conclusion=comparison_conclusion(n_segments, claims(comparisons), catalog),
        comparisons=_comparison_tables(comparisons, n_segments, reward, catalog),
        figure=_figure(support, curve_format, catalog) if support else None,
        support=_curve_table("by_support", support, curve_format, catalog) if support else None,
        steps=_curve_table("by_steps", steps, curve_format, catalog) if steps else None,
        unmoved="" if support else catalog.text("unseen.no_curve"),
    )


def _comparison_tables(
    comparisons: Sequence[LearnerComparison], n_segments: int, reward: RewardFormat, catalog: Catalog
) -> tuple[PrintedTable, ...]:
    """Return a table for each plain policy, in the order of the comparisons, all in the same decimals."""
    reward = reward.resized([(c.difference, c.lower, c.upper) for c in comparisons])
    baselines = dict.fromkeys(one.baseline for one in comparisons)
    columns = heads(catalog, "learner", "difference#", "adjusted_p#", "claim")
    return tuple(
        first_rows(
            catalog.text("caption.unseen", baseline=baseline, n_segments=n_segments),
            columns,
            _comparison_rows([one for one in comparisons if one.baseline == baseline], reward, catalog),
            "out_learner_comparisons",
        )
        for baseline in baselines
    )


def _comparison_rows(
    comparisons: Sequence[LearnerComparison], reward: RewardFormat, catalog: Catalog
) -> list[tuple[Cell, ...]]:
    estimates = [(one.difference, one.lower, one.upper) for one in comparisons]
    return [
        (
            text(one.learner, catalog),
            *_compared(one, catalog.numbers.reward_difference(reward, *estimate), bar, catalog),
        )
        for one, estimate, bar in zip(comparisons, estimates, interval_bars(estimates), strict=True)
    ]


def _compared(
    one: LearnerComparison, difference: str, bar: IntervalBar | None, catalog: Catalog
) -> tuple[Cell, ...]:
    """Return difference, p-value and claim; a learner that chooses as the plain policy does has none."""
    if one.difference == one.lower == one.upper == 0:
        same = Cell(same_choices(one.baseline, catalog), mark=SAME)
        return text(None, catalog), text(None, catalog), same
    claim = catalog.text("unseen.better" if one.is_claimed else "unseen.not_claimed")
    return (
        measured(difference, one.difference, bar),
        measured(catalog.numbers.fixed(one.holm_p_value, 3), one.holm_p_value),
        Cell(claim, mark=IS_CLAIMED[one.is_claimed]),
    )


def _figure(curves: Sequence[AdaptationCurve], reward: RewardFormat, catalog: Catalog) -> Figure:
    gaining = [curve for curve in curves if curve.gain > 0]
    best = max(gaining, key=lambda curve: curve.gain, default=None)
    enough = best.half_gain_from if best else None
    truth = (Key("dashed", "truth", catalog.text("key.true_in_simulation")),)
    return Figure(
        svg=adaptation_panels(curves, reward, catalog, axis=reward_axis(reward, catalog)),
        name=catalog.text("figure.support"),
        conclusion=support_conclusion(
            len(curves),
            len(gaining),
            catalog,
            best=best.learner if best else "",
            gain=catalog.numbers.reward_change(reward, best.gain) if best else "",
            enough=enough.amount if enough else None,
        ),
        keys=(
            Key("solid", "candidate", catalog.text("key.estimated")),
            *(truth if any(curve.is_simulated for curve in curves) else ()),
        ),
    )


def _curve_table(
    by: str, curves: Sequence[AdaptationCurve], reward: RewardFormat, catalog: Catalog
) -> PrintedTable:
    longest = max(curves, key=lambda curve: len(curve.points))
    is_simulated = any(curve.is_simulated for curve in curves)
    value_head = ("value",) if is_simulated else ()
    columns = (
        *heads(catalog, "learner", *value_head),
        *(Column(amount_label(point.amount, catalog), "number") for point in longest.points),
    )
    kinds = {kind: text(catalog.text(f"unseen.{kind}"), catalog) for kind in ("estimated", "true")}
    rows: list[tuple[Cell, ...]] = []
    for curve in curves:
        estimated = (
            measured(catalog.numbers.reward(reward, point.value), point.value) for point in curve.points
        )
        rows.append(
            (
                text(curve.learner, catalog),
                *((kinds["estimated"],) if is_simulated else ()),
                *estimated,
            )
        )
        if curve.is_simulated:
            known = (
                measured(catalog.numbers.reward(reward, point.true_value), point.true_value)
                for point in curve.points
            )
            rows.append((text(curve.learner, catalog), kinds["true"], *known))
    return first_rows(catalog.text(f"caption.{by}"), columns, rows, "out_adaptation_curves")
