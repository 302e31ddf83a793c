"""All policies and estimators of one log of sessions, evaluated on one set of resamples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from offline_rl.ope.bootstrap import COUNTS_IN_MEMORY, Resamples, percentile_interval
from offline_rl.ope.estimators.mean_weight import MeanWeight
from offline_rl.ope.evaluation import Difference
from offline_rl.ope.grouped_clusters import grouped
from offline_rl.ope.rare_rewards import FEW, reward_range, widened
from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.sessions.estimator import SessionEstimator, TabularEstimator
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sessions.session_rounds import whole_sessions
from offline_rl.ope.sessions.tabular_fqe import TabularFQE
from offline_rl.ope.trust.diagnostics import Diagnostics, diagnose
from offline_rl.ope.trust.trust import GateSettings, Trust, assess


@dataclass(frozen=True)
class SessionPolicyValue:
    """What one policy is worth by one estimator: discounted reward per session, with its interval."""

    policy: str
    estimator: str
    value: float
    lower: float
    upper: float
    interval_method: str


@dataclass(frozen=True, eq=False)
class SessionEvaluation:
    """Values of P policies by E estimators, with B resamples of each.

    values: [P, E]; resampled: [P, E, B]; NaN where a value is not identified. cautions: [P][E], what an
    interval can't show. diagnostics: [P], of whole sessions as rounds, so that `ess` counts sessions and
    `mean_weight` estimates the share of the policy's sessions that the log could show; mean_weights: [P, B],
    resampled. They are the strictest view: all weights of a session multiplied.
    """

    policies: tuple[str, ...]
    estimators: tuple[str, ...]
    values: Floats
    resampled: Floats
    cautions: tuple[tuple[str, ...], ...]
    rests_on_model: tuple[bool, ...]
    diagnostics: tuple[Diagnostics, ...]
    mean_weights: Floats
    return_range: tuple[float, float]
    cluster_name: str

    def policy_values(self, confidence: float = 0.95) -> tuple[SessionPolicyValue, ...]:
        """One row per policy and estimator; none where the value is not identified."""
        return tuple(
            self._row(p, e, confidence)
            for p in range(len(self.policies))
            for e in range(len(self.estimators))
            if np.isfinite(self.values[p, e])
        )

    def difference(self, policy: str, other: str, estimator: str, confidence: float = 0.95) -> Difference:
        """The paired difference of two policies on the same resamples, exactly 0 for a policy and itself.

        Raises ValueError for a name that was not evaluated.
        """
        e = _position(estimator, self.estimators, "estimator")
        ours = _position(policy, self.policies, "policy")
        theirs = _position(other, self.policies, "policy")
        value = float(self.values[ours, e] - self.values[theirs, e])
        resampled = self.resampled[ours, e] - self.resampled[theirs, e]
        interval = percentile_interval(value, resampled, confidence)
        return Difference(policy, other, value, interval.lower, interval.upper)

    def trust(self, policy: str, settings: GateSettings | None = None) -> Trust:
        """Whether values of a policy may be believed, by the diagnostics of whole sessions, and why not.

        The mean weight of whole sessions is 1 if the log could show all that the policy does; a session that
        it could not show lowers it. "Rounds" in the reasons are sessions.

        Raises ValueError for a policy that was not evaluated.
        """
        settings = settings or GateSettings()
        p = _position(policy, self.policies, "policy")
        mean_weight = percentile_interval(
            self.diagnostics[p].mean_weight, self.mean_weights[p], settings.mean_weight_confidence
        )
        return assess(self.diagnostics[p], mean_weight, settings, self.cluster_name)

    def _row(self, p: int, e: int, confidence: float) -> SessionPolicyValue:
        value, diagnostics = float(self.values[p, e]), self.diagnostics[p]
        interval = percentile_interval(value, self.resampled[p, e], confidence)
        remarks = [f"percentile bootstrap over {self.cluster_name}, {self.resampled.shape[-1]} resamples"]
        if interval.n_undefined:
            remarks.append(f"{interval.n_undefined} of them identify no value and are left out")
        if self.cautions[p][e]:
            remarks.append(self.cautions[p][e])
        if not self.rests_on_model[e] and diagnostics.n_informative_clusters < FEW:
            effective = diagnostics.ess / diagnostics.design_effect
            interval = widened(
                interval,
                value,
                effective_rounds=effective,
                reward_range=self.return_range,
                confidence=confidence,
            )
            remarks.append(
                f"widened to Clopper-Pearson at {effective:,.0f} effective sessions, "
                f"as only {diagnostics.n_informative_clusters} {self.cluster_name} tell of the reward"
            )
        return SessionPolicyValue(
            policy=self.policies[p],
            estimator=self.estimators[e],
            value=value,
            lower=interval.lower,
            upper=interval.upper,
            interval_method="; ".join(remarks),
        )


def evaluate_sessions(
    policies: Mapping[str, Sessions],
    estimators: Sequence[SessionEstimator],
    *,
    gamma: float = 1.0,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    cluster_name: str = "users",
) -> SessionEvaluation:
    """Evaluate every policy by every estimator on resamples of whole users.

    policies: name → the same logged sessions seen by that policy. gamma: discount of the returns that the
    diagnostics look at; estimators carry their own. cluster_name: what `cluster` holds, in the plural.
    confidence: level of the mean weights' intervals in the diagnostics. Tables of counts are resampled
    without their zeros, and models that are made of them are refitted in every resample. Very many users are
    drawn in random groups (`grouped_clusters`).

    Raises ValueError where there is no policy or no session, where two policies were given different
    sessions, or where an estimator lacks a column that it needs.
    """
    log = _common_log(policies)
    clusters, position = np.unique(grouped(log.cluster_of_session, seed), return_inverse=True)
    sums = [
        [_cluster_sums(estimator, sessions, position, len(clusters)) for estimator in estimators]
        for sessions in policies.values()
    ]
    rounds = [whole_sessions(sessions, gamma) for sessions in policies.values()]
    weights = [_by_cluster(MeanWeight().terms(seen), position, len(clusters)) for seen in rounds]
    chunks, chunks_of_weights = [], []
    for counts in Resamples(len(clusters), n_resamples, seed).counts():
        chunks.append([[_values(e, s, counts) for e, s in zip(estimators, of, strict=True)] for of in sums])
        chunks_of_weights.append([MeanWeight().value((table.T @ counts).T) for table in weights])
    mean_weights = np.concatenate(chunks_of_weights, axis=-1)
    intervals = [
        percentile_interval(float(seen.weight.mean()), resampled, confidence)
        for seen, resampled in zip(rounds, mean_weights, strict=True)
    ]
    totals = [[np.asarray(table.sum(axis=0)) for table in of] for of in sums]
    return SessionEvaluation(
        policies=tuple(policies),
        estimators=tuple(estimator.name for estimator in estimators),
        values=np.array([[e.value(s) for e, s in zip(estimators, of, strict=True)] for of in totals]),
        resampled=np.concatenate(chunks, axis=-1),
        cautions=tuple(tuple(map(_caution, estimators, of)) for of in totals),
        rests_on_model=tuple(estimator.rests_on_model for estimator in estimators),
        diagnostics=tuple(map(diagnose, rounds, intervals)),
        mean_weights=mean_weights,
        return_range=reward_range(rounds[0].reward),
        cluster_name=cluster_name,
    )


def _cluster_sums(
    estimator: SessionEstimator, sessions: Sessions, position: Ints, n_clusters: int
) -> Floats | csr_array:
    """Terms of the estimator added up by cluster, shape [C, k]; sparse where the terms are tables."""
    if isinstance(estimator, TabularEstimator):
        ones = np.ones(sessions.n_sessions)
        belongs = csr_array((ones, (position, np.arange(len(ones)))), shape=(n_clusters, len(ones)))
        return csr_array(belongs @ estimator.sparse_terms(sessions))
    return _by_cluster(estimator.terms(sessions), position, n_clusters)


def _by_cluster(terms: Floats, position: Ints, n_clusters: int) -> Floats:
    return np.column_stack([np.bincount(position, column, n_clusters) for column in terms.T])


def _values(estimator: SessionEstimator, sums: Floats | csr_array, counts: Floats) -> Floats:
    """Values [b] of the resamples of counts [C, b], a few at a time where tables are large."""
    at_once = max(1, COUNTS_IN_MEMORY // sums.shape[1])
    chunks = [counts[:, start : start + at_once] for start in range(0, counts.shape[1], at_once)]
    return np.concatenate([estimator.value(np.asarray(sums.T @ chunk).T) for chunk in chunks])


def _caution(estimator: SessionEstimator, sums: Floats) -> str:
    if not isinstance(estimator, TabularFQE):
        return estimator.caution
    unseen = 1.0 - float(estimator.seen_share(sums))
    return (
        f"{estimator.caution}; {unseen:.1%} of the policy's sessions leave what the log has seen, "
        "and count as 0 from there"
    )


def _common_log(policies: Mapping[str, Sessions]) -> Sessions:
    """The sessions that all policies share, after checking that they do: pairing is meaningless otherwise."""
    if not policies:
        raise ValueError("there is no policy to evaluate: name at least one.")
    (first, log), *others = policies.items()
    if log.n_sessions == 0:
        raise ValueError("there are no sessions to evaluate: give a log with at least one.")
    for name, sessions in others:
        if sessions.n_steps != log.n_steps or sessions.horizon != log.horizon:
            raise ValueError(f"{name} and {first} differ in steps or horizon: give both the same sessions.")
        for column in ("session", "step", "action", "reward", "propensity", "cluster"):
            differs = getattr(sessions, column) != getattr(log, column)
            if differs.any():
                row = int(np.argmax(differs))
                raise ValueError(
                    f"row {row}: {column} of {name} differs from that of {first}. "
                    "Policies are compared on the same sessions, in the same order."
                )
    return log


def _position(name: str, names: tuple[str, ...], kind: str) -> int:
    if name not in names:
        raise ValueError(f"{kind} {name!r} was not evaluated. Evaluated were {', '.join(names)}.")
    return names.index(name)
