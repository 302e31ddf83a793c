"""Evaluation of a file of rounds whose action is an amount, such as a spend, smoothed by a kernel."""

import numpy as np

from features.contracts.findings import Finding, finding
from features.errors import UsageError
from flows.commands.ope.asked_estimators import distinct, named, needed_columns
from flows.commands.ope.evaluated_log import LOGGED, POLICY, EvaluatedLog, as_bad_data
from flows.commands.ope.policy_question import PolicyQuestion
from flows.commands.ope.propensity_evidence import NOT_AUDITED
from flows.commands.ope.round_files import RoundFile, lacking
from flows.commands.ope.round_log import MEAN_REWARD, tuning
from flows.commands.ope.table_columns import Kind, Table, check_columns, read_table
from offline_rl.ope.continuous.bandwidth import bandwidth_grid, choose_bandwidth
from offline_rl.ope.continuous.kernels import KERNELS
from offline_rl.ope.continuous.records import SpendRounds
from offline_rl.ope.continuous.smoothing import smoothed
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.evaluation import evaluate

NUMBER: Kind = "number"
REQUIRED = dict.fromkeys(("spend", "reward", "density", "evaluation_spend"), NUMBER)
MODEL = ("q_logged", "q_policy")
WITH_MODEL, WITHOUT_MODEL = ("dr", "sndr", "snips", "ips"), ("snips", "ips")


def evaluated_spend(file: RoundFile, question: PolicyQuestion) -> EvaluatedLog:
    """Evaluate the policy by every asked estimator on the rounds of a file, by a kernel around its amounts.

    Raises UsageError for a name or column that does not exist, InputDataError for rounds that can't be used.
    """
    if question.spend_range is None:
        raise UsageError(
            "--shape spend needs --spend-range: smallest and largest amount that the logging policy could "
            "draw, such as --spend-range 0 100."
        )
    check_columns(file, tuple(REQUIRED))
    asked = _asked(file, question)
    has_model = set(MODEL) <= set(file.columns)
    kinds = REQUIRED | (dict.fromkeys(MODEL, NUMBER) if has_model else {})
    table = read_table(file, kinds, question.cluster)
    kernel = KERNELS[question.kernel]
    with as_bad_data(file.path):
        rounds = _rounds(table, question)
        bandwidth, smoothing = _smoothing(rounds, question, next(iter(asked.values())))
        units = {POLICY: smoothed(rounds, kernel, bandwidth), LOGGED: rounds.logging_policy()}
        evaluation = evaluate(units, distinct([*asked.values(), MEAN_REWARD]), **question.drawing("rounds"))
    return EvaluatedLog(
        unit="round",
        evaluation=evaluation,
        asked=asked,
        mean_reward=MEAN_REWARD.name,
        units=units,
        n_rows=table.n_rows,
        propensities=NOT_AUDITED,
        repetition=table.repetition(table.cluster),
        remarks={name: (*tuning(evaluation, found), smoothing) for name, found in asked.items()},
    )


def _smoothing(rounds: SpendRounds, question: PolicyQuestion, leading: Estimator) -> tuple[float, Finding]:
    """Return the bandwidth, as asked or else chosen from the data, and what is to be known of it."""
    kernel, asked = KERNELS[question.kernel], question.bandwidth
    if asked is not None:
        return asked, finding("smoothed", POLICY, kernel=kernel.name, bandwidth=asked)
    chosen = choose_bandwidth(rounds, kernel, bandwidth_grid(rounds), leading, seed=question.seed)
    bandwidth = chosen.interval_bandwidth
    found = finding(
        "smoothed_by_choice", POLICY, kernel=kernel.name, bandwidth=bandwidth, chosen=chosen.bandwidth
    )
    return bandwidth, found


def _asked(file: RoundFile, question: PolicyQuestion) -> dict[str, Estimator]:
    has_model = set(MODEL) <= set(file.columns)
    asked = named(question.estimators or (WITH_MODEL if has_model else WITHOUT_MODEL))
    for name, estimator in asked.items():
        needed = needed_columns(estimator)
        if not set(needed) <= {"q_hat"}:
            raise UsageError(f"{name} needs actions that are numbered, not amounts: take snips or dr.")
        if needed and not has_model:
            raise lacking(name, "q_logged and q_policy", file)
    return asked


def _rounds(table: Table, question: PolicyQuestion) -> SpendRounds:
    assert question.spend_range is not None
    columns, (lower, upper) = table.columns, question.spend_range
    return SpendRounds(
        **{name: columns[name] for name in (*REQUIRED, *MODEL) if name in columns},
        cluster=np.arange(table.n_rows) if table.cluster is None else table.cluster,
        segment=np.zeros(table.n_rows, dtype=np.int64),
        lower=lower,
        upper=upper,
    )
