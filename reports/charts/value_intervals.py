"""Policy values with their intervals: one line per policy, a lane per estimator, a tick for the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
from markupsafe import Markup

from reports.charts.theme import BASELINE, CANDIDATE, OTHER, TRUTH, svg, values
from reports.wording.number_formats import Numbers

GAP = 0.25
SHAPES = ("circle", "square")
DASHES = ([1, 0], [4, 3])
LANE = 18


@dataclass(frozen=True)
class ValueMark:
    """One estimate to draw, already in the printed unit.

    role: candidate, baseline or other. lane: 0 for the leading estimator, 1 for the checking one.
    """

    policy: str
    role: str
    lane: int
    value: float
    lower: float | None
    upper: float | None
    true_value: float | None


def value_intervals(marks: Sequence[ValueMark], numbers: Numbers, *, axis: str, width: int = 640) -> Markup:
    """Return the chart; policies keep the order of the marks. width: of the plot, in pixels."""
    policies = list(dict.fromkeys(mark.policy for mark in marks))
    lanes = sorted({mark.lane for mark in marks})
    rows = [vars(mark) | {"lane": str(mark.lane)} for mark in marks]
    lane_names = [str(lane) for lane in lanes]
    rows_of_policies = alt.Y(
        "policy:N",
        sort=policies,
        title=None,
        axis=alt.Axis(grid=False),
        scale=alt.Scale(paddingInner=GAP, paddingOuter=GAP / 2),
    )
    base = alt.Chart(values(rows)).encode(
        y=rows_of_policies,
        yOffset=alt.YOffset("lane:N", sort=lane_names),
        color=alt.Color(
            "role:N",
            scale=alt.Scale(domain=["candidate", "baseline", "other"], range=[CANDIDATE, BASELINE, OTHER]),
            legend=None,
        ),
    )
    intervals = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("lower:Q", title=axis, scale=alt.Scale(zero=False, nice=True)),
        x2="upper:Q",
        strokeDash=alt.StrokeDash(
            "lane:N", scale=alt.Scale(domain=lane_names, range=DASHES[: len(lanes)]), legend=None
        ),
    )
    points = base.mark_point(filled=True, opacity=1, size=85).encode(
        x="value:Q",
        shape=alt.Shape(
            "lane:N", scale=alt.Scale(domain=lane_names, range=SHAPES[: len(lanes)]), legend=None
        ),
    )
    truth = (
        alt.Chart(values([row for row in rows if row["true_value"] is not None and row["lane"] == "0"]))
        .mark_tick(color=TRUTH, thickness=3, size=LANE * len(lanes), opacity=1)
        .encode(x="true_value:Q", y=rows_of_policies)
    )
    height = round(LANE * len(lanes) / (1 - GAP)) * len(policies)
    return svg(alt.layer(truth, intervals, points).properties(width=width, height=height), numbers)
