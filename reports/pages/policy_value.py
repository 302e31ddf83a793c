"""The page about one policy's value: the answer or its refusal, and everything it rests on."""

from pathlib import Path

from reports.charts.value_intervals import ValueMark, value_intervals
from reports.pages.cells import heads, measured, shared, text
from reports.pages.figure import Figure, Key
from reports.pages.marks import IS_RIGHT
from reports.pages.policy_value_checks import checks
from reports.pages.policy_value_robust import robust_rows
from reports.render import render
from reports.summaries.policy_answer import (
    Difference,
    EstimatedValue,
    LoggedPropensities,
    PolicyAnswer,
    WeightBand,
)
from reports.summaries.printed_table import Cell, Column, PrintedTable, first_rows
from reports.wording.catalog import Catalog
from reports.wording.language import LANGUAGE
from reports.wording.policy_value import (
    agreement,
    cautions,
    difference_found,
    ends,
    estimator_name,
    log_earned,
    unit_names,
)
from reports.wording.sentences import say_in_clauses, sentences

UNKNOWN = Difference(None, None, None)

ON_MODEL_ALONE = ("dm", "sequential_dm")
"""Estimators whose interval leaves out the error of their model."""

PLOT_WIDTH = 340
"""Pixels of a chart that a phone shows whole, at a size that can be read."""

SECTIONS = ("answer", "estimates", "diagnostics", "weights", "limits")


def write_policy_value(answer: PolicyAnswer, path: Path) -> None:
    """Write the page, one HTML file that needs nothing beside it."""
    path.write_text(policy_value_html(answer), encoding="utf-8", newline="\n")


def policy_value_html(answer: PolicyAnswer, *, catalog: Catalog = LANGUAGE) -> str:
    """Return the page as HTML; equal answers give equal text."""
    names = unit_names(answer, catalog)
    return render(
        "policy_value.html.j2",
        catalog,
        answer=answer,
        unit=names["unit"],
        units=names["units"],
        badge=(IS_RIGHT[answer.trusted], catalog.text(_VERDICT[answer.trusted])),
        value=_value(answer, catalog),
        basis=_basis(answer, catalog),
        earned=log_earned(answer, catalog),
        difference=difference_found(answer, catalog),
        figure=_figure(answer, catalog),
        estimates=_estimates_table(answer, catalog),
        robust=_robust_table(answer, catalog),
        diagnostics=_diagnostics_table(answer, catalog),
        weights_line=_weights_line(answer, catalog),
        weights=_weights_table(answer, catalog),
        cautions=cautions(
            answer,
            [e.estimator for e in answer.estimates if e.estimator.lower() in ON_MODEL_ALONE],
            catalog,
        ),
        reasons=sentences(answer.reasons, catalog=catalog),
        notices=sentences(answer.propensities.cautions, catalog=catalog),
        provenance=_provenance(answer, catalog),
    )


def _value(answer: PolicyAnswer, catalog: Catalog) -> str:
    numbers, leading = catalog.numbers, answer.leading
    return numbers.with_interval(
        numbers.reward(answer.reward, leading.value),
        numbers.reward_interval(answer.reward, leading.lower, leading.upper),
    )


def _basis(answer: PolicyAnswer, catalog: Catalog) -> str:
    made_by = catalog.text(
        "policy.made_by",
        level=catalog.numbers.confidence(answer.confidence),
        estimator=answer.leading.estimator,
        n_rounds=answer.n_rounds,
        **unit_names(answer, catalog),
    )
    return catalog.paragraph(made_by, catalog.text("policy.why_trusted"))


def _figure(answer: PolicyAnswer, catalog: Catalog) -> Figure | None:
    leading = answer.leading
    roles = {leading.estimator: "candidate", answer.logged.estimator: "baseline"}
    marks = [
        ValueMark(
            estimator_name(e, answer, catalog),
            roles.get(e.estimator, "other"),
            0,
            e.value,
            e.lower,
            e.upper,
            None,
        )
        for e in (answer.logged, *answer.estimates)
        if e.value is not None
    ]
    if len(marks) < 2:
        return None
    axis = catalog.text(f"axis.reward_per_{answer.unit}")
    by_another = (Key("dot", "other", catalog.text("key.another_estimator")),)
    return Figure(
        svg=value_intervals(marks, catalog.numbers, axis=axis, width=PLOT_WIDTH),
        name=catalog.text("figure.policy_value", n_estimators=len(marks) - 1),
        conclusion=_agreement(answer, catalog),
        keys=(
            Key("dot", "baseline", catalog.text("key.log_earned")),
            Key("dot", "candidate", catalog.text("key.policy_by", estimator=leading.estimator)),
            *(by_another if len(answer.estimates) > 1 else ()),
        ),
    )


def _agreement(answer: PolicyAnswer, catalog: Catalog) -> str:
    leading, *others = answer.estimates
    if leading.lower is None or leading.upper is None:
        return ""
    if not others:
        return catalog.text("estimates.only_one", estimator=leading.estimator)
    outside = [
        e.estimator for e in others if e.value is not None and not leading.lower <= e.value <= leading.upper
    ]
    return agreement(leading.estimator, outside, catalog)


def _estimates_table(answer: PolicyAnswer, catalog: Catalog) -> PrintedTable:
    printed = (answer.logged, *answer.estimates)
    columns = heads(catalog, "estimator", "value#", "less_the_log#")
    rows = [_estimate(answer, e, catalog) for e in printed]
    whys = [_ends(answer, e, catalog) for e in printed]
    title = catalog.text("estimates.caption", **unit_names(answer, catalog))
    return first_rows(title, columns, rows, "", whys=whys)


def _estimate(answer: PolicyAnswer, e: EstimatedValue, catalog: Catalog) -> tuple[Cell, ...]:
    found, numbers = e.difference or UNKNOWN, catalog.numbers
    return (
        text(estimator_name(e, answer, catalog), catalog),
        measured(numbers.reward(answer.reward, e.value), e.value),
        measured(numbers.reward_change(answer.difference_format, found.value), found.value),
    )


def _ends(answer: PolicyAnswer, e: EstimatedValue, catalog: Catalog) -> str:
    """Return the intervals and how they were made, for the line below: a phone has no room beside a row."""
    found, less, numbers = e.difference or UNKNOWN, answer.difference_format, catalog.numbers
    return ends(
        numbers.confidence(answer.confidence),
        numbers.reward_interval(answer.reward, e.lower, e.upper),
        numbers.reward_interval(less, found.lower, found.upper, signed=True),
        say_in_clauses(e.interval_findings, catalog=catalog),
        catalog,
    )


def _robust_table(answer: PolicyAnswer, catalog: Catalog) -> PrintedTable | None:
    found = robust_rows(answer, catalog)
    if not found:
        return None
    rows = [tuple(text(cell, catalog) for cell in cells) for *cells, _ in found]
    level = catalog.text("head.interval_at", level=catalog.numbers.confidence(answer.confidence))
    columns = (*heads(catalog, "method", "value"), Column(level))
    whys = [about for *_, about in found]
    return first_rows(catalog.text("robust.caption"), columns, rows, "", whys=whys)


def _diagnostics_table(answer: PolicyAnswer, catalog: Catalog) -> PrintedTable:
    listed = checks(answer, catalog)
    rows = [
        (
            text(check.name, catalog),
            Cell(check.found, mark=None if check.passed is None else IS_RIGHT[check.passed]),
            text(check.good, catalog),
        )
        for check in listed
    ]
    columns = heads(catalog, "diagnostic", "this_log", "good")
    whys = [check.meaning for check in listed]
    return first_rows(catalog.text("checks.caption"), columns, rows, "", whys=whys)


def _weights_line(answer: PolicyAnswer, catalog: Catalog) -> str:
    return catalog.text(
        "weights.conclusion",
        share=catalog.numbers.share(answer.diagnostics["top_weight_share"]),
        largest=catalog.numbers.sized(answer.diagnostics["max_weight"]),
        **unit_names(answer, catalog),
    )


def _weights_table(answer: PolicyAnswer, catalog: Catalog) -> PrintedTable:
    rows = [
        (
            text(_band(band, catalog), catalog),
            shared(band.share_of_rounds, catalog, drawn=True),
            shared(band.share_of_weight, catalog, drawn=True),
        )
        for band in answer.weight_bands
    ]
    units = catalog.text(f"units_title.{answer.unit}")
    columns = (
        *heads(catalog, "weight"),
        Column(units, "number"),
        *heads(catalog, "weight_they_hold#"),
    )
    return first_rows(catalog.text("weights.caption", units=units), columns, rows, "")


def _band(band: WeightBand, catalog: Catalog) -> str:
    numbers = catalog.numbers
    if band.most == 0:
        return numbers.count(0)
    least = numbers.plain(band.least)
    if band.most == float("inf"):
        return numbers.above.format(limit=least)
    return numbers.between(least, numbers.plain(band.most))


def _provenance(answer: PolicyAnswer, catalog: Catalog) -> tuple[tuple[str, str], ...]:
    is_logged = isinstance(answer.propensities, LoggedPropensities)
    numbers, missing = catalog.numbers, catalog.numbers.missing
    found = {
        "file": answer.source,
        "units": numbers.count(answer.n_rounds),
        "clusters": answer.cluster
        or catalog.text("policy.made.clusters_none", **unit_names(answer, catalog)),
        "propensities": catalog.text(f"policy.made.propensities_{'logged' if is_logged else 'estimated'}"),
        "estimators": catalog.listed(e.estimator for e in answer.estimates) or missing,
        "confidence": numbers.confidence(answer.confidence),
        "resamples": numbers.count(answer.n_resamples),
        "seed": str(answer.seed),
    }
    return tuple(
        (catalog.text(f"units_title.{answer.unit}" if name == "units" else f"policy.made.{name}"), written)
        for name, written in found.items()
    )


_VERDICT = {True: "policy.trusted", False: "policy.not_trusted"}
