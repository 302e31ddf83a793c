"""An answer as text for a terminal."""

import math
from collections.abc import Mapping, Sequence

from reports.pages.policy_value_robust import robust_rows
from reports.summaries.policy_answer import (
    Difference,
    EstimatedValue,
    LoggedPropensities,
    PolicyAnswer,
    Repeats,
)
from reports.wording.catalog import Catalog, Written
from reports.wording.language import LANGUAGE
from reports.wording.policy_value import audited, difference_found, estimator_name, log_earned
from reports.wording.sentences import say_in_clauses, sentences

GAP = "  "

Row = tuple[str, str, str]
"""A diagnostic: its name, its number, and a remark."""


def printed(answer: PolicyAnswer, *, catalog: Catalog = LANGUAGE) -> str:
    """Return the answer as lines: headline or refusal, estimates, diagnostics, verdict with its reasons."""
    return "\n".join(
        [
            _file(answer, catalog),
            *_headline(answer, catalog),
            *sentences(answer.propensities.cautions, catalog=catalog),
            "",
            *([] if answer.trusted else [catalog.text("terminal.untrusted")]),
            *_estimates(answer, catalog),
            *_robust(answer, catalog),
            "",
            *_aligned(_diagnostics(answer, catalog), right=(1,)),
            "",
            *_verdict(answer, catalog),
        ]
    )


def _file(answer: PolicyAnswer, catalog: Catalog) -> str:
    read: dict[str, Written] = {
        "source": answer.source,
        "n_rounds": answer.n_rounds,
        "units": _units(answer.unit, catalog),
    }
    if not answer.cluster:
        return catalog.text("terminal.file", **read)
    n_clusters = int(answer.diagnostics["n_clusters"])
    return catalog.text("terminal.file_in_clusters", n_clusters=n_clusters, cluster=answer.cluster, **read)


def _headline(answer: PolicyAnswer, catalog: Catalog) -> list[str]:
    leading, reward, numbers = answer.leading, answer.reward, catalog.numbers
    logged = log_earned(answer, catalog)
    if not answer.trusted:
        refusal = catalog.paragraph(catalog.text("policy.no_value"), catalog.text("terminal.see_verdict"))
        return [refusal, logged]
    headline = catalog.text(
        "policy.headline",
        value=numbers.reward(reward, leading.value),
        interval=numbers.reward_interval(reward, leading.lower, leading.upper),
        level=numbers.confidence(answer.confidence),
        estimator=leading.estimator,
        unit=catalog.text(f"unit.{answer.unit}"),
    )
    return [headline, logged, difference_found(answer, catalog)]


def _estimates(answer: PolicyAnswer, catalog: Catalog) -> list[str]:
    level = catalog.text("terminal.head.interval", level=catalog.numbers.confidence(answer.confidence))
    heads = (
        catalog.text("terminal.head.estimator"),
        catalog.text("terminal.head.value"),
        level,
        catalog.text("terminal.head.difference"),
        level,
        catalog.text("terminal.head.method"),
    )
    rows = [_estimate(answer, e, catalog) for e in (answer.logged, *answer.estimates)]
    return _aligned([heads, *rows], right=(1, 2, 3, 4))


def _estimate(answer: PolicyAnswer, e: EstimatedValue, catalog: Catalog) -> tuple[str, ...]:
    difference, less = e.difference or Difference(None, None, None), answer.difference_format
    numbers = catalog.numbers
    return (
        estimator_name(e, answer, catalog),
        numbers.reward(answer.reward, e.value),
        numbers.reward_interval(answer.reward, e.lower, e.upper),
        numbers.reward_change(less, difference.value),
        numbers.reward_interval(less, difference.lower, difference.upper, signed=True),
        say_in_clauses(e.interval_findings, catalog=catalog),
    )


def _robust(answer: PolicyAnswer, catalog: Catalog) -> list[str]:
    """Return the lines of the robust estimate; empty unless rewards have a heavy tail."""
    rows = robust_rows(answer, catalog)
    return ["", catalog.text("robust.hint"), *_aligned(rows, right=(1, 2))] if rows else []


def _diagnostics(answer: PolicyAnswer, catalog: Catalog) -> list[Row]:
    d, numbers = answer.diagnostics, catalog.numbers
    units = {"units": _units(answer.unit, catalog)}
    supported = numbers.fixed(d["supported_share"], 3)
    return [
        (catalog.text("terminal.diagnostics"), "", ""),
        _propensity_row(answer, catalog),
        _repeats_row(answer.repeats, catalog),
        (
            catalog.text("terminal.ess", **units),
            numbers.fixed(d["ess"], 1),
            catalog.text("terminal.ess.about", share=numbers.share(d["ess"] / answer.n_rounds), **units),
        ),
        (
            catalog.text("terminal.mean_weight"),
            numbers.fixed(d["mean_weight"], 3),
            catalog.text(
                "terminal.mean_weight.about",
                interval=_mean_weight_interval(d, catalog),
                supported=supported,
            ),
        ),
        (
            catalog.text("terminal.supported_share"),
            supported,
            catalog.text("terminal.supported_share.about"),
        ),
        (catalog.text("terminal.max_weight"), numbers.ratio(d["max_weight"]), ""),
        (
            catalog.text("terminal.top_weight_share", **units),
            numbers.fixed(d["top_weight_share"], 3),
            catalog.text("terminal.top_weight_share.about"),
        ),
        (
            catalog.text("terminal.pareto_k"),
            numbers.ratio(d["pareto_k"]),
            catalog.text("terminal.pareto_k.about", most=numbers.plain(answer.limits["max_pareto_k"])),
        ),
        (
            catalog.text("terminal.design_effect"),
            numbers.ratio(d["design_effect"]),
            catalog.text("terminal.design_effect.about", **units),
        ),
        (
            catalog.text("terminal.informative", units=_units(_clustered(answer), catalog)),
            numbers.count(int(d["n_informative_clusters"])),
            catalog.text("terminal.informative.about"),
        ),
        *_contribution_rows(answer, catalog),
    ]


def _contribution_rows(answer: PolicyAnswer, catalog: Catalog) -> list[Row]:
    d, numbers, clustered = answer.diagnostics, catalog.numbers, _clustered(answer)
    if not d.get("contribution_n"):
        return []
    return [
        (
            catalog.text("terminal.contributions"),
            numbers.fixed(d["contribution_effective"], 1),
            catalog.text(
                "terminal.contributions.about",
                n=int(d["contribution_n"]),
                units=_units(clustered, catalog),
            ),
        ),
        (
            catalog.text("terminal.largest_contribution"),
            numbers.share(d["contribution_largest_share"]),
            catalog.text("terminal.largest_contribution.about", unit=catalog.text(f"unit.{clustered}")),
        ),
        (
            catalog.text("terminal.reward_tail"),
            numbers.ratio(min(d["contribution_index"], d["contribution_amount_index"])),
            catalog.text(
                "terminal.reward_tail.about", most=numbers.plain(answer.limits["max_contribution_index"])
            ),
        ),
    ]


def _mean_weight_interval(d: Mapping[str, float], catalog: Catalog) -> str:
    lower, upper, numbers = d["mean_weight_lower"], d["mean_weight_upper"], catalog.numbers
    if not math.isfinite(lower):
        return catalog.text("terminal.no_interval")
    return numbers.between(numbers.fixed(lower, 3), numbers.fixed(upper, 3))


def _propensity_row(answer: PolicyAnswer, catalog: Catalog) -> Row:
    evidence, name, numbers = answer.propensities, catalog.text("terminal.propensities"), catalog.numbers
    if isinstance(evidence, LoggedPropensities):
        found = audited(len(evidence.findings), evidence.n_tests, catalog)
        return name, catalog.text("terminal.logged"), found
    about = catalog.text(
        "terminal.estimated.about",
        error=numbers.share(evidence.calibration_error),
        most=numbers.share(evidence.max_calibration_error),
    )
    return name, catalog.text("terminal.estimated"), about


def _repeats_row(repeats: Repeats, catalog: Catalog) -> Row:
    name = catalog.text("terminal.repeats")
    if repeats.n_repeated is None:
        return name, catalog.numbers.missing, catalog.text("terminal.repeats.unknown")
    found = catalog.numbers.count(repeats.n_repeated)
    if repeats.doubt:
        return name, found, catalog.text("terminal.repeats.doubtful")
    return name, found, catalog.text("terminal.repeats.by_chance") if repeats.n_repeated else ""


def _verdict(answer: PolicyAnswer, catalog: Catalog) -> list[str]:
    if answer.trusted:
        trusted, why = catalog.text("terminal.trusted_verdict"), catalog.text("policy.why_trusted")
        return [catalog.paragraph(trusted, why)]
    reasons = sentences(answer.reasons, catalog=catalog)
    return [catalog.text("terminal.untrusted_verdict"), *(f"{GAP}{reason}" for reason in reasons)]


def _clustered(answer: PolicyAnswer) -> str:
    """Return the unit that belongs together in the bootstrap."""
    return "cluster" if answer.cluster else answer.unit


def _units(unit: str, catalog: Catalog) -> str:
    return catalog.text(f"units.{unit}")


def _aligned(rows: Sequence[tuple[str, ...]], right: Sequence[int]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        GAP.join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
