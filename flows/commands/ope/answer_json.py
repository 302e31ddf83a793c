"""An answer as one line of JSON for a script."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from features.contracts.findings import as_plain, codes_of
from reports.summaries.policy_answer import EstimatedValue, LoggedPropensities, PolicyAnswer
from reports.wording.sentences import say, sentences


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
    | logging_policy | of the log's own rewards: value, lower, upper, interval_method, _codes, _findings |
    | difference | leading estimate less the log: estimator, value, lower, upper, finding, resolution |
    | estimates | the same with the estimator (as asked), and their difference |
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
        "logging_policy": _value(answer.logged),
        "difference": _difference(answer),
        "estimates": [_estimated(estimate) for estimate in answer.estimates],
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


def _estimated(e: EstimatedValue) -> dict[str, Any]:
    difference = None if e.difference is None else asdict(e.difference)
    return {"estimator": e.estimator, **_value(e), "difference": difference}


def _value(e: EstimatedValue) -> dict[str, Any]:
    """Return a value with its interval: how it was made as a code, in sentences, and as findings."""
    return {
        "value": e.value,
        "lower": e.lower,
        "upper": e.upper,
        "interval_method": say(e.interval_findings),
        "interval_codes": codes_of(e.interval_findings).split(),
        "interval_findings": list(map(as_plain, e.interval_findings)),
    }


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


def _finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(number, float) and not math.isfinite(number) else number
        for name, number in numbers.items()
    }
