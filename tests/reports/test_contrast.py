"""WCAG 2.2 AA: text 4.5 to 1 on every ground it stands on, chart colors 3 to 1 on the page."""

import re

import pytest

from reports.render import TEMPLATES

BLOCKS = re.findall(r":root \{(.*?)\}", (TEMPLATES / "report.css").read_text(), flags=re.DOTALL)
SCHEMES = {
    name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b", block))
    for name, block in zip(("light", "dark"), BLOCKS, strict=False)
}
TEXTS = (
    [(text, ground) for text in ("ink", "muted", "link") for ground in ("paper", "surface")]
    + [(tone, ground) for tone in ("good", "even", "bad") for ground in (f"{tone}-tint", "paper", "surface")]
    + [("ink", "even-tint")]
)
SERIES = ["series-candidate", "series-baseline", "series-other", "series-truth"]


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_stands_out(scheme: str, text: str, ground: str) -> None:
    assert contrast(SCHEMES[scheme][text], SCHEMES[scheme][ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("ground", ["paper", "surface"])
def test_chart_colors_stand_out(scheme: str, series: str, ground: str) -> None:
    assert contrast(SCHEMES[scheme][series], SCHEMES[scheme][ground]) >= 3
