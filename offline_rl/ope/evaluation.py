"""All policies, estimators and segments of one log, evaluated on one set of resamples.

Logs of every shape (rounds, slates, sessions) come through `evaluate_units`. A shape gives one round per
unit, which diagnostics use, and the terms of each estimator, which are summed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from offline_rl.ope.bootstrap import Resamples
from offline_rl.ope.common_log import common_log
from offline_rl.ope.contrast import Valued
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.mean_weight import MeanWeight
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.grouped_clusters import grouped
from offline_rl.ope.intervals.choice import IntervalName, check_interval_name
from offline_rl.ope.intervals.of_mean_weight import mean_weight_interval
from offline_rl.ope.policy_value import WHOLE_LOG
from offline_rl.ope.rare_rewards import reward_range
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.summed_log import SummedLog
from offline_rl.ope.sums import Cells, distinct_columns
from offline_rl.ope.trust.diagnostics import diagnose_segments

ROUNDS_AT_ONCE = 2**18
"""Rounds whose terms are held at once (2 MB a column)."""


def evaluate(
    policies: Mapping[str, EvaluationRounds],
    estimators: Sequence[Estimator],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    cluster_name: str = "users",
    interval: IntervalName = "bca",
) -> Evaluation:
    """Evaluate every policy by every estimator, over the whole log and in each of its segments.

    policies: name → the same logged rounds seen by that policy. cluster_name: what `cluster` holds, in the
    plural, for the wording of interval methods. confidence: level of the mean weight's interval in the
    diagnostics. interval: the kind of interval of values and differences. A segment without rounds doesn't
    appear. More than 32,768 clusters are resampled in random groups (`grouped`).

    Raises ValueError where two policies were given different rounds, where the log is empty, where an
    estimator lacks a column it needs, or for an unknown interval.
    """
    common_log(policies, ("reward", "propensity", "cluster", "segment"))
    return evaluate_units(
        policies,
        estimators,
        lambda policy, cells: _cell_sums(policies[policy], estimators, cells),
        n_resamples=n_resamples,
        seed=seed,
        confidence=confidence,
        cluster_name=cluster_name,
        interval=interval,
    )


def evaluate_units(
    units: Mapping[str, EvaluationRounds],
    estimators: Sequence[Valued],
    cell_sums: Callable[[str, Cells], Iterable[Floats]],
    *,
    unit: str = "rounds",
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    cluster_name: str = "users",
    interval: IntervalName = "bca",
) -> Evaluation:
    """Evaluate policies on a log of any shape, of which `evaluate` has the options.

    units: name → one round per unit of the log (a round, slate or session), the same units for each policy;
    unit: what they are, in the plural. cell_sums: given a policy's name, the terms of each estimator summed
    over the units of each cell, [cells, k].

    Raises ValueError where the log is empty, and for an unknown interval.
    """
    check_interval_name(interval)
    log = next(iter(units.values()))
    cells = Cells.of(log.segment, grouped(log.cluster, seed))
    weight = MeanWeight()
    blocks = [
        block
        for policy, rounds in units.items()
        for block in (*cell_sums(policy, cells), *_cell_sums(rounds, [weight], cells))
    ]
    valued = (*estimators, weight)
    distinct, places = distinct_columns(blocks)
    summed = SummedLog(cells, distinct, Resamples(cells.n_clusters, n_resamples, seed))
    resampled = summed.resampled()

    shape = (len(units), len(valued), len(summed.sums))
    values, resampled_values = np.empty(shape), np.empty((*shape, n_resamples))
    for i, place in enumerate(places):
        p, e = divmod(i, len(valued))
        values[p, e] = valued[e].value(summed.sums[:, place])
        resampled_values[p, e] = valued[e].value(resampled[:, :, place]).T

    diagnostics = tuple(
        diagnose_segments(
            rounds,
            [
                mean_weight_interval(
                    summed,
                    places[(p + 1) * len(valued) - 1],
                    s,
                    confidence,
                    value=float(values[p, -1, s]),
                    resampled=resampled_values[p, -1, s],
                )
                for s in range(shape[-1])
            ],
        )
        for p, rounds in enumerate(units.values())
    )
    by_policy = range(0, len(places), len(valued))
    return Evaluation(
        policies=tuple(units),
        estimators=valued,
        segments=(WHOLE_LOG, *cells.segments.tolist()),
        values=values,
        resampled=resampled_values,
        diagnostics=diagnostics,
        reward_range=reward_range(log.reward),
        cluster_name=cluster_name,
        log=summed,
        places=tuple(tuple(places[start : start + len(valued)]) for start in by_policy),
        interval=interval,
        unit=unit,
    )


def _cell_sums(rounds: EvaluationRounds, estimators: Sequence[Estimator], cells: Cells) -> list[Floats]:
    """Return terms of each estimator summed by cell, [cells, k] each; some rounds at a time, as sums add."""
    if rounds.n <= ROUNDS_AT_ONCE:
        return [cells.sums(estimator.terms(rounds)) for estimator in estimators]
    totals: list[Floats] = []
    for start in range(0, rounds.n, ROUNDS_AT_ONCE):
        part = np.arange(start, min(start + ROUNDS_AT_ONCE, rounds.n))
        seen = rounds.select(part)
        sums = [cells.sums(estimator.terms(seen), part) for estimator in estimators]
        totals = [total + add for total, add in zip(totals, sums, strict=True)] if totals else sums
    return totals
