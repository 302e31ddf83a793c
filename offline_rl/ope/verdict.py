"""The gate: is the evidence good enough to let a candidate replace the policy that serves?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Literal

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.diagnostics import Diagnostics
from offline_rl.ope.evaluation import ALL, Difference, Evaluation


@dataclass(frozen=True)
class GateSettings:
    """What the gate asks of the evidence before it believes an interval.

    min_informative_clusters: users with a reward other than the usual one. A comparison that rests on ten
    clicks sees harm where there is none in one case of ten (README, "What the intervals mean").
    max_cluster_share: guards the tail, since with few huge weights the mean weight varies so much that its
    own test passes.
    mean_weight_confidence: higher than `confidence`, since this test runs for every policy and a false alarm
    costs a good candidate its promotion.
    mean_weight_slack: forgives probabilities rounded by float32 or by a log's six decimals, which a long log
    could tell from exact ones.
    """

    estimator: str = "dr"
    confidence: float = 0.95
    min_clusters: int = 100
    min_informative_clusters: int = 20
    min_ess: float = 100.0
    min_ess_share: float = 0.01
    max_cluster_share: float = 0.1
    min_supported_share: float = 0.95
    mean_weight_confidence: float = 0.99
    mean_weight_slack: float = 0.005


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


def evidence_doubts(
    policy: str,
    diagnostics: Diagnostics,
    mean_weight: Interval,
    settings: GateSettings,
    cluster_name: str = "users",
) -> tuple[str, ...]:
    """Why intervals about this policy should not be believed, in one sentence; empty where they may be."""
    d, asked = diagnostics, settings
    slack = asked.mean_weight_slack
    checks = (
        (
            d.n_clusters < asked.min_clusters,
            f"only {d.n_clusters:,} {cluster_name}, fewer than {asked.min_clusters:,}",
        ),
        (
            d.n_informative_clusters < asked.min_informative_clusters,
            f"only {d.n_informative_clusters:,} {cluster_name} tell of its reward, "
            f"fewer than {asked.min_informative_clusters:,}",
        ),
        (
            d.ess < asked.min_ess,
            f"the log is worth {d.ess:,.1f} effective rounds of {d.n_rounds:,}, "
            f"less than {asked.min_ess:,.0f}",
        ),
        (
            d.ess < asked.min_ess_share * d.n_rounds,
            f"the log is worth {d.ess / d.n_rounds:.2%} of its rounds, less than {asked.min_ess_share:.2%}",
        ),
        (
            d.top_cluster_share > asked.max_cluster_share,
            f"one of the {cluster_name} carries {d.top_cluster_share:.1%} of all weight, "
            f"more than {asked.max_cluster_share:.1%}",
        ),
        (
            d.supported_share < asked.min_supported_share,
            f"the log could show only {d.supported_share:.1%} of what it does, "
            f"less than {asked.min_supported_share:.1%}",
        ),
        (
            not mean_weight.lower - slack <= d.supported_share <= mean_weight.upper + slack,
            f"its mean weight is {d.mean_weight:.3f} ({asked.mean_weight_confidence:.0%} interval "
            f"{mean_weight.lower:.3f} to {mean_weight.upper:.3f}) and should be {d.supported_share:.3f}, "
            "so propensities or availability are wrong, or the log hardly ever shows what it prefers",
        ),
    )
    doubts = [what for is_doubtful, what in checks if is_doubtful]
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
        _sentence(comparison, "no gain is shown", confidence)
        for comparison in comparisons
        if not comparison.lower > resolution
    )
    if unproven:
        return "hold", unproven
    return "promote", tuple(
        _sentence(comparison, "a gain is shown", confidence) for comparison in comparisons
    )


def _sentence(comparison: Difference, finding: str, confidence: float) -> str:
    digits = _digits(comparison.upper - comparison.lower)
    value, lower, upper = (
        f"{number:+.{digits}f}" for number in (comparison.value, comparison.lower, comparison.upper)
    )
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
