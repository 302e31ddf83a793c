"""Budget moves: a line per cell from today's spend to tomorrow's."""

from collections.abc import Sequence

import altair as alt
from markupsafe import Markup

from reports.charts.theme import BASELINE, CANDIDATE, OTHER, svg, values
from reports.summaries.budget import BudgetCell
from reports.wording.number_formats import Numbers

CELLS_DRAWN = 20
STEP = 24


def budget_moves(cells: Sequence[BudgetCell], numbers: Numbers, *, axis: str) -> Markup:
    """Return the chart of the first cells: ring for today, triangle for tomorrow in the way it moves."""
    rows = [
        {
            "cell": cell.name,
            "current": cell.spend_current_cents / 100,
            "recommended": cell.spend_recommended_cents / 100,
            "move": "up" if cell.change_cents > 0 else "down" if cell.change_cents < 0 else "none",
        }
        for cell in cells[:CELLS_DRAWN]
    ]
    names = [cell.name for cell in cells[:CELLS_DRAWN]]
    moves = ["up", "down", "none"]
    base = alt.Chart(values(rows)).encode(
        y=alt.Y("cell:N", sort=names, title=None, axis=alt.Axis(grid=True)),
        color=alt.Color(
            "move:N", scale=alt.Scale(domain=moves, range=[CANDIDATE, BASELINE, OTHER]), legend=None
        ),
    )
    lines = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("current:Q", title=axis, scale=alt.Scale(zero=True)), x2="recommended:Q"
    )
    today = base.mark_point(filled=False, size=60, strokeWidth=2, opacity=1).encode(x="current:Q")
    tomorrow = base.mark_point(filled=True, size=110, opacity=1).encode(
        x="recommended:Q",
        shape=alt.Shape(
            "move:N",
            scale=alt.Scale(domain=moves, range=["triangle-right", "triangle-left", "circle"]),
            legend=None,
        ),
    )
    return svg(alt.layer(lines, today, tomorrow).properties(width=560, height={"step": STEP}), numbers)
