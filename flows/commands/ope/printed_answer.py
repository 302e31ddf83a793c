"""An answer as text for a terminal and as one line of JSON for a script."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from features.contracts.findings import as_plain, codes_of
from reports.pages.policy_value_robust import robust_rows
from reports.summaries.policy_answer import (
    Difference,
    EstimatedValue,
    LoggedPropensities,
    PolicyAnswer,
    Repeats,
)
from reports.wording.language import LANGUAGE
from reports.wording.policy_value import audited, difference_found, log_earned
from reports.wording.sentences import sentences

GAP = "  "
NUMBERS = LANGUAGE.numbers


def json_line(answer: PolicyAnswer) -> str:
    """Return the answer as one JSON object; null where a number is not known.

    | key | content |
    |---|---|
    | shape | the meaning of the rows, where they are not rounds: slates, sessions or spend |
    | n_rounds | number of rounds; of slates or sessions for these shapes |
    | propensities | logged or estimated |
    | calibration_error | of estimated propensities, 0..1; null where they were logged |
    | propensity_audit | of logged propensities: is_consistent, findings (sentences), n_tests; else null |
    | diagnostics | `offline_rl.ope.trust.diagnostics.Diagnostics.numbers` of the first estimator |
    | repeats | n_rows, n_repeated (equal to an earlier row), is_doubtful |
    | logging_policy | of the rewards in the log: value, lower, upper, interval_method |
    | difference | leading estimate less the log: estimator, value, lower, upper, finding, resolution |
    | estimates | estimator (as asked), value, lower, upper, interval_method, and their difference |
    | verdict | trusted, reasons as sentences, reason_codes, findings: reasons as codes with their numbers |
    | robust | only where rewards have a heavy tail: kind, value, lower, upper, cap, n_capped, bias_bound |
    """
    content = {
        **({} if answer.shape == "rounds" else {"shape": answer.shape}),
        "n_rounds": answer.n_rounds,
        **_propensities(answer),
        "diagnostics": _finite(answer.diagnostics),
        "repeats": {
            "n_rows": answer.repeats.n_rows,
            "n_repeated": answer.repeats.n_repeated,
            "is_doubtful": bool(answer.repeats.doubt),
        },
        "logging_policy": _without(asdict(answer.logged), "estimator", "difference"),
        "difference": _difference(answer),
        "estimates": [asdict(estimate) for estimate in answer.estimates],
        "verdict": {
            "trusted": answer.trusted,
            "reasons": list(sentences(answer.reasons)),
            "reason_codes": codes_of(answer.reasons).split(),
            "findings": list(map(as_plain, answer.reasons)),
        },
    }
    if answer.robust:
        content["robust"] = [_finite(asdict(value)) for value in answer.robust]
    return json.dumps(content, allow_nan=False)


def _difference(answer: PolicyAnswer) -> dict[str, Any]:
    """Return the difference; its finding is gain, loss, none, rounding or unknown, null without trust."""
    found = answer.difference.finding(answer.resolution) if answer.trusted else None
    return {
        "estimator": answer.leading.estimator,
        **asdict(answer.difference),
        "finding": found,
        "resolution": answer.resolution,
    }


def _without(content: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: held for name, held in content.items() if name not in names}


def _propensities(answer: PolicyAnswer) -> dict[str, Any]:
    evidence = answer.propensities
    if isinstance(evidence, LoggedPropensities):
        audit = {
            "is_consistent": evidence.is_consistent,
            "findings": list(sentences(evidence.findings)),
            "n_tests": evidence.n_tests,
        }
        return {
            "propensities": "logged",
            "calibration_error": None,
            "propensity_audit": audit if evidence.n_tests else None,
        }
    return {
        "propensities": "estimated",
        "calibration_error": evidence.calibration_error,
        "propensity_audit": None,
    }


def printed(answer: PolicyAnswer) -> str:
    """Return the answer as lines: headline or refusal, estimates, diagnostics, verdict with its reasons."""
    n_clusters = int(answer.diagnostics["n_clusters"])
    clusters = "one cluster" if n_clusters == 1 else f"{NUMBERS.count(n_clusters)} clusters"
    grouped = f" in {clusters} by {answer.cluster}"
    return "\n".join(
        [
            f"{answer.source}: {NUMBERS.count(answer.n_rounds)} {answer.units}"
            f"{grouped if answer.cluster else ''}",
            *_headline(answer),
            *sentences(answer.propensities.cautions),
            "",
            *([] if answer.trusted else ["Estimates, not to be trusted:"]),
            *_estimates(answer),
            *_robust(answer),
            "",
            *_diagnostics(answer),
            "",
            *_verdict(answer),
        ]
    )


def _headline(answer: PolicyAnswer) -> list[str]:
    leading, reward = answer.leading, answer.reward
    logged = log_earned(answer, LANGUAGE)
    if not answer.trusted:
        return [f"{LANGUAGE.text('policy.no_value')} The verdict below gives the reasons.", logged]
    headline = LANGUAGE.text(
        "policy.headline",
        value=NUMBERS.reward(reward, leading.value),
        interval=NUMBERS.reward_interval(reward, leading.lower, leading.upper),
        level=NUMBERS.confidence(answer.confidence),
        estimator=leading.estimator,
        unit=LANGUAGE.text(f"unit.{answer.unit}"),
    )
    return [headline, logged, difference_found(answer, LANGUAGE)]


def _estimates(answer: PolicyAnswer) -> list[str]:
    level = f"{NUMBERS.confidence(answer.confidence)} interval"
    heads = ("estimator", "value", level, "less the log", level, "method")
    rows = [_estimate(answer, e) for e in (answer.logged, *answer.estimates)]
    return _aligned([heads, *rows], right=(1, 2, 3, 4))


def _estimate(answer: PolicyAnswer, e: EstimatedValue) -> tuple[str, ...]:
    difference, less = e.difference or Difference(None, None, None), answer.difference_format
    return (
        e.estimator,
        NUMBERS.reward(answer.reward, e.value),
        NUMBERS.reward_interval(answer.reward, e.lower, e.upper),
        NUMBERS.reward_change(less, difference.value),
        NUMBERS.reward_interval(less, difference.lower, difference.upper, signed=True),
        e.interval_method,
    )


def _robust(answer: PolicyAnswer) -> list[str]:
    """Return the lines of the robust estimate; empty unless rewards have a heavy tail."""
    rows = robust_rows(answer, LANGUAGE)
    return ["", LANGUAGE.text("robust.hint"), *_aligned(rows, right=(1, 2))] if rows else []


def _diagnostics(answer: PolicyAnswer) -> list[str]:
    d, unit = answer.diagnostics, "clusters" if answer.cluster else answer.units
    rows = [
        ("diagnostics", "", ""),
        _propensity_row(answer),
        _repeats_row(answer.repeats),
        (
            f"effective {answer.units}",
            NUMBERS.fixed(d["ess"], 1),
            f"{NUMBERS.share(d['ess'] / answer.n_rounds)} of all {answer.units}",
        ),
        (
            "mean weight",
            NUMBERS.fixed(d["mean_weight"], 3),
            f"{_mean_weight_interval(d)}; should be {NUMBERS.fixed(d['supported_share'], 3)}, the supported "
            "share",
        ),
        ("supported share", NUMBERS.fixed(d["supported_share"], 3), "of the policy's probability"),
        ("largest weight", NUMBERS.ratio(d["max_weight"]), ""),
        (f"top 1% of {answer.units}", NUMBERS.fixed(d["top_weight_share"], 3), "of all weight"),
        (
            "tail index",
            NUMBERS.ratio(d["pareto_k"]),
            f"of the weights; above {answer.limits['max_pareto_k']:g} averages hardly settle",
        ),
        (
            "design effect",
            NUMBERS.ratio(d["design_effect"]),
            f"times the variance that {answer.units} by themselves would have",
        ),
        (
            f"informative {unit}",
            NUMBERS.count(int(d["n_informative_clusters"])),
            "with another reward than the usual one",
        ),
        *_contribution_rows(answer),
    ]
    return _aligned(rows, right=(1,))


def _contribution_rows(answer: PolicyAnswer) -> list[tuple[str, str, str]]:
    d = answer.diagnostics
    if not d.get("contribution_n"):
        return []
    unit = "cluster" if answer.cluster else answer.unit
    return [
        (
            "contributions",
            NUMBERS.fixed(d["contribution_effective"], 1),
            f"equal ones would be as uneven as those of {NUMBERS.count(int(d['contribution_n']))} {unit}s",
        ),
        (
            "largest one",
            NUMBERS.share(d["contribution_largest_share"]),
            f"of them all, by one {unit}",
        ),
        (
            "reward tail index",
            NUMBERS.ratio(min(d["contribution_index"], d["contribution_amount_index"])),
            f"above {answer.limits['max_contribution_index']:g} by more than chance averages hardly settle",
        ),
    ]


def _mean_weight_interval(d: Mapping[str, float]) -> str:
    lower, upper = d["mean_weight_lower"], d["mean_weight_upper"]
    return (
        f"{NUMBERS.fixed(lower, 3)} to {NUMBERS.fixed(upper, 3)}" if math.isfinite(lower) else "no interval"
    )


def _propensity_row(answer: PolicyAnswer) -> tuple[str, str, str]:
    evidence = answer.propensities
    if isinstance(evidence, LoggedPropensities):
        return "propensities", "logged", audited(len(evidence.findings), evidence.n_tests, LANGUAGE)
    error, most = NUMBERS.share(evidence.calibration_error), NUMBERS.share(evidence.max_calibration_error)
    return "propensities", "estimated", f"not logged; calibration error {error}, at most {most} is good"


def _repeats_row(repeats: Repeats) -> tuple[str, str, str]:
    if repeats.n_repeated is None:
        return "repeated rows", NUMBERS.missing, "a column is of a type that can't be compared"
    remark = "more than chance allows: see the verdict" if repeats.doubt else "as chance allows"
    return "repeated rows", NUMBERS.count(repeats.n_repeated), remark if repeats.n_repeated else ""


def _verdict(answer: PolicyAnswer) -> list[str]:
    if answer.trusted:
        return [f"verdict: trusted. {LANGUAGE.text('policy.why_trusted')}"]
    return ["verdict: not to be trusted", *(f"{GAP}{reason}" for reason in sentences(answer.reasons))]


def _aligned(rows: Sequence[tuple[str, ...]], right: Sequence[int]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        GAP.join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(number, float) and not math.isfinite(number) else number
        for name, number in numbers.items()
    }
