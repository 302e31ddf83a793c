"""The page about one policy's value: the answer or its refusal, and everything it rests on."""

from pathlib import Path

from reports import policy_value_wording as wording
from reports.charts.value_intervals import ValueMark, value_intervals
from reports.pages.cells import heads, measured, shared, text
from reports.pages.figure import Figure, Key
from reports.pages.policy_value_checks import checks, sized
from reports.pages.policy_value_robust import robust_rows
from reports.render import render
from reports.summaries.formatting import MISSING, count, share
from reports.summaries.policy_answer import (
    Difference,
    EstimatedValue,
    LoggedPropensities,
    PolicyAnswer,
    WeightBand,
)
from reports.summaries.printed_table import Cell, PrintedTable, first_rows
from reports.wording.sentences import sentences

UNKNOWN = Difference(None, None, None)

ON_MODEL_ALONE = ("dm", "sequential_dm")
"""Estimators whose interval leaves out the error of their model."""

PLOT_WIDTH = 340
"""Pixels of a chart that a phone shows whole, at a size that can be read."""


def write_policy_value(answer: PolicyAnswer, path: Path) -> None:
    """Write the page, one HTML file that needs nothing beside it."""
    path.write_text(policy_value_html(answer), encoding="utf-8", newline="\n")


def policy_value_html(answer: PolicyAnswer) -> str:
    """Return the page as HTML; equal answers give equal text."""
    return render(
        "policy_value.html.j2",
        answer=answer,
        wording=wording,
        badge=wording.VERDICTS[answer.trusted],
        earned=wording.logged(
            answer.reward.value(answer.logged.value),
            answer.reward.interval(answer.logged.lower, answer.logged.upper),
            answer.unit,
        ),
        difference=wording.difference_found(answer),
        reasons=sentences(answer.reasons),
        notices=sentences(answer.propensities.cautions),
        figure=_figure(answer),
        estimates=_estimates_table(answer),
        robust=_robust_table(answer),
        diagnostics=_diagnostics_table(answer),
        weights_line=wording.weights_conclusion(
            share(answer.diagnostics["top_weight_share"]),
            sized(answer.diagnostics["max_weight"]),
            answer.units,
        ),
        weights=_weights_table(answer),
        cautions=wording.cautions(
            unit=answer.unit,
            knows_clusters=bool(answer.cluster),
            modeled=[e.estimator for e in answer.estimates if e.estimator.lower() in ON_MODEL_ALONE],
            of_propensities=sentences(answer.propensities.cautions),
        ),
        provenance=_provenance(answer),
    )


def _figure(answer: PolicyAnswer) -> Figure | None:
    leading = answer.leading
    roles = {leading.estimator: "candidate", answer.logged.estimator: "baseline"}
    marks = [
        ValueMark(e.estimator, roles.get(e.estimator, "other"), 0, e.value, e.lower, e.upper, None)
        for e in (answer.logged, *answer.estimates)
        if e.value is not None
    ]
    if len(marks) < 2:
        return None
    return Figure(
        svg=value_intervals(marks, axis=f"reward per {answer.unit}", width=PLOT_WIDTH),
        name=f"What the log earned, and the policy's value by {len(marks) - 1} estimators, each with its "
        "interval; the table below has the numbers",
        conclusion=_agreement(answer),
        keys=(
            Key("dot", "baseline", "what the log earned"),
            Key("dot", "candidate", f"the policy, by {leading.estimator}"),
            *((Key("dot", "other", "by another estimator"),) if len(answer.estimates) > 1 else ()),
        ),
    )


def _agreement(answer: PolicyAnswer) -> str:
    leading, *others = answer.estimates
    if leading.lower is None or leading.upper is None:
        return ""
    if not others:
        return wording.only_one(leading.estimator)
    outside = [
        e.estimator for e in others if e.value is not None and not leading.lower <= e.value <= leading.upper
    ]
    return wording.agreement(leading.estimator, outside)


def _estimates_table(answer: PolicyAnswer) -> PrintedTable:
    printed = (answer.logged, *answer.estimates)
    columns = heads("Estimator", "Value#", "Less the log#")
    whys = [_ends(answer, e) for e in printed]
    title = f"Reward per {answer.unit} of the log, and of the policy by each estimator"
    return first_rows(title, columns, [_estimate(answer, e) for e in printed], "", whys=whys)


def _estimate(answer: PolicyAnswer, e: EstimatedValue) -> tuple[Cell, ...]:
    found = e.difference or UNKNOWN
    return (
        text(e.estimator),
        measured(answer.reward.value(e.value), e.value),
        measured(answer.difference_format.change(found.value), found.value),
    )


def _ends(answer: PolicyAnswer, e: EstimatedValue) -> str:
    """The intervals and how they were made, under the row: side by side they would not fit a phone."""
    found, less = e.difference or UNKNOWN, answer.difference_format
    return wording.ends(
        answer.level,
        answer.reward.interval(e.lower, e.upper),
        less.interval(found.lower, found.upper, signed=True),
        e.interval_method,
    )


def _robust_table(answer: PolicyAnswer) -> PrintedTable | None:
    found = robust_rows(answer)
    if not found:
        return None
    rows = [(text(method), text(value or MISSING), text(ends)) for method, value, ends, _ in found]
    columns = heads("Method", "Value", f"{answer.level} interval")
    whys = [about for *_, about in found]
    return first_rows("Beside them, each with what it assumes", columns, rows, "", whys=whys)


def _diagnostics_table(answer: PolicyAnswer) -> PrintedTable:
    listed = checks(answer)
    rows = [
        (
            text(check.name),
            Cell(check.found, mark=None if check.passed is None else wording.CHECKS[check.passed]),
            text(check.good),
        )
        for check in listed
    ]
    columns = heads("Diagnostic", "This log", "Good")
    whys = [check.meaning for check in listed]
    return first_rows("What the gate looks at", columns, rows, "", whys=whys)


def _weights_table(answer: PolicyAnswer) -> PrintedTable:
    rows = [
        (
            text(_band(band)),
            shared(band.share_of_rounds, drawn=True),
            shared(band.share_of_weight, drawn=True),
        )
        for band in answer.weight_bands
    ]
    units = answer.units.capitalize()
    columns = heads("Weight", f"{units}#", "Weight they hold#")
    return first_rows(f"{units} by their importance weight", columns, rows, "")


def _band(band: WeightBand) -> str:
    if band.most == 0:
        return "0"
    if band.most == float("inf"):
        return f"above {band.least:g}"
    return f"{band.least:g} to {band.most:g}"


def _provenance(answer: PolicyAnswer) -> tuple[tuple[str, str], ...]:
    is_logged = isinstance(answer.propensities, LoggedPropensities)
    return (
        ("File", answer.source),
        (answer.units.capitalize(), count(answer.n_rounds)),
        ("Clusters", answer.cluster or f"every {answer.unit} by itself"),
        ("Propensities", "logged" if is_logged else "estimated from the column context"),
        ("Estimators", ", ".join(e.estimator for e in answer.estimates) or MISSING),
        ("Confidence", answer.level),
        ("Resamples", count(answer.n_resamples)),
        ("Seed", str(answer.seed)),
    )
