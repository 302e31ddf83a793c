"""Whether the numbers about a policy may be believed at all, and why not.

An interval is an honest statement only where the log can see what the policy would do. These checks come
before any value: a number that fails them is not to be shown as a headline.
"""

from dataclasses import dataclass
from math import nan

from features.contracts.findings import Finding, finding
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.trust.contribution_tail import (
    MAX_SHARE,
    MIN_EFFECTIVE,
    NO_VARIANCE,
    ContributionTail,
    TailDoubt,
    tail_doubts,
)
from offline_rl.ope.trust.diagnostics import Diagnostics
from offline_rl.ope.trust.mean_weight_doubt import mean_weight_doubt, mean_weight_is_off


@dataclass(frozen=True)
class GateSettings:
    """What the gate requires of the evidence before it believes an interval.

    min_informative_clusters: users with a reward other than the usual one, without trifles. A comparison that
    rests on ten clicks sees harm where there is none in one case of ten (README, "What the intervals mean").
    max_pareto_k: above it averages of such weights do not settle in logs of practical size (Vehtari et al.
    2024).
    min_top_weight_share: the tail index is heard only where the largest 1 % of rounds hold more than this
        share of all weight: as much as in a true Pareto tail with k = 0.7. Bounded weights often seem heavy
        up to their bound, and move no value much.
    max_cluster_share: guards the tail, since with few huge weights the mean weight varies so much that its
    own test passes.
    max_contribution_share, min_effective_contributions, max_contribution_index: how uneven the contributions
        w r of clusters may be, or w (r − q) where `estimator` corrects a model (`contribution_tail`).
    mean_weight_confidence: higher than `confidence`, since this test runs for every policy and a false alarm
    costs a good candidate its promotion.
    currency: of rewards that are money, empty for others; findings name it.
    mean_weight_slack: forgives probabilities rounded by float32 or by a log's six decimals, which a long log
    could distinguish from exact ones.
    look: which one it is at the evidence against what serves today, see `error_spending`.
    """

    estimator: str = "dr"
    confidence: float = 0.95
    min_clusters: int = 100
    min_informative_clusters: int = 20
    min_ess: float = 100.0
    min_ess_share: float = 0.01
    max_pareto_k: float = 0.7
    min_top_weight_share: float = 0.25
    max_cluster_share: float = 0.1
    max_contribution_share: float = MAX_SHARE
    min_effective_contributions: float = MIN_EFFECTIVE
    max_contribution_index: float = NO_VARIANCE
    min_supported_share: float = 0.95
    mean_weight_confidence: float = 0.99
    mean_weight_slack: float = 0.005
    look: int = 1
    currency: str = ""


@dataclass(frozen=True)
class Trust:
    """Whether values of a policy may be believed; where not, the doubts, the gravest first."""

    trusted: bool
    reasons: tuple[Finding, ...]


def assess(
    diagnostics: Diagnostics,
    mean_weight: Interval,
    settings: GateSettings | None = None,
    cluster_name: str = "users",
    unit: str = "rounds",
    *,
    policy: str = "policy",
) -> Trust:
    """Assess the evidence on one policy by the diagnostics of its weights.

    mean_weight: its interval at `settings.mean_weight_confidence`. cluster_name, unit: what a cluster is, and
    what the weights are of, in the plural.

    >>> d = Diagnostics(
    ...     n_rounds=10_000,
    ...     n_clusters=10_000,
    ...     ess=2.1,
    ...     design_effect=1.0,
    ...     top_cluster_share=0.05,
    ...     mean_weight=1.0,
    ...     mean_weight_lower=0.1,
    ...     mean_weight_upper=3.0,
    ...     max_weight=900.0,
    ...     supported_share=1.0,
    ...     n_informative_clusters=46,
    ...     pareto_k=0.4,
    ...     top_weight_share=0.9,
    ... )
    >>> for reason in assess(d, Interval(0.1, 3.0)).reasons:
    ...     print(reason.code, reason.numbers["least"])
    few_effective_rounds 100.0
    small_effective_share 0.01
    """
    doubts = doubts_about(
        diagnostics, mean_weight, settings or GateSettings(), cluster_name, unit, policy=policy
    )
    return Trust(not doubts, doubts)


def doubts_about(
    diagnostics: Diagnostics,
    mean_weight: Interval,
    settings: GateSettings,
    cluster_name: str,
    unit: str = "rounds",
    *,
    policy: str,
) -> tuple[Finding, ...]:
    """Return the doubts about the numbers of a policy, the gravest first; empty where there are none.

    The order is that of the questions: is there a sample, does it weigh enough, will its average settle, and
    is it of the right thing. The mean weight comes after the weights, because where weights are few or their
    tail is heavy its own interval is as doubtful as all others. The rewards' tail comes last: it is heard
    beyond that of the weights.
    """
    d, asked = diagnostics, settings

    def found(code: str, **numbers: int | float | str) -> Finding:
        return finding(code, policy, **numbers)

    checks = (
        (
            d.n_clusters < asked.min_clusters,
            found(
                "few_clusters", n_clusters=int(d.n_clusters), least=asked.min_clusters, clusters=cluster_name
            )
            if d.n_clusters > 1
            else found("one_cluster", clusters=cluster_name, units=unit),
        ),
        (
            d.n_informative_clusters < asked.min_informative_clusters,
            found(
                "few_informative_clusters",
                n_clusters=int(d.n_informative_clusters),
                least=asked.min_informative_clusters,
                clusters=cluster_name,
            ),
        ),
        (
            d.ess < asked.min_ess,
            found(
                "few_effective_rounds", ess=d.ess, n_rounds=int(d.n_rounds), least=asked.min_ess, units=unit
            ),
        ),
        (
            d.ess < asked.min_ess_share * d.n_rounds,
            found(
                "small_effective_share",
                ess_share=d.ess / d.n_rounds if d.n_rounds else nan,
                least=asked.min_ess_share,
                units=unit,
            ),
        ),
        (
            d.pareto_k > asked.max_pareto_k and d.top_weight_share > asked.min_top_weight_share,
            found(
                "heavy_weight_tail",
                top_weight_share=d.top_weight_share,
                index=d.pareto_k,
                most=asked.max_pareto_k,
                units=unit,
            ),
        ),
        (
            d.top_cluster_share > asked.max_cluster_share,
            found(
                "large_cluster",
                top_cluster_share=d.top_cluster_share,
                most=asked.max_cluster_share,
                clusters=cluster_name,
            ),
        ),
        (
            d.supported_share < asked.min_supported_share,
            found("little_support", supported_share=d.supported_share, least=asked.min_supported_share),
        ),
        (
            mean_weight_is_off(mean_weight, d.supported_share, asked.mean_weight_slack),
            mean_weight_doubt(
                policy, d.mean_weight, mean_weight, d.supported_share, asked.mean_weight_confidence
            ),
        ),
    )
    doubts = [doubt for is_doubtful, doubt in checks if is_doubtful]
    tail = d.contributions(asked.estimator)
    if tail is not None:
        doubts += [_of_tail(doubt, tail, policy, cluster_name) for doubt in tail_doubts_of(tail, asked)]
    return tuple(doubts)


def tail_doubts_of(tail: ContributionTail, settings: GateSettings) -> tuple[TailDoubt, ...]:
    """Return the doubts about a mean of these contributions, by the gate's settings."""
    return tail_doubts(
        tail,
        max_share=settings.max_contribution_share,
        min_effective=settings.min_effective_contributions,
        max_index=settings.max_contribution_index,
    )


def _of_tail(doubt: TailDoubt, tail: ContributionTail, policy: str, cluster_name: str) -> Finding:
    match doubt.code:
        case "largest_contribution":
            return finding(
                doubt.code,
                policy,
                share=doubt.found,
                largest=tail.largest,
                most=doubt.limit,
                of=tail.of,
                clusters=cluster_name,
            )
        case "few_contributions":
            return finding(
                doubt.code,
                policy,
                n_clusters=int(tail.n),
                effective=doubt.found,
                least=doubt.limit,
                of=tail.of,
                clusters=cluster_name,
            )
        case "heavy_tail":
            return finding(doubt.code, policy, index=doubt.found, most=doubt.limit, of=tail.of)
