"""Adaptation curves, one panel per learner: solid as the log estimates, dashed the truth if known."""

from collections.abc import Sequence

import altair as alt
from markupsafe import Markup

from reports.charts.theme import CANDIDATE, TRUTH, svg, values
from reports.summaries.adaptation_curves import AdaptationCurve
from reports.summaries.formatting import RewardFormat
from reports.wording.catalog import Catalog

PANELS_PER_ROW = 3
WIDTH, HEIGHT = 190, 130
# Fewer panels are wider, since a page stretches every chart to its own width.
WIDTHS = {1: 520, 2: 240}


def adaptation_panels(
    curves: Sequence[AdaptationCurve], reward: RewardFormat, catalog: Catalog, *, axis: str
) -> Markup:
    """Return value on new segments by rounds of support; the panels share one scale, so heights compare."""
    rows = [
        {
            "learner": curve.learner,
            "rounds": amount_label(point.amount, catalog),
            "line": line,
            "value": reward.shown(number),
        }
        for curve in curves
        for point in curve.points
        for line, number in (("estimated", point.value), ("true", point.true_value))
        if number is not None
    ]
    longest = max(curves, key=lambda curve: len(curve.points))
    lines = ["estimated", "true"]
    chart = (
        alt.Chart(values(rows))
        .encode(
            x=alt.X(
                "rounds:N",
                title=catalog.text("axis.support"),
                sort=[amount_label(point.amount, catalog) for point in longest.points],
                axis=alt.Axis(grid=False, labelAngle=0),
            ),
            y=alt.Y(
                "value:Q",
                title=axis,
                scale=alt.Scale(zero=False, nice=False, padding=10),
                axis=alt.Axis(tickCount=4),
            ),
            color=alt.Color("line:N", scale=alt.Scale(domain=lines, range=[CANDIDATE, TRUTH]), legend=None),
            strokeDash=alt.StrokeDash(
                "line:N", scale=alt.Scale(domain=lines, range=[[1, 0], [5, 3]]), legend=None
            ),
        )
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=24, opacity=1))
        .properties(width=WIDTHS.get(len(curves), WIDTH), height=HEIGHT)
    )
    return svg(
        chart.facet(
            facet=alt.Facet("learner:N", title=None),
            columns=PANELS_PER_ROW,
            bounds="flush",
            spacing=alt.RowColnumber(row=72, column=24),
        ),
        catalog.numbers,
    )


def amount_label(amount: int | None, catalog: Catalog) -> str:
    """Return an amount of support, None for all of it, or of steps, as axes and heads have it."""
    return catalog.text("support.all") if amount is None else catalog.numbers.count(amount)
