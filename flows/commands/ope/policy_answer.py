"""The answer about the policy in a file of logged decisions: read, evaluate, check for trust."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from features.contracts.findings import Finding
from flows.commands.ope.asked_interval import AskedInterval
from flows.commands.ope.evaluated_log import LOGGED, POLICY, EvaluatedLog, as_bad_data
from flows.commands.ope.policy_question import PolicyQuestion, Shape
from flows.commands.ope.repeated_rows import as_answered
from flows.commands.ope.round_files import RoundFile, open_rounds
from flows.commands.ope.round_log import evaluated_rounds
from flows.commands.ope.session_log import evaluated_sessions
from flows.commands.ope.slate_log import evaluated_slates
from flows.commands.ope.spend_log import evaluated_spend
from flows.commands.ope.weight_bands import weight_bands
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.policy_value import WHOLE_LOG, PolicyValue
from offline_rl.ope.robust_values import robust_values
from offline_rl.ope.trust.diagnostics import Diagnostics
from offline_rl.ope.trust.trust import GateSettings, assess, tail_doubts_of
from reports.summaries.policy_answer import Difference, EstimatedValue, PolicyAnswer, RobustAnswer

SHAPES: Mapping[Shape, Callable[[RoundFile, PolicyQuestion], EvaluatedLog]] = {
    "rounds": evaluated_rounds,
    "slates": evaluated_slates,
    "sessions": evaluated_sessions,
    "spend": evaluated_spend,
}
"""Shape of a file's rows → the function that reads and evaluates it."""

KnownEnds = tuple[Interval, tuple[Finding, ...]]
"""An interval of a known range, and how it was made."""


def answer(question: PolicyQuestion) -> PolicyAnswer:
    """Return the values of the policy by every asked estimator, and whether the log supports them.

    Raises UsageError for a name or column that does not exist, InputDataError for rows that can't be used.
    """
    interval = question.asked_interval()
    file = open_rounds(question.rounds)
    log = SHAPES[question.shape](file, question)
    with as_bad_data(file.path):
        known = _of_known_range(interval, log, question.confidence)
    evaluation, propensities = log.evaluation, log.propensities
    leading = next(iter(log.asked.values())).name
    gate = GateSettings(estimator=leading)
    diagnostics = evaluation.diagnostics_of(POLICY)
    mean_weight = evaluation.mean_weight_interval(POLICY, WHOLE_LOG, gate.mean_weight_confidence)
    trust = assess(diagnostics, mean_weight, gate, evaluation.cluster_name, evaluation.unit, policy=POLICY)
    repeats = as_answered(log.repetition, log.n_rows)
    doubts = propensities.doubts + ((repeats.doubt,) if repeats.doubt else ())
    limits = {name: limit for name, limit in asdict(gate).items() if isinstance(limit, int | float)}
    return PolicyAnswer(
        source=question.rounds.name,
        n_rounds=log.units[POLICY].n,
        cluster=question.cluster or "",
        confidence=question.confidence,
        n_resamples=question.resamples,
        seed=question.seed,
        propensities=propensities,
        logged=_logged(log, question.confidence, known.get(LOGGED)),
        estimates=_estimates(log, question.confidence, known.get(POLICY)),
        resolution=evaluation.resolution,
        repeats=repeats,
        diagnostics=diagnostics.numbers(leading),
        limits=limits,
        gate_mean_weight=(mean_weight.lower, mean_weight.upper),
        trusted=trust.trusted and not doubts,
        # All diagnostics depend on the propensities and on the rows: doubts about these come first.
        reasons=doubts + trust.reasons,
        weight_bands=weight_bands(log.units[POLICY].weight),
        robust=_robust(log, diagnostics, gate, question.confidence),
        shape=question.shape,
        unit=log.unit,
    )


def _robust(
    log: EvaluatedLog, diagnostics: Diagnostics, gate: GateSettings, confidence: float
) -> tuple[RobustAnswer, ...]:
    """Return a robust value besides estimates with heavy-tailed rewards, for rounds that have one weight."""
    tail = diagnostics.contributions(gate.estimator)
    if log.unit != "round" or tail is None or not (tail.has_no_third_moment or tail_doubts_of(tail, gate)):
        return ()
    return tuple(RobustAnswer(**asdict(value)) for value in robust_values(log.units[POLICY], confidence))


def _of_known_range(interval: AskedInterval, log: EvaluatedLog, confidence: float) -> dict[str, KnownEnds]:
    """Return policy → interval of its value and how it was made, where one of a known range is asked for."""
    if interval.bounds is None:
        return {}
    of_differences = Finding("interval_of_differences", POLICY, because=log.evaluation.made_by(POLICY))
    return {
        POLICY: (interval.ends(log.units[POLICY], confidence), (interval.made_by(POLICY), of_differences)),
        LOGGED: (interval.ends(log.units[LOGGED], confidence, is_logged=True), (interval.made_by(LOGGED),)),
    }


def _logged(log: EvaluatedLog, confidence: float, known: KnownEnds | None) -> EstimatedValue:
    (row,) = (
        row
        for row in log.evaluation.policy_values(confidence)
        if (row.policy, row.estimator, row.segment) == (LOGGED, log.mean_reward, WHOLE_LOG)
    )
    return _estimate(LOGGED, row, known)


def _estimates(log: EvaluatedLog, confidence: float, known: KnownEnds | None) -> tuple[EstimatedValue, ...]:
    rows = {
        row.estimator: row
        for row in log.evaluation.policy_values(confidence)
        if row.policy == POLICY and row.segment is WHOLE_LOG
    }
    note = [log.propensities.note] if log.propensities.note else []
    return tuple(
        replace(
            _estimate(name, rows.get(found.name), known, *log.remarks.get(name, ()), *note),
            difference=_difference(log.evaluation, found.name, log.mean_reward, confidence),
        )
        for name, found in log.asked.items()
    )


def _difference(evaluation: Evaluation, estimator: str, mean_reward: str, confidence: float) -> Difference:
    found = evaluation.difference(
        POLICY, LOGGED, estimator, WHOLE_LOG, confidence, other_estimator=mean_reward
    )
    return Difference(_known(found.value), _known(found.lower), _known(found.upper))


def _estimate(
    name: str, row: PolicyValue | None, known: KnownEnds | None, *remarks: Finding
) -> EstimatedValue:
    if row is None:
        return EstimatedValue(name, None, None, None, (Finding("no_value", POLICY), *remarks))
    lower, upper, made_by = row.lower, row.upper, row.interval_findings
    if known is not None:
        (lower, upper), made_by = (known[0].lower, known[0].upper), known[1]
    return EstimatedValue(name, row.value, _known(lower), _known(upper), (*made_by, *remarks))


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
