"""How far a log can speak about a policy at all: size, overlap and tail of the importance weights."""

from dataclasses import dataclass

import numpy as np

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.rare_rewards import n_informative_clusters
from offline_rl.ope.records import EvaluationRounds, Floats


@dataclass(frozen=True)
class Diagnostics:
    """What the weights of n rounds look like; for the logging policy on its own log every weight is 1.

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


def effective_size(weight: Floats) -> float:
    """Kish's effective sample size, (Σ w)² / Σ w²; 0 where all weights are 0.

    Source: Kish 1965, section 11.7.

    >>> effective_size(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(np.square(weight).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def design_effect(rounds: EvaluationRounds) -> float:
    """How many times clusters inflate the variance of SNIPS, at least 1; 1 where rewards do not vary.

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
    _, position = np.unique(rounds.cluster, return_inverse=True)
    clustered = float(np.square(np.bincount(position, residual)).sum())
    return max(1.0, clustered / independent) if independent > 0 else 1.0


def diagnose(rounds: EvaluationRounds, mean_weight: Interval) -> Diagnostics:
    """Diagnostics of at least one round, given the interval of the mean weight."""
    weight = rounds.weight
    _, position = np.unique(rounds.cluster, return_inverse=True)
    cluster_weight = np.bincount(position, weight).astype(np.float64)
    total = float(weight.sum())
    unsupported = 0.0 if rounds.unsupported_mass is None else float(rounds.unsupported_mass.mean())
    return Diagnostics(
        n_rounds=rounds.n,
        n_clusters=len(cluster_weight),
        ess=effective_size(weight),
        design_effect=design_effect(rounds),
        top_cluster_share=float(cluster_weight.max()) / total if total > 0 else 0.0,
        mean_weight=total / rounds.n,
        mean_weight_lower=mean_weight.lower,
        mean_weight_upper=mean_weight.upper,
        max_weight=float(weight.max()),
        supported_share=1.0 - unsupported,
        n_informative_clusters=n_informative_clusters(rounds),
    )
