"""Diagnostics of a policy's weights: how much a log says about it, by size, overlap and tail."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.cluster_positions import cluster_positions
from offline_rl.ope.rare_rewards import n_informative_clusters
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.trust.contribution_tail import (
    ContributionTail,
    contribution_tail,
    correction_tail,
    rests_on_corrections,
)
from offline_rl.ope.trust.pareto_tail import pareto_k, top_weight_share


@dataclass(frozen=True)
class Diagnostics:
    """Diagnostics of the weights of n rounds; for the logging policy on its own log every weight is 1.

    | field | formula | unit |
    |---|---|---|
    | n_rounds, n_clusters | | rounds, clusters |
    | ess | (Σ w)² / Σ w² over rounds | rounds |
    | design_effect | Σ_c (Σ_{i∈c} u_i)² / Σ_i u_i², u = w (r − SNIPS), at least 1 | |
    | top_cluster_share | max W / Σ W, W = Σ w of a cluster | share |
    | mean_weight | Σ w / n; compare it with supported_share | |
    | mean_weight_lower, mean_weight_upper | its bootstrap interval | |
    | max_weight | max w | |
    | supported_share | 1 − mean unsupported mass | share |
    | n_informative_clusters | clusters with a reward other than the median one | clusters |
    | pareto_k | tail index of w; −∞ without a tail, NaN where it is unknown (`pareto_tail`) | |
    | top_weight_share | share of Σ w on the largest 1 % of rounds | share |
    | weighted_rewards | the tail of w r by cluster; None where only weights are known | |
    | corrections | the tail of w (r − q) by cluster; None without a reward model | |
    """

    n_rounds: int
    n_clusters: int
    ess: float
    design_effect: float
    top_cluster_share: float
    mean_weight: float
    mean_weight_lower: float
    mean_weight_upper: float
    max_weight: float
    supported_share: float
    n_informative_clusters: int
    pareto_k: float
    top_weight_share: float
    weighted_rewards: ContributionTail | None = None
    corrections: ContributionTail | None = None

    def contributions(self, estimator: str) -> ContributionTail | None:
        """Return the tail of the terms that an estimator of that name sums."""
        if rests_on_corrections(estimator) and self.corrections is not None:
            return self.corrections
        return self.weighted_rewards

    def numbers(self, estimator: str) -> dict[str, float]:
        """Return all diagnostics by name, the tail of the estimator's terms as `contribution_...`."""
        flat = {name: number for name, number in vars(self).items() if isinstance(number, int | float)}
        tail = self.contributions(estimator)
        if tail is not None:
            of_tail = {name: number for name, number in vars(tail).items() if name != "of"}
            of_tail["exponential_k"] = tail.exponential_k
            flat |= {f"contribution_{name}": number for name, number in of_tail.items()}
        return flat


def effective_size(weight: Floats) -> float:
    """Return Kish's effective sample size, (Σ w)² / Σ w²; 0 where all weights are 0.

    Source: Kish 1965, section 11.7.

    >>> effective_size(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(np.square(weight).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def design_effect(rounds: EvaluationRounds) -> float:
    """Return factor by which clusters inflate the variance of SNIPS, at least 1; 1 if rewards do not vary.

    Source: Kish 1965, section 5.4, with the residuals of the linearized ratio.

    >>> log = EvaluationRounds.of_logging_policy(
    ...     reward=np.array([1.0, 1.0, 0.0, 0.0]),
    ...     propensity=np.ones(4),
    ...     cluster=np.array([0, 0, 1, 1]),
    ...     segment=np.zeros(4, dtype=int),
    ... )
    >>> design_effect(log)
    2.0
    """
    weight = rounds.weight
    total = float(weight.sum())
    if total == 0:
        return 1.0
    residual = weight * (rounds.reward - float(weight @ rounds.reward) / total)
    independent = float(residual @ residual)
    clustered = float(np.square(np.bincount(cluster_positions(rounds.cluster), residual)).sum())
    return max(1.0, clustered / independent) if independent > 0 else 1.0


def diagnose(rounds: EvaluationRounds, mean_weight: Interval) -> Diagnostics:
    """Return the diagnostics of at least one round, given the interval of the mean weight."""
    weight = rounds.weight
    position = cluster_positions(rounds.cluster)
    cluster_weight = np.bincount(position, weight)
    total = float(weight.sum())
    unsupported = 0.0 if rounds.unsupported_mass is None else float(rounds.unsupported_mass.mean())
    weighted_rewards = contribution_tail(rounds)
    return Diagnostics(
        n_rounds=rounds.n,
        n_clusters=int(np.count_nonzero(np.bincount(position))),
        ess=effective_size(weight),
        design_effect=design_effect(rounds),
        top_cluster_share=float(cluster_weight.max()) / total if total > 0 else 0.0,
        mean_weight=total / rounds.n,
        mean_weight_lower=mean_weight.lower,
        mean_weight_upper=mean_weight.upper,
        max_weight=float(weight.max()),
        supported_share=1.0 - unsupported,
        n_informative_clusters=n_informative_clusters(rounds),
        pareto_k=pareto_k(weight),
        top_weight_share=top_weight_share(weight),
        weighted_rewards=weighted_rewards,
        corrections=correction_tail(rounds, weighted_rewards),
    )


def diagnose_segments(rounds: EvaluationRounds, mean_weights: Sequence[Interval]) -> tuple[Diagnostics, ...]:
    """Return the diagnostics of the whole log, then of each of its segments in ascending order.

    mean_weights: the interval of the mean weight for each of them, in the order of `Cells.by_segment`. One
    sort serves all segments, where a mask for each would read the log as often as it has segments.

    Raises ValueError unless there is one interval for the log and one for each segment.
    """
    order = np.argsort(rounds.segment, kind="stable")
    starts = np.flatnonzero(np.diff(rounds.segment[order])) + 1
    parts = [rounds, *(rounds.select(rows) for rows in np.split(order, starts))]
    if len(parts) != len(mean_weights):
        raise ValueError(
            f"{len(mean_weights)} intervals of the mean weight for a log with {len(parts) - 1} segments: "
            "give one for the whole log and one for each segment."
        )
    return tuple(diagnose(part, interval) for part, interval in zip(parts, mean_weights, strict=True))
