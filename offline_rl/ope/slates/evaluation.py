"""All policies, slate estimators and segments of one log of slates, evaluated as rounds are."""

from collections.abc import Mapping, Sequence

from offline_rl.ope.common_log import common_log
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate_units
from offline_rl.ope.intervals.choice import IntervalName
from offline_rl.ope.slates.estimator import SlateEstimator
from offline_rl.ope.slates.records import SlateRounds
from offline_rl.ope.slates.slate_rounds import whole_slates


def evaluate_slates(
    policies: Mapping[str, SlateRounds],
    estimators: Sequence[SlateEstimator],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    cluster_name: str = "users",
    interval: IntervalName = "bca",
) -> Evaluation:
    """Evaluate every policy by every slate estimator, over the whole log and in each of its segments.

    policies: name → the same logged slates seen by that policy. Values are per slate. Clusters (users; slates
    where users are unknown) are resampled whole, so all slots of a slate stay together. Diagnostics are those
    of slates as rounds (`whole_slates`) by the weights of the first estimator. The options are those of
    `evaluate`.

    Raises ValueError where policies were given different slates, where the log is empty, where no estimator
    is given, or one lacks a column that it needs.
    """
    log = common_log(policies, ("slate", "slot", "reward", "cluster", "segment"), "rows")
    if not estimators or log.n == 0:
        raise ValueError("there is nothing to evaluate: give at least one slate and one estimator.")
    return evaluate_units(
        {name: whole_slates(rounds, estimators[0].seen(rounds)) for name, rounds in policies.items()},
        estimators,
        lambda policy, cells: [
            cells.sums(policies[policy].by_slate(estimator.terms(policies[policy])))
            for estimator in estimators
        ],
        unit="slates",
        n_resamples=n_resamples,
        seed=seed,
        confidence=confidence,
        cluster_name=cluster_name,
        interval=interval,
    )
