"""Evaluated policies: values, differences and intervals, read from one set of sums and resamples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.contracts.findings import Finding, finding
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.contrast import Contrast, Valued
from offline_rl.ope.estimators.mean_weight import MeanWeight
from offline_rl.ope.intervals.choice import IntervalName, Replicated, check_interval_name, made_by
from offline_rl.ope.intervals.coverage_labels import (
    MEAN_WEIGHT_CONFIDENCE,
    heavy_label,
    honest_label,
    lacks_what_matters,
)
from offline_rl.ope.intervals.linearization import resampled_standard_errors
from offline_rl.ope.intervals.of_mean_weight import mean_weight_interval
from offline_rl.ope.intervals.one_more import reaching_one_more
from offline_rl.ope.policy_value import WHOLE_LOG, Difference, PolicyValue
from offline_rl.ope.rare_rewards import FEW, widened
from offline_rl.ope.records import FLOAT32_SLACK, Floats, Ints
from offline_rl.ope.summed_log import SummedLog
from offline_rl.ope.trust.contribution_tail import ContributionTail
from offline_rl.ope.trust.diagnostics import Diagnostics

NOTABLE_SHARE = 0.1
"""Share of all contributions above which the largest is named beside the interval."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Values of P policies by E estimators in S segments (the whole log first), with B resamples of each.

    values: [P, E, S]; resampled: [P, E, S, B]; diagnostics: [P][S]. NaN where a value is not identified.
    log: the sums that all of it was made of; places: [P][E], where their terms lie in it. interval: the kind
    that is given where no other is requested. unit: what a value is per, in the plural.
    """

    policies: tuple[str, ...]
    estimators: tuple[Valued, ...]
    segments: tuple[int | None, ...]
    values: Floats
    resampled: Floats
    diagnostics: tuple[tuple[Diagnostics, ...], ...]
    reward_range: tuple[float, float]
    cluster_name: str
    log: SummedLog
    places: tuple[tuple[Ints, ...], ...]
    interval: IntervalName = "bca"
    unit: str = "rounds"

    @property
    def resolution(self) -> float:
        """Least difference of values that is not a rounding of float32 probabilities."""
        low, high = self.reward_range
        return FLOAT32_SLACK * (high - low)

    def diagnostics_of(self, policy: str, segment: int | None = WHOLE_LOG) -> Diagnostics:
        """Return the diagnostics of a policy in a segment."""
        return self.diagnostics[self._policy(policy)][self._segment(segment)]

    def value(self, policy: str, estimator: str, segment: int | None = WHOLE_LOG) -> float:
        """Return the value of a policy in a segment, NaN where it is not identified."""
        place = self._policy(policy), self._estimator(estimator), self._segment(segment)
        return float(self.values[place])

    def sums_of(self, policy: str, estimator: str, segment: int | None = WHOLE_LOG) -> Floats:
        """Return the sums [k] that a value is made of."""
        p, e = self._policy(policy), self._estimator(estimator)
        sums: Floats = self.log.sums[self._segment(segment)][self.places[p][e]]
        return sums

    def difference(
        self,
        policy: str,
        other: str,
        estimator: str,
        segment: int | None = WHOLE_LOG,
        confidence: float = 0.95,
        *,
        interval: IntervalName | None = None,
        other_estimator: str | None = None,
    ) -> Difference:
        """Return the paired difference of two policies, exactly 0 for a policy and itself.

        other_estimator: that of the other policy's value, where it is not the same: the logging policy's own
        value is its mean reward (`ips`) whatever estimates the policy's. Where one of the two has
        heavy-tailed rewards the ends are `reaching_one_more`. NaN where one of the two is not identified.
        Raises ValueError for a name that was not evaluated.
        """
        e, s = self._estimator(estimator), self._segment(segment)
        f = e if other_estimator is None else self._estimator(other_estimator)
        ours, theirs = self._policy(policy), self._policy(other)
        replicated = self._difference(ours, theirs, e, s, f)
        ends = replicated.interval(self._asked(interval), confidence)
        if self._has_no_third_moment(ours, e, s) or self._has_no_third_moment(theirs, f, s):
            ends = reaching_one_more(ends, replicated.value, replicated.left_out)
        return Difference(policy, other, replicated.value, ends.lower, ends.upper)

    def made_by(self, policy: str, interval: IntervalName | None = None) -> tuple[Finding, ...]:
        """Return how the intervals of a policy's values and differences are made, first by which method."""
        n_clusters, n_resamples = self.log.cells.n_clusters, self.resampled.shape[-1]
        return made_by(self._asked(interval), policy, self.cluster_name, n_clusters, n_resamples)

    def mean_weight_interval(self, policy: str, segment: int | None, confidence: float) -> Interval:
        """Return the percentile interval of the mean weight of a policy in a segment."""
        return self._mean_weight(self._policy(policy), self._segment(segment), confidence)

    def policy_values(
        self, confidence: float = 0.95, *, interval: IntervalName | None = None
    ) -> tuple[PolicyValue, ...]:
        """Return one row per policy, segment and estimator; none where the value is not identified.

        interval: the kind of interval, instead of the one that `evaluate` was given.
        """
        name = self._asked(interval)
        return tuple(
            self._row(p, e, s, confidence, name)
            for p in range(len(self.policies))
            for s in range(len(self.segments))
            for e, estimator in enumerate(self.estimators)
            if estimator.name != MeanWeight.name and np.isfinite(self.values[p, e, s])
        )

    def _row(self, p: int, e: int, s: int, confidence: float, name: IntervalName) -> PolicyValue:
        estimator, diagnostics = self.estimators[e], self.diagnostics[p][s]
        value, effective_rounds = float(self.values[p, e, s]), self._effective_rounds(p, s)
        replicated = self._value(p, e, s)
        interval = replicated.interval(name, confidence)
        policy, n_clusters = self.policies[p], self.log.cells.n_clusters
        found = [*self.made_by(policy, name)]
        if interval.n_undefined:
            found.append(finding("undefined_resamples", policy, n_undefined=interval.n_undefined))
        if estimator.rests_on_model:
            found.append(Finding("model_error_left_out", policy))
        elif diagnostics.n_informative_clusters < FEW and n_clusters > 1:
            interval = widened(
                interval,
                value,
                effective_rounds=effective_rounds,
                reward_range=self.reward_range,
                confidence=confidence,
            )
            found.append(
                finding(
                    "widened_for_rare_rewards",
                    policy,
                    effective=effective_rounds,
                    units=self.unit,
                    n_clusters=diagnostics.n_informative_clusters,
                    clusters=self.cluster_name,
                )
            )
        tail = diagnostics.contributions(estimator.name)
        if not estimator.rests_on_model and tail is not None and n_clusters > 1:
            if tail.has_no_third_moment:
                interval = reaching_one_more(interval, value, replicated.left_out)
            found += _found_of(tail, policy, self.cluster_name)
        lacking = lacks_what_matters(
            self._mean_weight(p, s, MEAN_WEIGHT_CONFIDENCE), diagnostics.supported_share
        )
        label = honest_label(name, policy, effective_rounds, lacking=lacking)
        label = label or heavy_label(name, policy, tail)
        if label and not estimator.rests_on_model and np.isfinite(interval.lower):
            found.append(label)
        return PolicyValue(
            policy=policy,
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
            interval_findings=tuple(found),
        )

    def _mean_weight(self, p: int, s: int, confidence: float) -> Interval:
        e = self._estimator(MeanWeight.name)
        return mean_weight_interval(
            self.log,
            self.places[p][e],
            s,
            confidence,
            value=float(self.values[p, e, s]),
            resampled=self.resampled[p, e, s],
        )

    def _value(self, p: int, e: int, s: int) -> Replicated:
        """Return one value with its resamples."""
        return Replicated(
            log=self.log,
            contrast=Contrast.of(self.estimators[e], self.places[p][e]),
            row=s,
            value=float(self.values[p, e, s]),
            resampled=self.resampled[p, e, s],
            resampled_errors=lambda: np.asarray(self._resampled_errors[p, e, s]),
        )

    def _difference(self, p: int, q: int, e: int, s: int, f: int | None = None) -> Replicated:
        """Return one paired difference with its resamples; f: the other policy's estimator, if not e."""
        f = e if f is None else f
        contrast = Contrast.of(self.estimators[e], self.places[p][e]).less(
            self.estimators[f], self.places[q][f]
        )
        return Replicated(
            log=self.log,
            contrast=contrast,
            row=s,
            value=float(self.values[p, e, s] - self.values[q, f, s]),
            resampled=self.resampled[p, e, s] - self.resampled[q, f, s],
            resampled_errors=lambda: resampled_standard_errors(self.log, [contrast], [s])[0, 0],
        )

    @cached_property
    def _resampled_errors(self) -> Floats:
        """Standard errors of all values in all resamples, [P, E, S, B]; the counts are drawn once more."""
        contrasts = [
            Contrast.of(estimator, place)
            for places in self.places
            for estimator, place in zip(self.estimators, places, strict=True)
        ]
        errors = resampled_standard_errors(self.log, contrasts, range(len(self.segments)))
        return errors.reshape(self.resampled.shape)

    def _has_no_third_moment(self, p: int, e: int, s: int) -> bool:
        tail = self.diagnostics[p][s].contributions(self.estimators[e].name)
        return tail is not None and not self.estimators[e].rests_on_model and tail.has_no_third_moment

    def _asked(self, interval: IntervalName | None) -> IntervalName:
        name = self.interval if interval is None else interval
        check_interval_name(name)
        return name

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


def _found_of(tail: ContributionTail, policy: str, clusters: str) -> list[Finding]:
    """Return what rewards of uneven size do to a value and its interval."""
    found, names = [], {"of": tail.of, "clusters": clusters}
    if tail.has_no_third_moment:
        found.append(finding("widened_for_heavy_tail", policy, index=tail.reward_index, **names))
    if tail.reward_share > NOTABLE_SHARE:
        share, largest = tail.largest_share, tail.largest
        found.append(finding("notable_contribution", policy, share=share, largest=largest, **names))
    return found


def _position(name: str | int | None, names: Sequence[str | int | None], kind: str) -> int:
    if name not in names:
        known = ", ".join("all" if known is None else str(known) for known in names)
        raise ValueError(f"{kind} {name!r} was not evaluated. Evaluated were {known}.")
    return names.index(name)
