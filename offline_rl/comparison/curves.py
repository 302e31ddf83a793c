"""Adaptation curves: what learners are worth on unseen segments with less support, or with other steps.

They are drawn of policies before the refit: after it the pooled model has read all of the support, and no
point would be without it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from offline_rl.comparison.unseen import UnseenSegment, value_on
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.policies.policy import Policy

Curve = Literal["support_rounds", "inner_steps"]
Adapter = Callable[[UnseenSegment], Policy]

SUPPORT_ROUNDS = (25, 50, 100, 200)
"""Rounds of support of the curve's points, besides none and all of them."""

INNER_STEPS = (0, 1, 3, 5, 10)
"""Gradient steps of the curve's points."""


@dataclass(frozen=True)
class AdaptationPoint:
    """Value of a learner at one point of its curve, with equal weight of all segments.

    amount: rounds of support, None for all of them, or gradient steps. true_value: None in a real shop.
    """

    learner: str
    curve: Curve
    amount: int | None
    value: float
    true_value: float | None


@dataclass(frozen=True)
class Way:
    """One way to adapt, to be evaluated on every segment: a point of a curve."""

    policy: MetaPolicy
    curve: Curve
    amount: int | None
    adapt: Adapter


def adaptation_curves(
    policies: Sequence[MetaPolicy], segments: Iterable[UnseenSegment], exploration: float
) -> list[AdaptationPoint]:
    """Draw the curves of the policies that adapt; none without a segment.

    exploration: the share of uniform slates that they serve, as every policy of the night does.
    """
    ways = [way for policy in policies if policy.adapts for way in ways_to_adapt(policy)]
    evaluated: list[list[tuple[float, float | None]]] = [[] for _ in ways]
    for segment in segments:
        for way, values in zip(ways, evaluated, strict=True):
            found = value_on(segment, way.adapt(segment), exploration)
            values.append((found.value, found.true_value))
    return [
        AdaptationPoint(way.policy.name, way.curve, way.amount, *_means(values))
        for way, values in zip(ways, evaluated, strict=True)
        if values
    ]


def ways_to_adapt(
    policy: MetaPolicy,
    support_rounds: Sequence[int] = SUPPORT_ROUNDS,
    inner_steps: Sequence[int] = INNER_STEPS,
) -> Iterator[Way]:
    """Yield the points of both curves of a policy that adapts; of steps only if it takes gradient steps."""
    yield Way(policy, "support_rounds", 0, lambda _segment: policy.zero_shot())
    for rounds in support_rounds:
        yield Way(policy, "support_rounds", rounds, _with_first_rounds(policy, rounds))
    yield Way(policy, "support_rounds", None, _with_all_rounds(policy))
    if isinstance(policy, GradientMetaPolicy):
        for steps in inner_steps:
            yield Way(policy, "inner_steps", steps, _with_all_rounds(policy.with_steps(steps)))


def first_rounds(support: LoggedRounds, segment: int, at_most: int) -> LoggedRounds:
    """Draw at most this many rounds of a segment's support.

    A larger draw holds every smaller one; they stay in the order of the log, the same for every learner.
    """
    random = np.random.default_rng(segment)
    drawn = np.sort(random.permutation(support.n)[:at_most])
    return support.select(torch.from_numpy(drawn))


def _with_first_rounds(policy: MetaPolicy, rounds: int) -> Adapter:
    return lambda unseen: policy.adapt(first_rounds(unseen.support, unseen.segment, rounds))


def _with_all_rounds(policy: MetaPolicy) -> Adapter:
    return lambda unseen: policy.adapt(unseen.support)


def _means(values: Sequence[tuple[float, float | None]]) -> tuple[float, float | None]:
    true_values = [true_value for _, true_value in values if true_value is not None]
    mean = sum(value for value, _ in values) / len(values)
    return mean, sum(true_values) / len(true_values) if true_values else None
