"""From a file of rounds to an answer about the policy in it: read, evaluate, judge."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from features.errors import InputDataError, UsageError
from flows.commands.ope.asked_estimators import asked_estimators, needed_columns
from flows.commands.ope.evaluation_rounds import read_evaluation_rounds
from flows.commands.ope.propensity_evidence import propensity_evidence
from flows.commands.ope.repeated_rows import as_answered
from flows.commands.ope.round_files import open_rounds
from flows.commands.ope.weight_bands import weight_bands
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import ALL, Evaluation, PolicyValue, evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.robust_values import robust_values
from offline_rl.ope.trust.diagnostics import Diagnostics
from offline_rl.ope.trust.trust import GateSettings, assess, tail_doubts_of
from reports.summaries.policy_answer import Difference, EstimatedValue, PolicyAnswer, RobustAnswer

POLICY, LOGGED = "policy", "logging policy"

MEAN_REWARD = from_name("ips")


@dataclass(frozen=True)
class PolicyQuestion:
    """What is asked of a file of rounds.

    estimators: names, of which the first leads; none asks for those that the file's columns allow.
    cluster: column whose rounds belong together (a user's); None takes every round by itself.

    Raises UsageError for numbers that make no sense.
    """

    rounds: Path
    estimators: tuple[str, ...] = ()
    confidence: float = 0.95
    resamples: int = 1000
    cluster: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise UsageError(
                f"--confidence is {self.confidence:g}: give a share between 0 and 1, such as 0.95."
            )
        if self.resamples < 1:
            raise UsageError(f"--resamples is {self.resamples}: give at least 1, better 1000.")
        if self.seed < 0:
            raise UsageError(f"--seed is {self.seed}: give a whole number from 0 on.")


def answer(question: PolicyQuestion) -> PolicyAnswer:
    """Values of the policy by every estimator asked, and whether the log can know them at all.

    Raises UsageError for a name or column that does not exist, InputDataError for rounds that can't be used.
    """
    file = open_rounds(question.rounds)
    asked = asked_estimators(question.estimators, file)
    wanted = {column for estimator in asked.values() for column in needed_columns(estimator)}
    read = read_evaluation_rounds(file, sorted(wanted), question.cluster, seed=question.seed)
    rounds, propensities = read.rounds, propensity_evidence(file, read)
    # Two spellings of one estimator, such as ips:2 and ips:2.0, are evaluated once.
    distinct = {estimator.name: estimator for estimator in asked.values()}
    # By weights of 1 it is the mean reward, which is what the log itself earned.
    distinct.setdefault(MEAN_REWARD.name, MEAN_REWARD)
    clusters = "clusters" if question.cluster else "rounds"
    try:
        evaluation = evaluate(
            {POLICY: rounds, LOGGED: _as_logged(rounds)},
            list(distinct.values()),
            n_resamples=question.resamples,
            seed=question.seed,
            confidence=question.confidence,
            cluster_name=clusters,
        )
    # An estimator may ask more of its columns than that they are there, such as how many loggers there were.
    except ValueError as error:
        raise InputDataError(f"{file.path}: {error}") from error
    leading = next(iter(asked.values())).name
    gate = GateSettings(estimator=leading)
    diagnostics = evaluation.diagnostics_of(POLICY)
    mean_weight = evaluation.mean_weight_interval(POLICY, ALL, gate.mean_weight_confidence)
    trust = assess(diagnostics, mean_weight, gate, clusters)
    repeats = as_answered(read.repetition, rounds.n)
    doubts = propensities.doubts + ((repeats.doubt,) if repeats.doubt else ())
    limits = {name: limit for name, limit in asdict(gate).items() if isinstance(limit, int | float)}
    return PolicyAnswer(
        source=question.rounds.name,
        n_rounds=rounds.n,
        cluster=question.cluster or "",
        confidence=question.confidence,
        n_resamples=question.resamples,
        seed=question.seed,
        propensities=propensities,
        logged=_logged(evaluation, question.confidence),
        estimates=_estimates(asked, evaluation, question.confidence, propensities.note),
        resolution=evaluation.resolution,
        repeats=repeats,
        diagnostics=diagnostics.numbers(leading),
        limits=limits,
        gate_mean_weight=(mean_weight.lower, mean_weight.upper),
        trusted=trust.trusted and not doubts,
        # All diagnostics rest on the propensities and on the rows: doubts about these come first.
        reasons=doubts + trust.reasons,
        weight_bands=weight_bands(rounds.weight),
        robust=_robust(rounds, diagnostics, gate, question.confidence),
    )


def _robust(
    rounds: EvaluationRounds, diagnostics: Diagnostics, gate: GateSettings, confidence: float
) -> tuple[RobustAnswer, ...]:
    """What can be said beside an estimate whose rewards have a heavy tail."""
    tail = diagnostics.contributions(gate.estimator)
    if tail is None or not (tail.has_no_third_moment or tail_doubts_of(tail, gate)):
        return ()
    return tuple(RobustAnswer(**asdict(value)) for value in robust_values(rounds, confidence))


def _as_logged(rounds: EvaluationRounds) -> EvaluationRounds:
    """The same rounds, as the policy that logged them sees them."""
    return EvaluationRounds.of_logging_policy(
        reward=rounds.reward,
        propensity=rounds.propensity,
        cluster=rounds.cluster,
        segment=rounds.segment,
        q_logged=rounds.q_logged,
        q_logged_mrdr=rounds.q_logged_mrdr,
        logger=rounds.logger,
    )


def _logged(evaluation: Evaluation, confidence: float) -> EstimatedValue:
    (row,) = (
        row
        for row in evaluation.policy_values(confidence)
        if (row.policy, row.estimator, row.segment) == (LOGGED, MEAN_REWARD.name, ALL)
    )
    return EstimatedValue(LOGGED, row.value, _known(row.lower), _known(row.upper), row.interval_method)


def _estimates(
    asked: Mapping[str, Estimator], evaluation: Evaluation, confidence: float, note: str
) -> tuple[EstimatedValue, ...]:
    rows = {
        row.estimator: row
        for row in evaluation.policy_values(confidence)
        if row.policy == POLICY and row.segment is ALL
    }
    return tuple(
        _estimate(name, rows.get(estimator.name), _difference(evaluation, estimator, confidence), note)
        for name, estimator in asked.items()
    )


def _difference(evaluation: Evaluation, estimator: Estimator, confidence: float) -> Difference:
    found = evaluation.difference(
        POLICY, LOGGED, estimator.name, ALL, confidence, other_estimator=MEAN_REWARD.name
    )
    return Difference(_known(found.value), _known(found.lower), _known(found.upper))


def _estimate(name: str, row: PolicyValue | None, difference: Difference, note: str) -> EstimatedValue:
    ending = f"; {note}" if note else ""
    if row is None:
        nothing = f"none: these rounds identify no value{ending}"
        return EstimatedValue(name, None, None, None, nothing, difference)
    method = f"{row.interval_method}{ending}"
    return EstimatedValue(name, row.value, _known(row.lower), _known(row.upper), method, difference)


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
