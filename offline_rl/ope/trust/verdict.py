"""The gate: is the evidence good enough to let a candidate replace the policy that serves?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Literal

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.evaluation import ALL, Difference, Evaluation
from offline_rl.ope.trust.diagnostics import Diagnostics
from offline_rl.ope.trust.trust import GateSettings, doubts_about

__all__ = ["GateSettings", "Verdict", "evidence_doubts", "judge"]


@dataclass(frozen=True)
class Verdict:
    """What the gate decided for a candidate and why, in sentences.

    difference, lower, upper: value of the candidate less that of the strongest baseline (the logging policy
    counts as one), in the reward's unit per round; NaN where not identified. comparisons: all of them.
    """

    verdict: Literal["promote", "hold", "reject"]
    candidate: str
    strongest_baseline: str
    difference: float
    lower: float
    upper: float
    reasons: tuple[str, ...]
    comparisons: tuple[Difference, ...]


def judge(
    evaluation: Evaluation,
    candidate: str,
    logging_policy: str,
    baselines: Sequence[str] = (),
    *,
    segment: int | None = ALL,
    settings: GateSettings | None = None,
) -> Verdict:
    """Judge a candidate against the logging policy and every baseline, in one segment or the whole log.

    promote: the evidence is sound and the lower bound of the paired difference is above zero against all.
    reject: the evidence is sound and the upper bound against the logging policy is below zero: harm is shown.
    hold: everything else.

    Picking the strongest baseline by the same data and testing against it alone would be optimistic. The test
    is against all of them, and only all together promote: this intersection-union test keeps its level
    without a correction for the number of baselines (Berger 1982).

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
    verdict, reasons = _decide(comparisons, doubts, evaluation.resolution, settings.confidence)
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


def unproven_lead(evaluation: Evaluation, policy: str, constant: str, settings: GateSettings) -> str | None:
    """Return the sentence that a policy isn't shown better than one made of counts alone; None where it is.

    Raises ValueError for a policy or estimator that was not evaluated.
    """
    found = evaluation.difference(policy, constant, settings.estimator, ALL, settings.confidence)
    if found.lower > evaluation.resolution:
        return None
    if found.upper < -evaluation.resolution:
        return _sentence(found, "a loss is shown", settings.confidence, evaluation.resolution)
    is_same = max(abs(found.lower), abs(found.upper)) <= evaluation.resolution
    said = "no difference" if is_same else "no gain is shown"
    return _sentence(found, said, settings.confidence, evaluation.resolution)


def evidence_doubts(
    policy: str,
    diagnostics: Diagnostics,
    mean_weight: Interval,
    settings: GateSettings,
    cluster_name: str = "users",
) -> tuple[str, ...]:
    """Why intervals about this policy should not be believed, in one sentence; empty where they may be."""
    doubts = doubts_about(diagnostics, mean_weight, settings, cluster_name)
    return (f"{policy} can't be judged: {'; '.join(doubts)}.",) if doubts else ()


def _doubts_of(
    evaluation: Evaluation, policy: str, segment: int | None, settings: GateSettings
) -> tuple[str, ...]:
    return evidence_doubts(
        policy,
        evaluation.diagnostics_of(policy, segment),
        evaluation.mean_weight_interval(policy, segment, settings.mean_weight_confidence),
        settings,
        evaluation.cluster_name,
    )


def _decide(
    comparisons: Sequence[Difference], doubts: tuple[str, ...], resolution: float, confidence: float
) -> tuple[Literal["promote", "hold", "reject"], tuple[str, ...]]:
    against_logging_policy = comparisons[0]
    if doubts:
        return "hold", doubts
    if against_logging_policy.upper < -resolution:
        return "reject", (_sentence(against_logging_policy, "harm is shown", confidence),)
    unproven = tuple(
        _sentence(
            comparison,
            _unproven(comparison, resolution),
            confidence,
            # a gain within the resolution is shown with its numbers
            0.0 if comparison.lower > 0 else resolution,
        )
        for comparison in comparisons
        if not comparison.lower > resolution
    )
    if unproven:
        return "hold", unproven
    return "promote", tuple(
        _sentence(comparison, "a gain is shown", confidence) for comparison in comparisons
    )


def _unproven(comparison: Difference, resolution: float) -> str:
    """What is said where no gain is shown; an interval above 0 but within the resolution needs a word."""
    if not comparison.lower > 0:
        return "no gain is shown"
    digits = _digits(resolution)
    return f"no gain is shown beyond the {resolution:.{digits}f} that rounded probabilities may make"


def _sentence(comparison: Difference, finding: str, confidence: float, resolution: float = 0.0) -> str:
    # what rounded probabilities may make is not worth a digit
    numbers = [
        number if abs(number) > resolution else 0.0
        for number in (comparison.value, comparison.lower, comparison.upper)
    ]
    digits = _digits(numbers[2] - numbers[1])
    value, lower, upper = (f"{number:+.{digits}f}" for number in numbers)
    return (
        f"{comparison.policy} against {comparison.other}: {finding}, {value} per round "
        f"({confidence:.0%} interval {lower} to {upper})."
    )


def _digits(width: float) -> int:
    """Decimal places that show an interval to two digits of its width, whatever the reward's unit.

    >>> _digits(0.0284), _digits(12.0), _digits(0.0)
    (3, 0, 0)
    """
    return max(0, 1 - floor(log10(width))) if width > 0 else 0
