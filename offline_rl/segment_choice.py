"""Which segments a new policy serves, and what the mixture that results is worth.

A policy that is better in all may be worse in some. Each segment's effect is drawn towards the mean of all
(partial pooling), which is also what keeps many segments from finding harm, or gain, by luck; and where harm
is the likelier of the two, what serves today stays.

Choosing segments and valuing the choice by the same rewards would flatter it. So users are dealt into two
halves: each half is served as the other half's rewards would have it, and the halves together are what the
gate evaluates. So the value that it prints is that of the mixture that serves.
Source: sample splitting for policies that are chosen by data, as in Athey & Wager 2021, "Policy learning with
observational data", section 3; partial pooling, see `offline_rl.ope.segments.partial_pooling`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.segments.multiplicity import adjusted_p_values
from offline_rl.ope.segments.partial_pooling import below_zero, partially_pooled
from offline_rl.ope.segments.segment_estimates import segment_differences

CANDIDATE, TODAY = "candidate", "today"

# The columns that differ between two policies on the same rounds.
_OF_POLICY = (
    "evaluation_prob",
    "q_policy",
    "unsupported_mass",
    "q_policy_mrdr",
    "density_ratio",
    "marginal_weight",
)

_CONFIDENCE = 0.95

Mask = NDArray[np.bool_]
Evaluate = Callable[[dict[str, EvaluationRounds]], Evaluation]


@dataclass(frozen=True)
class SegmentEffect:
    """What the candidate earns in a segment less what serves today earns there, in reward per round.

    difference, lower, upper: drawn towards the mean of all segments, with its 95 % interval; NaN where
        nothing is known of the segment by itself.
    harm: probability that the difference is below zero (`below_zero`), over all spreads between segments that
        the log allows; it may be under one half where the difference, drawn less far, lies below zero.
    holm_p_value: of no difference, before any drawing, adjusted for all segments (`adjusted_p_values`); NaN
        where the segment is not tested.
    """

    segment: int
    difference: float
    lower: float
    upper: float
    harm: float
    holm_p_value: float


@dataclass(frozen=True, eq=False)
class SegmentChoice:
    """effects: of every segment of the log. kept: where today's policy stays, protected segments included.

    evaluation: of `CANDIDATE` and `TODAY` as they are, in all segments.
    served: the rounds as what serves sees them, the choice crossed over two halves of the users.
    """

    effects: tuple[SegmentEffect, ...]
    kept: frozenset[int]
    evaluation: Evaluation
    served: EvaluationRounds


def choose_segments(
    candidate: EvaluationRounds,
    today: EvaluationRounds,
    evaluate: Evaluate,
    *,
    estimator: str,
    keep_above: float,
    protected: Collection[int] = (),
    seed: int = 0,
) -> SegmentChoice:
    """Choose the segments that a candidate serves, from n rounds as both policies see them.

    evaluate: policies by name → their evaluation, with `estimator` among its estimators.
    keep_above: a segment keeps what serves today where the probability of harm is above it.
    protected: segments that keep it whatever the candidate earns.
    seed: of the halves.

    Raises ValueError unless 0 <= keep_above <= 1.
    """
    if not 0 <= keep_above <= 1:
        raise ValueError(f"keep_above is {keep_above:g}: give a probability, such as 0.5.")
    evaluation = evaluate({CANDIDATE: candidate, TODAY: today})
    effects = _effects(evaluation, estimator)
    stays = np.zeros(candidate.n, dtype=np.bool_)
    in_first = _first_half(candidate.cluster, seed)
    for half in (in_first, ~in_first):
        others = np.flatnonzero(~half)
        if not half.any() or not len(others):
            continue
        seen = evaluate({CANDIDATE: candidate.select(others), TODAY: today.select(others)})
        chosen = _kept(_effects(seen, estimator), keep_above, protected)
        stays |= half & np.isin(candidate.segment, sorted(chosen))
    return SegmentChoice(
        effects=effects,
        kept=_kept(effects, keep_above, protected),
        evaluation=evaluation,
        served=mixed(candidate, today, stays),
    )


def mixed(candidate: EvaluationRounds, today: EvaluationRounds, stays: Mask) -> EvaluationRounds:
    """Return rounds as a policy sees them that is today's where `stays` [n] is true, else the candidate."""
    columns: dict[str, Any] = {field.name: getattr(candidate, field.name) for field in fields(candidate)}
    for name in _OF_POLICY:
        ours, theirs = getattr(candidate, name), getattr(today, name)
        if name == "unsupported_mass" and (ours is None) != (theirs is None):
            # for this column none is the same as zeros
            nothing = np.zeros(candidate.n)
            ours, theirs = nothing if ours is None else ours, nothing if theirs is None else theirs
        columns[name] = None if ours is None or theirs is None else np.where(stays, theirs, ours)
    return EvaluationRounds(**columns)


def _effects(evaluation: Evaluation, estimator: str) -> tuple[SegmentEffect, ...]:
    estimates = segment_differences(evaluation, CANDIDATE, TODAY, estimator)
    pooled, harm = partially_pooled(estimates, _CONFIDENCE), below_zero(estimates)
    holm = adjusted_p_values(estimates)
    numbers = zip(pooled.segments, pooled.value, pooled.lower, pooled.upper, harm, holm, strict=True)
    return tuple(SegmentEffect(segment, *map(float, of_segment)) for segment, *of_segment in numbers)


def _kept(
    effects: Collection[SegmentEffect], keep_above: float, protected: Collection[int]
) -> frozenset[int]:
    return frozenset(protected) | {effect.segment for effect in effects if effect.harm > keep_above}


def _first_half(cluster: NDArray[np.int64], seed: int) -> Mask:
    """Deal clusters into halves; the rounds of one cluster stay together."""
    names, place = np.unique(cluster, return_inverse=True)
    is_first: Mask = np.random.default_rng(seed).random(len(names)) < 0.5
    return is_first[place]
