import re
from dataclasses import replace

import pytest
from markupsafe import Markup

from reports.charts.adaptation_panels import adaptation_panels
from reports.charts.budget_moves import budget_moves
from reports.charts.learning_panels import loss_panels, validation_panels
from reports.charts.nightly_values import ValueLine, nightly_values
from reports.charts.value_intervals import ValueMark, value_intervals
from reports.summaries.adaptation_curves import SUPPORT, adaptation_curves
from reports.summaries.budget import budget_cells
from reports.summaries.formatting import RewardFormat
from reports.summaries.learning_curves import learning_curves
from reports.summaries.night import night
from reports.wording.language import LANGUAGE
from tests.reports.sample_nights import demo_night

ATTACK = "</script><script>alert(1)</script>"
RATE = RewardFormat("%", 100, 2)
SAMPLE = demo_night()
NIGHT = night(SAMPLE.tables, SAMPLE.manifest)
CURVES = learning_curves(NIGHT.rows("out_learning_curves"), "recommendation")
ADAPTING = adaptation_curves(NIGHT.rows("out_adaptation_curves"), "recommendation", SUPPORT)
CELLS = budget_cells(NIGHT.rows("out_budget_allocation"))


def values_chart(policy: str = "maml") -> Markup:
    marks = [
        ValueMark(policy, "candidate", 0, 0.5, 0.4, 0.6, 0.45),
        ValueMark(policy, "candidate", 1, 0.52, 0.3, 0.7, 0.45),
        ValueMark("popular", "baseline", 0, 0.3, 0.2, 0.4, None),
    ]
    return value_intervals(marks, LANGUAGE.numbers, axis="reward per round, %")


def nightly_chart(jump: int | None = None) -> Markup:
    lines = [
        ValueLine("metacart", "candidate", "solid", (6.0, 7.0, 8.0)),
        ValueLine("no exploring", "candidate", "dashed", (6.0, 6.5, 7.0)),
    ]
    return nightly_values(lines, LANGUAGE.numbers, x="night", y="reward", jump=jump)


CHARTS = {
    "values": values_chart,
    "validation": lambda: validation_panels(CURVES, RATE, LANGUAGE, axis="reward"),
    "loss": lambda: loss_panels(CURVES, LANGUAGE),
    "adaptation": lambda: adaptation_panels(ADAPTING, RATE, LANGUAGE, axis="reward"),
    "budget": lambda: budget_moves(CELLS, LANGUAGE.numbers, axis="spend"),
    "nightly": lambda: nightly_chart(jump=2),
}


@pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)
def test_a_chart_is_svg_without_addresses_and_the_same_bytes_again(draw) -> None:
    svg = draw()

    assert svg.startswith("<svg") and svg.endswith("</svg>")
    assert "http" not in svg
    assert "currentColor" in svg
    assert draw() == svg


def test_labels_are_escaped() -> None:
    assert "<script" not in values_chart(policy=ATTACK)
    assert "&lt;/script&gt;" in values_chart(policy=ATTACK)


def test_roles_differ_by_color_and_estimators_by_dash_and_shape() -> None:
    svg = values_chart()

    assert "var(--series-candidate)" in svg and "var(--series-baseline)" in svg
    assert "var(--series-truth)" in svg
    assert 'stroke-dasharray="4,3"' in svg


def test_lines_of_one_color_differ_by_dash_and_a_jump_is_marked() -> None:
    svg = nightly_chart()

    assert svg.count('stroke-dasharray="5,3"') > 0
    assert svg.count("var(--series-candidate)") > svg.count('stroke-dasharray="5,3"')
    assert "var(--series-other)" not in svg
    assert "var(--series-other)" in nightly_chart(jump=2)


def test_a_budget_chart_draws_the_biggest_moves_only() -> None:
    svg = budget_moves(CELLS, LANGUAGE.numbers, axis="spend")

    assert CELLS[0].name in svg
    assert CELLS[-1].name not in svg


def test_an_adaptation_curve_ends_with_all_rounds_and_is_dashed_where_true() -> None:
    svg = adaptation_panels(ADAPTING, RATE, LANGUAGE, axis="reward")

    labels = [label for label in re.findall(r">([^<>]+)</text>", svg) if label in {"0", "25", "200", "all"}]
    assert labels[:4] == ["0", "25", "200", "all"]
    assert 'stroke-dasharray="5,3"' in svg and "var(--series-truth)" in svg


def test_a_long_label_is_not_cut() -> None:
    name = "surface=women|user_feature_0=81ce123c|user_feature_1=cef3390e|hour=evening"

    assert f">{name}<" in values_chart(policy=name)


def test_numbers_of_axes_are_written_as_the_language_writes_them() -> None:
    dear = [replace(cell, spend_recommended_cents=250_000_00) for cell in CELLS]
    german = replace(LANGUAGE.numbers, thousands=".", decimal=",")

    assert ">200,000<" in budget_moves(dear, LANGUAGE.numbers, axis="spend")
    assert ">200.000<" in budget_moves(dear, german, axis="spend")
