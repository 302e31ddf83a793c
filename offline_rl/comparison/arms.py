"""Arms: where a shop ran several policies at once, each one's log must predict what the others earned.

The only test of an off-policy estimate that a real shop can make without a new experiment: the value of one
arm, estimated from another arm's log, stands beside what the arm itself was seen to earn.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.contracts.findings import Finding, finding
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.policy_value import PolicyValue
from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.ope.slot_distribution import seen_on_days, slot_distribution
from offline_rl.ope.trust.context_dependence import depends_on_context
from offline_rl.ope.trust.verdict import GateSettings, evidence_doubts

ESTIMATOR = "snips"

ARM = "arm"
"""Name of the evaluated arm in findings."""


@dataclass(frozen=True, eq=False)
class ArmLog:
    """n rounds that one arm served; two arms that are compared count actions, slots and days alike.

    action, slot: int64[n] from 0. reward, propensity: float64[n]. day: int64[n], any numbers that rise.
    cluster: int64[n], a user, or a round where no user is known.
    """

    action: Ints
    slot: Ints
    reward: Floats
    propensity: Floats
    day: Ints
    cluster: Ints

    @cached_property
    def segment(self) -> Ints:
        """One segment for all."""
        return np.zeros(len(self.action), np.int64)


@dataclass(frozen=True)
class ArmTerms:
    """How arms are evaluated; gate: what the gate requires of evidence."""

    confidence: float
    resamples: int
    seed: int
    gate: GateSettings


@dataclass(frozen=True)
class ArmCheck:
    """One arm evaluated on another's log: the estimate, the arm's own logged reward, and doubts."""

    estimated: PolicyValue
    observed: PolicyValue
    doubts: tuple[Finding, ...]


def check_arm(ours: ArmLog, theirs: ArmLog, terms: ArmTerms) -> ArmCheck:
    """Estimate what our arm earns from their log, beside what our log shows that it earned.

    An arm is what its log shows of it: a distribution of items in each slot (`slot_distribution`), shared on
    each day among what was on sale. Where its propensities show that it looks at more (`depends_on_context`),
    no other log shows what it would have shown to whom.
    """
    evaluation_prob, unsupported_mass = _as_shown_by(ours, theirs)
    estimated, doubts = _value(
        EvaluationRounds(
            reward=theirs.reward,
            propensity=theirs.propensity,
            evaluation_prob=evaluation_prob,
            cluster=theirs.cluster,
            segment=theirs.segment,
            unsupported_mass=unsupported_mass,
        ),
        terms,
    )
    sudden = depends_on_context(ours.action, ours.slot, ours.propensity)
    if sudden is not None:
        context = finding("looks_at_context", ARM, sudden=sudden)
        doubts = (Finding("cannot_be_judged", ARM, because=(context,)), *doubts)
    observed, _ = _value(
        EvaluationRounds.of_logging_policy(
            reward=ours.reward, propensity=ours.propensity, cluster=ours.cluster, segment=ours.segment
        ),
        terms,
    )
    return ArmCheck(estimated, observed, doubts)


def _as_shown_by(ours: ArmLog, theirs: ArmLog) -> tuple[Floats, Floats]:
    """Return our probability, in their rounds, of what they showed and of what they never did, [n] each."""
    n_slots = int(max(ours.slot.max(), theirs.slot.max())) + 1
    n_actions = int(max(ours.action.max(), theirs.action.max())) + 1
    shown = slot_distribution(ours.action, ours.slot, ours.propensity, n_slots=n_slots, n_actions=n_actions)
    days, day = np.unique(np.r_[ours.day, theirs.day], return_inverse=True)
    on_sale = seen_on_days(np.r_[ours.action, theirs.action], day, n_days=len(days), n_actions=n_actions)
    # What was on sale differs from day to day: an arm shares the rest of its choices among what is.
    could, day = shown[:, np.newaxis, :] * on_sale, day[len(ours.day) :]
    total = could.sum(axis=2, keepdims=True)
    could = np.divide(could, total, out=np.zeros_like(could), where=total > 0)
    logged = np.zeros(n_actions, bool)
    logged[theirs.action] = True
    of_never_shown = 1.0 - could[:, :, logged].sum(axis=2)[theirs.slot, day]
    return could[theirs.slot, day, theirs.action], of_never_shown


def _value(rounds: EvaluationRounds, terms: ArmTerms) -> tuple[PolicyValue, tuple[Finding, ...]]:
    evaluation = evaluate(
        {ARM: rounds},
        [from_name(ESTIMATOR)],
        n_resamples=terms.resamples,
        seed=terms.seed,
        confidence=terms.confidence,
        cluster_name="users" if len(np.unique(rounds.cluster)) < rounds.n else "rounds",
    )
    mean_weight = evaluation.mean_weight_interval(ARM, None, terms.gate.mean_weight_confidence)
    doubts = evidence_doubts(
        ARM, evaluation.diagnostics_of(ARM), mean_weight, terms.gate, evaluation.cluster_name
    )
    value = next(row for row in evaluation.policy_values(terms.confidence) if row.segment is None)
    return value, doubts
