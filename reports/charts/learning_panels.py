"""Learning curves, one panel per learner: solid after adapting, dashed before it."""

from collections.abc import Sequence

import altair as alt
from markupsafe import Markup

from reports.charts.theme import BASELINE, CANDIDATE, OTHER, svg, values
from reports.summaries.formatting import RewardFormat
from reports.summaries.learning_curves import LearningCurve
from reports.wording.catalog import Catalog

PANELS_PER_ROW = 3
WIDTH, HEIGHT = 210, 130


def validation_panels(
    curves: Sequence[LearningCurve], reward: RewardFormat, catalog: Catalog, *, axis: str
) -> Markup:
    """Return value on validation segments by step; the panels share one scale, so heights compare."""
    rows = [
        {"learner": curve.learner, "step": point.step, "line": line, "value": reward.shown(number)}
        for curve in curves
        for point in curve.points
        for line, number in (("adapted", point.validation_value), ("zero-shot", point.zero_shot_value))
    ]
    lines = ["adapted", "zero-shot"]
    chart = alt.Chart(values(rows)).encode(
        color=alt.Color("line:N", scale=alt.Scale(domain=lines, range=[CANDIDATE, BASELINE]), legend=None),
        strokeDash=alt.StrokeDash(
            "line:N", scale=alt.Scale(domain=lines, range=[[1, 0], [5, 3]]), legend=None
        ),
    )
    return _panels(chart, "value:Q", axis, catalog, share_scale=True)


def loss_panels(curves: Sequence[LearningCurve], catalog: Catalog) -> Markup:
    """Return training loss by step; each panel has its own scale: losses differ in kind."""
    rows = [
        {"learner": curve.learner, "step": point.step, "loss": point.loss}
        for curve in curves
        for point in curve.points
    ]
    chart = alt.Chart(values(rows)).encode(color=alt.value(OTHER))
    return _panels(chart, "loss:Q", None, catalog, share_scale=False)


def _panels(
    chart: alt.Chart, quantity: str, title: str | None, catalog: Catalog, *, share_scale: bool
) -> Markup:
    lines = chart.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=14, opacity=1)).encode(
        x=alt.X("step:Q", title=catalog.text("axis.step"), axis=alt.Axis(tickCount=4, grid=False)),
        y=alt.Y(
            quantity,
            title=title,
            scale=alt.Scale(zero=False, nice=False, padding=10),
            axis=alt.Axis(tickCount=4),
        ),
    )
    faceted = lines.properties(width=WIDTH, height=HEIGHT).facet(
        facet=alt.Facet("learner:N", title=None),
        columns=PANELS_PER_ROW,
        bounds="flush",  # else panels with longer axis labels sit lower than their neighbors
        spacing=alt.RowColnumber(row=72, column=24 if share_scale else 64),
    )
    scaled = faceted if share_scale else faceted.resolve_scale(y="independent")
    return svg(scaled, catalog.numbers)
