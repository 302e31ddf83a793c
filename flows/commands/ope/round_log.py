"""Evaluation of a file of rounds."""

from features.contracts.findings import Finding
from flows.commands.ope.asked_estimators import asked_estimators, distinct, needed_columns
from flows.commands.ope.evaluated_log import LOGGED, POLICY, EvaluatedLog, as_bad_data
from flows.commands.ope.evaluation_rounds import read_evaluation_rounds
from flows.commands.ope.fitted_columns import Fit
from flows.commands.ope.policy_question import PolicyQuestion
from flows.commands.ope.propensity_evidence import propensity_evidence
from flows.commands.ope.round_files import RoundFile
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.tuning.tuned import TunedEstimator

MEAN_REWARD = from_name("ips")
"""Estimator of the log's own value: with weights of 1 it is the mean reward."""


def evaluated_rounds(file: RoundFile, question: PolicyQuestion) -> EvaluatedLog:
    """Evaluate the policy by every asked estimator on the rounds of a file.

    Raises UsageError for a name or column that does not exist, InputDataError for rounds that can't be used.
    """
    asked = asked_estimators(question.estimators, file, question.fit.columns)
    wanted = {column for estimator in asked.values() for column in needed_columns(estimator)}
    read = read_evaluation_rounds(
        file, sorted(wanted), question.cluster, seed=question.seed, fit=question.fit
    )
    units = {POLICY: read.rounds, LOGGED: as_logged(read.rounds)}
    # An estimator may need more than the presence of its columns, such as several loggers.
    with as_bad_data(file.path):
        evaluation = evaluate(units, distinct([*asked.values(), MEAN_REWARD]), **question.drawing("rounds"))
    return EvaluatedLog(
        unit="round",
        evaluation=evaluation,
        asked=asked,
        mean_reward=MEAN_REWARD.name,
        units=units,
        n_rows=read.n,
        propensities=propensity_evidence(file, read),
        repetition=read.repetition,
        remarks={
            name: (*tuning(evaluation, found), *_fitted(found, question.fit)) for name, found in asked.items()
        },
    )


def as_logged(rounds: EvaluationRounds) -> EvaluationRounds:
    """Return the same rounds with the logging policy as the evaluation policy."""
    return EvaluationRounds.of_logging_policy(
        reward=rounds.reward,
        propensity=rounds.propensity,
        cluster=rounds.cluster,
        segment=rounds.segment,
        q_logged=rounds.q_logged,
        q_logged_mrdr=rounds.q_logged_mrdr,
        logger=rounds.logger,
    )


def tuning(evaluation: Evaluation, estimator: Estimator) -> tuple[Finding, ...]:
    """Return what is to be known of an estimator that was tuned on the same rounds."""
    if not isinstance(estimator, TunedEstimator):
        return ()
    chosen = estimator.chosen(evaluation.sums_of(POLICY, estimator.name)).name
    return (Finding("tuned_on_same_rounds", POLICY, {"chosen": chosen}),)


def _fitted(estimator: Estimator, fit: Fit) -> tuple[Finding, ...]:
    return fit.found([column for column in needed_columns(estimator) if column in fit.columns])
