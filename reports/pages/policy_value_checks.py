"""Each diagnostic of a policy's weights beside what the gate asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, sqrt

from reports.summaries.policy_answer import LoggedPropensities, ModeledPropensities, PolicyAnswer, Repeats
from reports.wording.catalog import Catalog

NO_TAIL = float("-inf")
"""Tail index of weights without a tail."""


@dataclass(frozen=True)
class Check:
    """One diagnostic: what this log has, what is good, and whether it is; None where nothing is asked."""

    name: str
    found: str
    good: str
    passed: bool | None
    meaning: str


def checks(answer: PolicyAnswer, catalog: Catalog) -> tuple[Check, ...]:
    """Return the diagnostics, those that the gate asks about first; none of them fails where it trusts."""
    evidence = answer.propensities
    of_propensities = (
        _of_logged(evidence, catalog)
        if isinstance(evidence, LoggedPropensities)
        else _of_modeled(evidence, catalog)
    )
    return (
        *of_propensities,
        _of_repeats(answer.repeats, catalog),
        *_of_weights(answer, catalog),
        *_of_clusters(answer, catalog),
        *_of_contributions(answer, catalog),
        *_without_limit(answer, catalog),
    )


def _of_logged(evidence: LoggedPropensities, catalog: Catalog) -> tuple[Check, ...]:
    name = catalog.text("check.propensities")
    if not evidence.n_tests:
        logged, meaning = catalog.text("check.logged"), catalog.text("means.not_audited")
        return (Check(name, logged, catalog.numbers.missing, None, meaning),)
    found = catalog.text("check.n_findings", n_findings=len(evidence.findings))
    meaning = catalog.text("means.audit", n_tests=evidence.n_tests)
    return (Check(name, found, catalog.text("good.no_finding"), evidence.is_consistent, meaning),)


def _of_modeled(evidence: ModeledPropensities, catalog: Catalog) -> tuple[Check, ...]:
    numbers = catalog.numbers
    return (
        Check(
            catalog.text("check.propensities"),
            catalog.text("check.estimated"),
            catalog.text("good.logged"),
            None,
            catalog.text("means.estimated"),
        ),
        _check(
            "calibration_error",
            numbers.percentage(evidence.calibration_error),
            _at_most(numbers.percentage(evidence.max_calibration_error), catalog),
            evidence.is_calibrated,
            catalog,
        ),
        _check(
            "foreseen_share",
            numbers.percentage(evidence.foreseen_share),
            catalog.text("good.not_nearly_all"),
            evidence.is_identified,
            catalog,
        ),
    )


def _of_repeats(repeats: Repeats, catalog: Catalog) -> Check:
    passed = None if repeats.n_repeated is None else not repeats.doubt
    found = catalog.numbers.count(repeats.n_repeated)
    return _check("repeats", found, catalog.text("good.by_chance"), passed, catalog)


def _of_weights(answer: PolicyAnswer, catalog: Catalog) -> tuple[Check, ...]:
    d, asked, numbers = answer.diagnostics, answer.limits, catalog.numbers
    least_rounds = max(asked["min_ess"], asked["min_ess_share"] * answer.n_rounds)
    supported = d["supported_share"]
    tail = d["pareto_k"]
    is_heavy = tail > asked["max_pareto_k"] and d["top_weight_share"] > asked["min_top_weight_share"]
    return (
        _check(
            "ess",
            numbers.fixed(d["ess"], 1),
            _at_least(numbers.fixed(least_rounds, 0), catalog),
            d["ess"] >= least_rounds,
            catalog,
            units=catalog.text(f"units.{answer.unit}"),
        ),
        _check(
            "supported_share",
            numbers.percentage(supported),
            _at_least(numbers.percentage(asked["min_supported_share"]), catalog),
            supported >= asked["min_supported_share"],
            catalog,
        ),
        _of_mean_weight(answer, catalog),
        _check(
            "pareto_k",
            catalog.text("check.no_tail") if tail == NO_TAIL else numbers.ratio(tail),
            _at_most(numbers.ratio(asked["max_pareto_k"]), catalog),
            None if isnan(tail) else not is_heavy,
            catalog,
        ),
    )


def _of_mean_weight(answer: PolicyAnswer, catalog: Catalog) -> Check:
    d, asked, numbers = answer.diagnostics, answer.limits, catalog.numbers
    supported, slack = d["supported_share"], asked["mean_weight_slack"]
    lower, upper = answer.gate_mean_weight
    interval = numbers.between(numbers.fixed(lower, 3), numbers.fixed(upper, 3))
    level = numbers.confidence(asked["mean_weight_confidence"])
    return Check(
        catalog.text("check.mean_weight"),
        numbers.fixed(d["mean_weight"], 3),
        catalog.text("good.near", value=numbers.fixed(supported, 3)),
        None if isnan(lower) else lower - slack <= supported <= upper + slack,
        catalog.text("means.no_interval")
        if isnan(lower)
        else catalog.text("means.mean_weight", level=level, interval=interval),
    )


def _of_clusters(answer: PolicyAnswer, catalog: Catalog) -> tuple[Check, ...]:
    d, asked, numbers = answer.diagnostics, answer.limits, catalog.numbers
    unit = _clustered(answer)
    units = catalog.text(f"units.{unit}")
    return (
        _check(
            "top_cluster_share",
            numbers.percentage(d["top_cluster_share"]),
            _at_most(numbers.percentage(asked["max_cluster_share"]), catalog),
            d["top_cluster_share"] <= asked["max_cluster_share"],
            catalog,
            units=units,
        ),
        Check(
            catalog.text(f"units_title.{unit}"),
            numbers.count(int(d["n_clusters"])),
            _at_least(numbers.count(int(asked["min_clusters"])), catalog),
            d["n_clusters"] >= asked["min_clusters"],
            catalog.text("means.n_clusters"),
        ),
        _check(
            "n_informative_clusters",
            numbers.count(int(d["n_informative_clusters"])),
            _at_least(numbers.count(int(asked["min_informative_clusters"])), catalog),
            d["n_informative_clusters"] >= asked["min_informative_clusters"],
            catalog,
            units=units,
        ),
    )


def _of_contributions(answer: PolicyAnswer, catalog: Catalog) -> tuple[Check, ...]:
    """Return checks of w r, or w (r − q), held against the lesser unevenness: theirs, or that of amounts."""
    d, asked, numbers = answer.diagnostics, answer.limits, catalog.numbers
    if "contribution_n" not in d:
        return ()
    heard = d["contribution_n"] >= asked["min_effective_contributions"]
    share = min(d["contribution_largest_share"], d["contribution_amount_share"])
    effective = max(d["contribution_effective"], d["contribution_amount_effective"])
    index = min(d["contribution_index"], d["contribution_amount_index"])
    limit = _index_limit(d, asked)
    fitted = min(d["contribution_pareto_k"], d["contribution_amount_pareto_k"])
    is_heavy = index > limit and fitted > d["contribution_exponential_k"]
    return (
        _check(
            "contribution_largest_share",
            numbers.percentage(share),
            _at_most(numbers.percentage(asked["max_contribution_share"]), catalog),
            None if not heard else share <= asked["max_contribution_share"],
            catalog,
            units=catalog.text(f"units.{_clustered(answer)}"),
        ),
        _check(
            "contribution_effective",
            numbers.fixed(effective, 1),
            _at_least(numbers.fixed(asked["min_effective_contributions"], 0), catalog),
            None if not heard else effective >= asked["min_effective_contributions"],
            catalog,
        ),
        _check(
            "contribution_index",
            catalog.text("check.no_tail") if index == NO_TAIL else numbers.ratio(index),
            _at_most(numbers.ratio(limit), catalog),
            None if isnan(index) else not is_heavy,
            catalog,
        ),
    )


def _without_limit(answer: PolicyAnswer, catalog: Catalog) -> tuple[Check, ...]:
    d, numbers = answer.diagnostics, catalog.numbers
    largest = _check("max_weight", numbers.sized(d["max_weight"]), numbers.missing, None, catalog)
    if not answer.cluster:
        return (largest,)
    effect = numbers.ratio(d["design_effect"])
    return (largest, _check("design_effect", effect, numbers.missing, None, catalog))


def _check(name: str, found: str, good: str, passed: bool | None, catalog: Catalog, **names: str) -> Check:
    """Return the check of this name; names: placeholders of its title."""
    title, meaning = catalog.text(f"check.{name}", **names), catalog.text(f"means.{name}")
    return Check(title, found, good, passed, meaning)


def _clustered(answer: PolicyAnswer) -> str:
    """Return the unit that belongs together in the bootstrap."""
    return "cluster" if answer.cluster else answer.unit


def _index_limit(d: Mapping[str, float], asked: Mapping[str, float]) -> float:
    return asked["max_contribution_index"] * (1 + 2 / sqrt(max(d["contribution_n_tail"], 1)))


def _at_most(most: str, catalog: Catalog) -> str:
    return catalog.text("good.at_most", most=most)


def _at_least(least: str, catalog: Catalog) -> str:
    return catalog.text("good.at_least", least=least)
