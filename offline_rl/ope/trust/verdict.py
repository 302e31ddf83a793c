"""The gate: is the evidence good enough to let a candidate replace the policy that serves?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from features.contracts.findings import Finding, finding
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.policy_value import WHOLE_LOG, Difference
from offline_rl.ope.trust.diagnostics import Diagnostics
from offline_rl.ope.trust.error_spending import at_look, confidence_of_look
from offline_rl.ope.trust.trust import GateSettings, doubts_about

__all__ = ["GateSettings", "Verdict", "evidence_doubts", "reach_verdict"]


@dataclass(frozen=True)
class Verdict:
    """What the gate decided for a candidate and why: comparisons with others, or refusals with causes.

    difference, lower, upper: value of the candidate less that of the strongest baseline (the logging policy
    counts as one), in the reward's unit per round; NaN where not identified. comparisons: all of them.
    """

    verdict: Literal["promote", "test", "hold", "reject"]
    candidate: str
    strongest_baseline: str
    difference: float
    lower: float
    upper: float
    reasons: tuple[Finding, ...]
    comparisons: tuple[Difference, ...]


def reach_verdict(
    evaluation: Evaluation,
    candidate: str,
    logging_policy: str,
    baselines: Sequence[str] = (),
    *,
    segment: int | None = WHOLE_LOG,
    settings: GateSettings | None = None,
) -> Verdict:
    """Compare a candidate with the logging policy and every baseline, in one segment or the whole log.

    promote: the evidence is sound and the lower bound of the paired difference is above zero against all.
    reject: the evidence is sound and the upper bound against the logging policy is below zero: harm is shown.
    hold: everything else.

    Picking the strongest baseline by the same data and testing against it alone would be optimistic. The test
    is against all of them, and only all together promote: this intersection-union test keeps its level
    without a correction for the number of baselines (Berger 1982). The intervals that decide are those of the
    settings' look (`error_spending`); those of the verdict have the settings' confidence.

    Raises ValueError for a policy, estimator or segment that was not evaluated.
    """
    settings = settings or GateSettings()
    rivals = tuple(dict.fromkeys([logging_policy, *baselines]))
    comparisons = tuple(
        evaluation.difference(candidate, rival, settings.estimator, segment, settings.confidence)
        for rival in rivals
    )
    # The strongest rival is the one with the smallest difference; a NaN difference is the worst case of all.
    strongest = min(comparisons, key=lambda d: (d.value == d.value, d.value))
    # A log too small for the candidate is too small for its rivals: one set of reasons is enough to read.
    doubts = _doubts_of(evaluation, candidate, segment, settings) or tuple(
        doubt for rival in rivals for doubt in _doubts_of(evaluation, rival, segment, settings)
    )
    asked = [at_look(comparison, settings.look, settings.confidence) for comparison in comparisons]
    confidence = confidence_of_look(settings.look, settings.confidence)
    verdict, reasons = _decide(asked, doubts, evaluation.resolution, replace(settings, confidence=confidence))
    if settings.look > 1 and not doubts:
        reasons = (*reasons, finding("later_look", candidate, look=settings.look, confidence=confidence))
    return Verdict(
        verdict=verdict,
        candidate=candidate,
        strongest_baseline=strongest.other,
        difference=strongest.value,
        lower=strongest.lower,
        upper=strongest.upper,
        reasons=reasons,
        comparisons=comparisons,
    )


def unproven_lead(
    evaluation: Evaluation, policy: str, constant: str, settings: GateSettings
) -> Finding | None:
    """Return that a policy isn't shown better than one made of counts alone; None where it is.

    Raises ValueError for a policy or estimator that was not evaluated.
    """
    found = evaluation.difference(policy, constant, settings.estimator, WHOLE_LOG, settings.confidence)
    resolution = evaluation.resolution
    if found.lower > resolution:
        return None
    if found.upper < -resolution:
        return _compared("loss_shown", found, settings, resolution=resolution)
    is_same = max(abs(found.lower), abs(found.upper)) <= resolution
    code = "no_difference" if is_same else "no_gain_shown"
    return _compared(code, found, settings, resolution=resolution)


def evidence_doubts(
    policy: str,
    diagnostics: Diagnostics,
    mean_weight: Interval,
    settings: GateSettings,
    cluster_name: str = "users",
) -> tuple[Finding, ...]:
    """Return why intervals about this policy should not be believed, as one refusal; else nothing."""
    doubts = doubts_about(diagnostics, mean_weight, settings, cluster_name, policy=policy)
    return (Finding("cannot_be_judged", policy, because=doubts),) if doubts else ()


def _doubts_of(
    evaluation: Evaluation, policy: str, segment: int | None, settings: GateSettings
) -> tuple[Finding, ...]:
    return evidence_doubts(
        policy,
        evaluation.diagnostics_of(policy, segment),
        evaluation.mean_weight_interval(policy, segment, settings.mean_weight_confidence),
        settings,
        evaluation.cluster_name,
    )


def _decide(
    comparisons: Sequence[Difference], doubts: tuple[Finding, ...], resolution: float, settings: GateSettings
) -> tuple[Literal["promote", "hold", "reject"], tuple[Finding, ...]]:
    against_logging_policy = comparisons[0]
    if doubts:
        return "hold", doubts
    if against_logging_policy.upper < -resolution:
        return "reject", (_compared("harm_shown", against_logging_policy, settings),)
    unproven = tuple(
        _compared(
            # an interval above 0 but within the resolution
            "no_gain_beyond_rounding" if comparison.lower > 0 else "no_gain_shown",
            comparison,
            settings,
            resolution=resolution,
        )
        for comparison in comparisons
        if not comparison.lower > resolution
    )
    if unproven:
        return "hold", unproven
    return "promote", tuple(_compared("gain_shown", comparison, settings) for comparison in comparisons)


def _compared(code: str, comparison: Difference, settings: GateSettings, **numbers: float) -> Finding:
    money = {"currency": settings.currency} if settings.currency else {}
    return finding(
        code,
        comparison.policy,
        other=comparison.other,
        difference=comparison.value,
        lower=comparison.lower,
        upper=comparison.upper,
        confidence=settings.confidence,
        **numbers,
        **money,
    )
