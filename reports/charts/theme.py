"""How every chart looks, and how an Altair chart becomes SVG text that a page can hold.

Colors are CSS custom properties, so one SVG serves the light and the dark page; report.css sets them to
the Okabe-Ito palette. A role never shows by color alone: shape or dash says the same.
"""

import re
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from reports.wording.number_formats import Numbers

CANDIDATE = "var(--series-candidate)"
BASELINE = "var(--series-baseline)"
OTHER = "var(--series-other)"
TRUTH = "var(--series-truth)"

# Inline SVG needs no namespace, and a page without any address is easier to check.
_NAMESPACES = re.compile(r'\s(?:xmlns|xmlns:xlink|version|class)="[^"]*"')
# Vega describes facets in English; the figure around the chart says what it shows in the page's language.
_GROUP = re.compile(r"<g [^>]*>")
_DESCRIPTIONS = re.compile(r'\s(?:role|aria-roledescription|aria-label)="[^"]*"')


def svg(chart: Any, numbers: Numbers) -> Markup:
    """Return the chart as SVG text: transparent, in the ink of the page, without Vega's inner roles.

    numbers: how the language writes the numbers of axes.

    The text comes from vl-convert, which escapes labels; the figure around it carries role and name.
    """
    themed = (
        chart.properties(background="transparent", padding=4)
        .configure(aria=False, font="Arial")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="currentColor",
            titleColor="currentColor",
            gridColor="currentColor",
            gridOpacity=0.12,
            domain=False,
            ticks=False,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelPadding=8,
            titlePadding=10,
            labelLimit=0,
        )
        .configure_header(labelColor="currentColor", labelFontSize=13, labelFontWeight="bold", title=None)
    )
    text = vl_convert.vegalite_to_svg(themed.to_dict(), format_locale=_locale(numbers))
    head, rest = text.split(">", 1)
    drawn = _GROUP.sub(lambda group: _DESCRIPTIONS.sub("", group[0]), rest)
    return Markup(_NAMESPACES.sub("", head) + ' aria-hidden="true" focusable="false">' + drawn)  # noqa: S704


def _locale(numbers: Numbers) -> dict[str, Any]:
    """Return the signs of numbers on axes, as d3 names them."""
    return {
        "decimal": numbers.decimal,
        "thousands": numbers.thousands,
        "grouping": [3],
        "currency": ["", ""],
        "minus": numbers.minus,
    }


def values(rows: list[dict[str, Any]]) -> alt.InlineData:
    """Return rows as the data of a chart, in their order."""
    return alt.InlineData(values=rows)
