"""Adaptation curves: what learners are worth on unseen segments with less support, or with other steps.

They are drawn of policies before the refit: after it the pooled model has read all of the support, and no
point would be without it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

from features.contracts.outputs import AdaptationCurves
from flows.curve_amounts import INNER_STEPS, SUPPORT_ROUNDS, first_rounds
from flows.unseen_segments import UnseenSegment
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.learner import MetaPolicy
from offline_rl.ope.estimators.doubly_robust import DoublyRobust
from offline_rl.policies.policy import Policy
from offline_rl.serving import SegmentPolicies, judged_rounds, served_probabilities

Curve = Literal["support_rounds", "inner_steps"]
Adapter = Callable[[UnseenSegment], Policy]


@dataclass(frozen=True)
class AdaptationPoint:
    """Value of a learner with so much of what its curve is drawn over, segments counting alike.

    amount: rounds of support, None for all of them, or gradient steps. true_value: None in a real shop.
    """

    learner: str
    curve: Curve
    amount: int | None
    value: float
    true_value: float | None


@dataclass(frozen=True)
class _Way:
    """One way to adapt, to be judged on every segment."""

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
    ways = [way for policy in policies if policy.adapts for way in _ways(policy)]
    judged: list[list[tuple[float, float | None]]] = [[] for _ in ways]
    for segment in segments:
        for way, values in zip(ways, judged, strict=True):
            values.append(_value(way, segment, exploration))
    return [
        AdaptationPoint(way.policy.name, way.curve, way.amount, *_means(values))
        for way, values in zip(ways, judged, strict=True)
        if values
    ]


def curve_table(points: Sequence[AdaptationPoint], key: Mapping[str, str]) -> pl.DataFrame:
    """The points of one domain as out_adaptation_curves has them; key: run_id and domain."""
    rows = [{**key, **asdict(point)} for point in points]
    columns = AdaptationCurves.column_names()
    frame = pl.DataFrame(rows, infer_schema_length=None) if rows else AdaptationCurves.create_empty()
    return AdaptationCurves.validate(frame.select(columns), cast=True)


def _ways(policy: MetaPolicy) -> Iterator[_Way]:
    yield _Way(policy, "support_rounds", 0, lambda _segment: policy.zero_shot())
    for rounds in SUPPORT_ROUNDS:
        yield _Way(policy, "support_rounds", rounds, _with_first_rounds(policy, rounds))
    yield _Way(policy, "support_rounds", None, _with_all_rounds(policy))
    if isinstance(policy, GradientMetaPolicy):
        for steps in INNER_STEPS:
            yield _Way(policy, "inner_steps", steps, _with_all_rounds(policy.with_steps(steps)))


def _with_first_rounds(policy: MetaPolicy, rounds: int) -> Adapter:
    return lambda unseen: policy.adapt(first_rounds(unseen.support, unseen.segment, rounds))


def _with_all_rounds(policy: MetaPolicy) -> Adapter:
    return lambda unseen: policy.adapt(unseen.support)


def _value(way: _Way, unseen: UnseenSegment, exploration: float) -> tuple[float, float | None]:
    """Value of one way in one segment, by the estimate of the night and by truth."""
    policy = way.adapt(unseen)
    serving = SegmentPolicies(way.policy.name, {unseen.segment: policy}, policy, exploration)
    probabilities = served_probabilities(serving, unseen.holdout)
    estimator = DoublyRobust()
    terms = estimator.terms(judged_rounds(unseen.holdout, probabilities, unseen.q_hat))
    value = float(estimator.value(terms.sum(axis=0)))
    if unseen.true_rewards is None:
        return value, None
    return value, float((probabilities * unseen.true_rewards).sum(-1).mean())


def _means(values: Sequence[tuple[float, float | None]]) -> tuple[float, float | None]:
    true_values = [true_value for _, true_value in values if true_value is not None]
    mean = sum(value for value, _ in values) / len(values)
    return mean, sum(true_values) / len(true_values) if true_values else None
