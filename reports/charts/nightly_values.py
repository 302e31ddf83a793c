"""The value of each night, a line for each way to serve; lines of one color differ by dash."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt
from markupsafe import Markup

from reports.charts.theme import BASELINE, CANDIDATE, OTHER, TRUTH, svg, values
from reports.wording.number_formats import Numbers

COLORS = {"candidate": CANDIDATE, "baseline": BASELINE, "other": OTHER, "truth": TRUTH}
DASHES = {"solid": [1, 0], "dashed": [5, 3]}
WIDTH, HEIGHT = 640, 300


@dataclass(frozen=True)
class ValueLine:
    """A line to draw, already in the printed unit; its first value is of night 1."""

    name: str
    tone: Literal["candidate", "baseline", "other", "truth"]
    shape: Literal["solid", "dashed"]
    values: tuple[float, ...]


def nightly_values(
    lines: Sequence[ValueLine], numbers: Numbers, *, x: str, y: str, jump: int | None = None
) -> Markup:
    """Return the chart; the first line is drawn last, over the others.

    x, y: titles of the axes. jump: a night that a vertical line marks.
    """
    names = [line.name for line in lines]
    rows = [
        {"line": line.name, "night": night, "value": value}
        for line in reversed(lines)
        for night, value in enumerate(line.values, start=1)
    ]
    nights = alt.X(
        "night:Q",
        title=x,
        axis=alt.Axis(tickMinStep=1, grid=False, format="d"),
        scale=alt.Scale(zero=False, nice=False, padding=10),
    )
    chart = (
        alt.Chart(values(rows))
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=14, opacity=1))
        .encode(
            x=nights,
            y=alt.Y("value:Q", title=y, scale=alt.Scale(zero=False, nice=False, padding=10)),
            color=alt.Color(
                "line:N",
                scale=alt.Scale(domain=names, range=[COLORS[line.tone] for line in lines]),
                legend=None,
            ),
            strokeDash=alt.StrokeDash(
                "line:N",
                scale=alt.Scale(domain=names, range=[DASHES[line.shape] for line in lines]),
                legend=None,
            ),
        )
    )
    layers = [chart]
    if jump is not None:
        mark = alt.Chart(values([{"night": jump}])).mark_rule(color=OTHER, strokeWidth=1.5)
        layers = [mark.encode(x=nights), chart]
    return svg(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT), numbers)
