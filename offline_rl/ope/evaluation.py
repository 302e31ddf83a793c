"""All policies, estimators and segments of one log, evaluated on one set of resamples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.bootstrap import Interval, Resamples, percentile_interval, resampled_sums
from offline_rl.ope.diagnostics import Diagnostics, diagnose
from offline_rl.ope.estimator import Estimator
from offline_rl.ope.mean_weight import MeanWeight
from offline_rl.ope.rare_rewards import FEW, reward_range, widened
from offline_rl.ope.records import FLOAT32_SLACK, EvaluationRounds, Floats
from offline_rl.ope.sums import Cells, distinct_columns

ALL = None
"""Segment of a result over the whole log."""


@dataclass(frozen=True)
class PolicyValue:
    """What one policy is worth by one estimator, in one segment (None: in the whole log).

    value, lower and upper are in the reward's unit per round; `Diagnostics` explains the other columns.
    """

    policy: str
    segment: int | None
    estimator: str
    value: float
    lower: float
    upper: float
    n_rounds: int
    n_users: int
    ess: float
    mean_weight: float
    max_weight: float
    supported_share: float
    interval_method: str


@dataclass(frozen=True)
class Difference:
    """Value of a policy less the value of another on the same rounds and the same resamples."""

    policy: str
    other: str
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Values of P policies by E estimators in S segments (the whole log first), with B resamples of each.

    values: [P, E, S]; resampled: [P, E, S, B]; diagnostics: [P][S]. NaN where a value is not identified.
    """

    policies: tuple[str, ...]
    estimators: tuple[Estimator, ...]
    segments: tuple[int | None, ...]
    values: Floats
    resampled: Floats
    diagnostics: tuple[tuple[Diagnostics, ...], ...]
    reward_range: tuple[float, float]
    cluster_name: str

    @property
    def resolution(self) -> float:
        """Least difference of values that is not a rounding of float32 probabilities."""
        low, high = self.reward_range
        return FLOAT32_SLACK * (high - low)

    def diagnostics_of(self, policy: str, segment: int | None = ALL) -> Diagnostics:
        """Diagnostics of a policy in a segment."""
        return self.diagnostics[self._policy(policy)][self._segment(segment)]

    def difference(
        self, policy: str, other: str, estimator: str, segment: int | None = ALL, confidence: float = 0.95
    ) -> Difference:
        """The paired difference of two policies, exactly 0 for a policy and itself.

        NaN where one of the two is not identified. Raises ValueError for a name that was not evaluated.
        """
        e, s = self._estimator(estimator), self._segment(segment)
        ours, theirs = self._policy(policy), self._policy(other)
        value = float(self.values[ours, e, s] - self.values[theirs, e, s])
        resampled = self.resampled[ours, e, s] - self.resampled[theirs, e, s]
        interval = percentile_interval(value, resampled, confidence)
        return Difference(policy, other, value, interval.lower, interval.upper)

    def mean_weight_interval(self, policy: str, segment: int | None, confidence: float) -> Interval:
        """Interval of the mean weight of a policy in a segment."""
        place = self._policy(policy), self._estimator(MeanWeight.name), self._segment(segment)
        return percentile_interval(float(self.values[place]), self.resampled[place], confidence)

    def policy_values(self, confidence: float = 0.95) -> tuple[PolicyValue, ...]:
        """One row per policy, segment and estimator; none where the value is not identified."""
        return tuple(
            self._row(p, e, s, confidence)
            for p in range(len(self.policies))
            for s in range(len(self.segments))
            for e, estimator in enumerate(self.estimators)
            if estimator.name != MeanWeight.name and np.isfinite(self.values[p, e, s])
        )

    def _row(self, p: int, e: int, s: int, confidence: float) -> PolicyValue:
        estimator, diagnostics = self.estimators[e], self.diagnostics[p][s]
        value = float(self.values[p, e, s])
        interval = percentile_interval(value, self.resampled[p, e, s], confidence)
        method = f"percentile bootstrap over {self.cluster_name}, {self.resampled.shape[-1]} resamples"
        if interval.n_undefined:
            method += f"; {interval.n_undefined} of them identify no value and are left out"
        if estimator.rests_on_model:
            method += "; the reward model's own error is not in it"
        elif diagnostics.n_informative_clusters < FEW:
            interval = widened(
                interval,
                value,
                effective_rounds=self._effective_rounds(p, s),
                reward_range=self.reward_range,
                confidence=confidence,
            )
            method += (
                f"; widened to Clopper-Pearson at {self._effective_rounds(p, s):,.0f} effective rounds, "
                f"as only {diagnostics.n_informative_clusters} {self.cluster_name} tell of the reward"
            )
        return PolicyValue(
            policy=self.policies[p],
            segment=self.segments[s],
            estimator=estimator.name,
            value=value,
            lower=interval.lower,
            upper=interval.upper,
            n_rounds=diagnostics.n_rounds,
            n_users=diagnostics.n_clusters,
            ess=diagnostics.ess,
            mean_weight=diagnostics.mean_weight,
            max_weight=diagnostics.max_weight,
            supported_share=diagnostics.supported_share,
            interval_method=method,
        )

    def _effective_rounds(self, p: int, s: int) -> float:
        # A segment with few rewards can't show how far rewards pile up on few users; the whole log can.
        whole, segment = self.diagnostics[p][0], self.diagnostics[p][s]
        return segment.ess / max(whole.design_effect, segment.design_effect)

    def _policy(self, name: str) -> int:
        return _position(name, self.policies, "policy")

    def _estimator(self, name: str) -> int:
        return _position(name, tuple(estimator.name for estimator in self.estimators), "estimator")

    def _segment(self, segment: int | None) -> int:
        return _position(segment, self.segments, "segment")


def evaluate(
    policies: Mapping[str, EvaluationRounds],
    estimators: Sequence[Estimator],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    cluster_name: str = "users",
) -> Evaluation:
    """Evaluate every policy by every estimator, over the whole log and in each of its segments.

    policies: name → the same logged rounds seen by that policy. cluster_name: what `cluster` holds, in the
    plural, for the wording of interval methods. confidence: level of the mean weight's interval in the
    diagnostics. A segment without rounds doesn't appear.

    Raises ValueError where two policies were given different rounds, where the log is empty, or where an
    estimator lacks a column it needs.
    """
    log = _common_log(policies)
    estimators = (*estimators, MeanWeight())
    cells = Cells.of(log.segment, log.cluster)
    blocks = [cells.sums(e.terms(rounds)) for rounds in policies.values() for e in estimators]
    cell_sums, places = distinct_columns(blocks)
    sums = cells.by_segment(cell_sums)
    resampled = resampled_sums(cells, cell_sums, Resamples(cells.n_clusters, n_resamples, seed))

    shape = (len(policies), len(estimators), len(sums))
    values, resampled_values = np.empty(shape), np.empty((*shape, n_resamples))
    for i, place in enumerate(places):
        p, e = divmod(i, len(estimators))
        values[p, e] = estimators[e].value(sums[:, place])
        resampled_values[p, e] = estimators[e].value(resampled[:, :, place]).T

    segments = (ALL, *cells.segments.tolist())
    diagnostics = tuple(
        tuple(
            diagnose(
                rounds if segment is ALL else rounds.select(log.segment == segment),
                percentile_interval(float(values[p, -1, s]), resampled_values[p, -1, s], confidence),
            )
            for s, segment in enumerate(segments)
        )
        for p, rounds in enumerate(policies.values())
    )
    return Evaluation(
        policies=tuple(policies),
        estimators=estimators,
        segments=segments,
        values=values,
        resampled=resampled_values,
        diagnostics=diagnostics,
        reward_range=reward_range(log.reward),
        cluster_name=cluster_name,
    )


def _common_log(policies: Mapping[str, EvaluationRounds]) -> EvaluationRounds:
    """The rounds all policies share, after checking that they do: pairing is meaningless otherwise."""
    if not policies:
        raise ValueError("there is no policy to evaluate: name at least one.")
    (first, log), *others = policies.items()
    for name, rounds in others:
        if rounds.n != log.n:
            raise ValueError(
                f"{name} has {rounds.n} rounds and {first} has {log.n}: give both the same rounds."
            )
        for column in ("reward", "propensity", "cluster", "segment"):
            differs = getattr(rounds, column) != getattr(log, column)
            if differs.any():
                row = int(np.argmax(differs))
                raise ValueError(
                    f"row {row}: {column} of {name} differs from that of {first}. "
                    "Policies are compared on the same rounds, in the same order."
                )
    return log


def _position(name: str | int | None, names: Sequence[str | int | None], kind: str) -> int:
    if name not in names:
        known = ", ".join("all" if known is None else str(known) for known in names)
        raise ValueError(f"{kind} {name!r} was not evaluated. Evaluated were {known}.")
    return names.index(name)
