"""All policies, slate estimators and segments of one log, evaluated on one set of resamples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.bootstrap import Resamples, percentile_interval, resampled_sums
from offline_rl.ope.evaluation import ALL, Difference
from offline_rl.ope.rare_rewards import FEW, n_informative_clusters, reward_range, widened
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.slates.estimator import SlateEstimator
from offline_rl.ope.slates.records import SlateRounds
from offline_rl.ope.sums import Cells, distinct_columns
from offline_rl.ope.trust.diagnostics import effective_size


@dataclass(frozen=True)
class SlateOverlap:
    """How far a log can speak about a policy by one estimator's weights.

    | field | formula |
    |---|---|
    | n_slates, n_clusters | |
    | ess | least of (Σ w_l)² / Σ w_l² over slots, in slates |
    | mean_weight | Σ w_l / n_l of the slot where it is farthest from 1, which it is under full support |
    | max_weight | largest ∣w∣ |
    | n_informative_clusters | clusters with a weight and a slot that did not earn the median reward |
    """

    n_slates: int
    n_clusters: int
    ess: float
    mean_weight: float
    max_weight: float
    n_informative_clusters: int


@dataclass(frozen=True)
class SlateValue:
    """What a slate of one policy earns by one estimator, in one segment (None: in the whole log)."""

    policy: str
    segment: int | None
    estimator: str
    value: float
    lower: float
    upper: float
    overlap: SlateOverlap
    interval_method: str


@dataclass(frozen=True, eq=False)
class SlateEvaluation:
    """Values of P policies by E estimators in S segments (the whole log first), with B resamples of each.

    values: [P, E, S]; resampled: [P, E, S, B]; overlaps: [P][S][E]. NaN where a value is not identified.
    """

    policies: tuple[str, ...]
    estimators: tuple[str, ...]
    segments: tuple[int | None, ...]
    values: Floats
    resampled: Floats
    overlaps: tuple[tuple[tuple[SlateOverlap, ...], ...], ...]
    reward_range: tuple[float, float]
    cluster_name: str

    def slate_values(self, confidence: float = 0.95) -> tuple[SlateValue, ...]:
        """One row per policy, segment and estimator; none where the value is not identified."""
        return tuple(
            self._row(p, e, s, confidence)
            for p in range(len(self.policies))
            for s in range(len(self.segments))
            for e in range(len(self.estimators))
            if np.isfinite(self.values[p, e, s])
        )

    def difference(
        self, policy: str, other: str, estimator: str, segment: int | None = ALL, confidence: float = 0.95
    ) -> Difference:
        """The paired difference of two policies on the same resamples; exactly 0 for a policy and itself.

        Raises ValueError for a name that was not evaluated.
        """
        e = _position(estimator, self.estimators, "estimator")
        s = _position(segment, self.segments, "segment")
        ours, theirs = (_position(name, self.policies, "policy") for name in (policy, other))
        value = float(self.values[ours, e, s] - self.values[theirs, e, s])
        resampled = self.resampled[ours, e, s] - self.resampled[theirs, e, s]
        interval = percentile_interval(value, resampled, confidence)
        return Difference(policy, other, value, interval.lower, interval.upper)

    def _row(self, p: int, e: int, s: int, confidence: float) -> SlateValue:
        overlap, value = self.overlaps[p][s][e], float(self.values[p, e, s])
        interval = percentile_interval(value, self.resampled[p, e, s], confidence)
        method = f"percentile bootstrap over {self.cluster_name}, {self.resampled.shape[-1]} resamples"
        if overlap.n_informative_clusters < FEW:
            # A cluster counts as one observation, however many slates it saw: few rewards can't show how far
            # they pile up on few clusters.
            effective = overlap.ess * overlap.n_clusters / overlap.n_slates
            interval = widened(
                interval,
                value,
                effective_rounds=effective,
                reward_range=self.reward_range,
                confidence=confidence,
            )
            method += (
                f"; widened to Clopper-Pearson at {effective:,.0f} effective slates, "
                f"as only {overlap.n_informative_clusters} {self.cluster_name} tell of the reward"
            )
        return SlateValue(
            policy=self.policies[p],
            segment=self.segments[s],
            estimator=self.estimators[e],
            value=value,
            lower=interval.lower,
            upper=interval.upper,
            overlap=overlap,
            interval_method=method,
        )


def evaluate_slates(
    policies: Mapping[str, SlateRounds],
    estimators: Sequence[SlateEstimator],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    cluster_name: str = "users",
) -> SlateEvaluation:
    """Evaluate every policy by every slate estimator, over the whole log and in each of its segments.

    policies: name → the same logged slates seen by that policy. Clusters (users; slates where users are
    unknown) are resampled whole, so all slots of a slate stay together.

    Raises ValueError where policies were given different slates, where the log is empty, or where an
    estimator lacks a column it needs.
    """
    log = _common_log(policies)
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
    return SlateEvaluation(
        policies=tuple(policies),
        estimators=tuple(estimator.name for estimator in estimators),
        segments=segments,
        values=values,
        resampled=resampled_values,
        overlaps=tuple(_overlaps(rounds, segments, estimators) for rounds in policies.values()),
        reward_range=reward_range(np.bincount(log.slate_position, log.reward).astype(np.float64)),
        cluster_name=cluster_name,
    )


def _overlaps(
    rounds: SlateRounds, segments: Sequence[int | None], estimators: Sequence[SlateEstimator]
) -> tuple[tuple[SlateOverlap, ...], ...]:
    parts = (rounds if segment is ALL else rounds.select(rounds.segment == segment) for segment in segments)
    return tuple(tuple(_overlap(estimator, part) for estimator in estimators) for part in parts)


def _overlap(estimator: SlateEstimator, rounds: SlateRounds) -> SlateOverlap:
    weight = estimator.weight(rounds)
    slots = [weight[rounds.slot == slot] for slot in np.unique(rounds.slot)]
    ones = np.ones(rounds.n)
    weighted = EvaluationRounds(
        reward=rounds.reward,
        propensity=ones,
        evaluation_prob=(weight != 0).astype(float),
        cluster=rounds.cluster,
        segment=rounds.segment,
    )
    return SlateOverlap(
        n_slates=int(rounds.opens_slate.sum()),
        n_clusters=len(np.unique(rounds.cluster)),
        ess=min(effective_size(slot) for slot in slots),
        mean_weight=max((float(slot.mean()) for slot in slots), key=lambda mean: abs(mean - 1)),
        max_weight=float(np.abs(weight).max()),
        n_informative_clusters=n_informative_clusters(weighted),
    )


def _position(name: str | int | None, names: Sequence[str | int | None], kind: str) -> int:
    if name not in names:
        known = ", ".join("all" if known is None else str(known) for known in names)
        raise ValueError(f"{kind} {name!r} was not evaluated. Evaluated were {known}.")
    return names.index(name)


def _common_log(policies: Mapping[str, SlateRounds]) -> SlateRounds:
    """The slates all policies share, after checking that they do: pairing is meaningless otherwise."""
    if not policies:
        raise ValueError("there is no policy to evaluate: name at least one.")
    (first, log), *others = policies.items()
    for name, rounds in others:
        for column in ("slate", "slot", "n_slots", "reward", "cluster", "segment"):
            if not np.array_equal(getattr(rounds, column), getattr(log, column)):
                raise ValueError(
                    f"{column} of {name} differs from that of {first}. "
                    "Policies are compared on the same slates, in the same order."
                )
    return log
