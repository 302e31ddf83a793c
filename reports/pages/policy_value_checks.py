"""Each diagnostic of a policy's weights beside what the gate asks of it."""

from dataclasses import dataclass
from math import isnan, sqrt

from reports.policy_value_wording import MEANINGS
from reports.summaries.formatting import MISSING, count, fixed, ratio, two_digits
from reports.summaries.policy_answer import LoggedPropensities, ModeledPropensities, PolicyAnswer, Repeats

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


def checks(answer: PolicyAnswer) -> tuple[Check, ...]:
    """Return the diagnostics, those that the gate asks about first; none of them fails where it trusts."""
    evidence = answer.propensities
    of_propensities = (
        _of_logged(evidence) if isinstance(evidence, LoggedPropensities) else _of_modeled(evidence)
    )
    return (
        *of_propensities,
        _of_repeats(answer.repeats),
        *_of_weights(answer),
        *_of_clusters(answer),
        *_of_contributions(answer),
        *_unasked(answer),
    )


def sized(number: float) -> str:
    """Return a number of any size with two digits at least.

    >>> sized(9.671), sized(45000.2)
    ('9.7', '45,000')
    """
    return fixed(number, two_digits(number))


def _of_logged(evidence: LoggedPropensities) -> tuple[Check, ...]:
    if not evidence.n_tests:
        return (Check("Propensities", "logged", MISSING, None, MEANINGS["not_audited"]),)
    n_findings = len(evidence.findings)
    found = f"{count(n_findings)} {'finding' if n_findings == 1 else 'findings'}"
    meaning = MEANINGS["audit"].format(n_tests=count(evidence.n_tests))
    return (Check("Propensities", found, "0 findings", evidence.is_consistent, meaning),)


def _of_modeled(evidence: ModeledPropensities) -> tuple[Check, ...]:
    return (
        Check("Propensities", "estimated", "logged", None, MEANINGS["estimated"]),
        Check(
            "Calibration error",
            _percent(evidence.calibration_error),
            f"at most {_percent(evidence.max_calibration_error)}",
            evidence.is_calibrated,
            MEANINGS["calibration_error"],
        ),
        Check(
            "Foreseen choices",
            _percent(evidence.foreseen_share),
            "not nearly all",
            evidence.is_identified,
            MEANINGS["foreseen_share"],
        ),
    )


def _of_repeats(repeats: Repeats) -> Check:
    found = MISSING if repeats.n_repeated is None else count(repeats.n_repeated)
    passed = None if repeats.n_repeated is None else not repeats.doubt
    return Check("Repeated rows", found, "by chance alone", passed, MEANINGS["repeats"])


def _of_weights(answer: PolicyAnswer) -> tuple[Check, ...]:
    d, asked = answer.diagnostics, answer.limits
    least_rounds = max(asked["min_ess"], asked["min_ess_share"] * answer.n_rounds)
    supported, slack = d["supported_share"], asked["mean_weight_slack"]
    lower, upper = answer.gate_mean_weight
    tail = d["pareto_k"]
    is_heavy = tail > asked["max_pareto_k"] and d["top_weight_share"] > asked["min_top_weight_share"]
    return (
        Check(
            f"Effective {answer.units}",
            fixed(d["ess"], 1),
            f"at least {fixed(least_rounds, 0)}",
            d["ess"] >= least_rounds,
            MEANINGS["ess"],
        ),
        Check(
            "Supported share",
            _percent(supported),
            f"at least {_percent(asked['min_supported_share'])}",
            supported >= asked["min_supported_share"],
            MEANINGS["supported_share"],
        ),
        Check(
            "Mean weight",
            fixed(d["mean_weight"], 3),
            f"near {fixed(supported, 3)}",
            None if isnan(lower) else lower - slack <= supported <= upper + slack,
            MEANINGS["no_interval"]
            if isnan(lower)
            else MEANINGS["mean_weight"].format(
                level=f"{100 * asked['mean_weight_confidence']:g}%",
                interval=f"{fixed(lower, 3)} to {fixed(upper, 3)}",
            ),
        ),
        Check(
            "Tail index",
            "no tail" if tail == NO_TAIL else ratio(tail),
            f"at most {ratio(asked['max_pareto_k'])}",
            None if isnan(tail) else not is_heavy,
            MEANINGS["pareto_k"],
        ),
    )


def _of_clusters(answer: PolicyAnswer) -> tuple[Check, ...]:
    d, asked = answer.diagnostics, answer.limits
    unit = "clusters" if answer.cluster else answer.units
    return (
        Check(
            f"Heaviest of the {unit}",
            _percent(d["top_cluster_share"]),
            f"at most {_percent(asked['max_cluster_share'])}",
            d["top_cluster_share"] <= asked["max_cluster_share"],
            MEANINGS["top_cluster_share"],
        ),
        Check(
            unit.capitalize(),
            count(int(d["n_clusters"])),
            f"at least {count(int(asked['min_clusters']))}",
            d["n_clusters"] >= asked["min_clusters"],
            MEANINGS["n_clusters"],
        ),
        Check(
            f"Informative {unit}",
            count(int(d["n_informative_clusters"])),
            f"at least {count(int(asked['min_informative_clusters']))}",
            d["n_informative_clusters"] >= asked["min_informative_clusters"],
            MEANINGS["n_informative_clusters"],
        ),
    )


def _of_contributions(answer: PolicyAnswer) -> tuple[Check, ...]:
    """Of w r, or w (r − q): each is held against the lesser of contributions' and amounts' unevenness."""
    d, asked = answer.diagnostics, answer.limits
    if "contribution_n" not in d:
        return ()
    unit = "clusters" if answer.cluster else answer.units
    heard = d["contribution_n"] >= asked["min_effective_contributions"]
    share = min(d["contribution_largest_share"], d["contribution_amount_share"])
    effective = max(d["contribution_effective"], d["contribution_amount_effective"])
    index = min(d["contribution_index"], d["contribution_amount_index"])
    limit = asked["max_contribution_index"] * (1 + 2 / sqrt(max(d["contribution_n_tail"], 1)))
    fitted = min(d["contribution_pareto_k"], d["contribution_amount_pareto_k"])
    is_heavy = index > limit and fitted > d["contribution_exponential_k"]
    return (
        Check(
            f"Largest reward of the {unit}",
            _percent(share),
            f"at most {_percent(asked['max_contribution_share'])}",
            None if not heard else share <= asked["max_contribution_share"],
            MEANINGS["contribution_largest_share"],
        ),
        Check(
            "Effective contributions",
            fixed(effective, 1),
            f"at least {fixed(asked['min_effective_contributions'], 0)}",
            None if not heard else effective >= asked["min_effective_contributions"],
            MEANINGS["contribution_effective"],
        ),
        Check(
            "Tail index of rewards",
            "no tail" if index == NO_TAIL else ratio(index),
            f"at most {ratio(limit)}",
            None if isnan(index) else not is_heavy,
            MEANINGS["contribution_index"],
        ),
    )


def _unasked(answer: PolicyAnswer) -> tuple[Check, ...]:
    d = answer.diagnostics
    largest = Check("Largest weight", sized(d["max_weight"]), MISSING, None, MEANINGS["max_weight"])
    if not answer.cluster:
        return (largest,)
    return (
        largest,
        Check("Design effect", ratio(d["design_effect"]), MISSING, None, MEANINGS["design_effect"]),
    )


def _percent(number: float) -> str:
    return f"{fixed(100 * number, 1)} %".replace(".0 %", " %")
