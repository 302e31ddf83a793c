"""Evaluation of a file of sessions with one step per row."""

from typing import Any

import numpy as np

from features.errors import UsageError
from flows.commands.ope.asked_estimators import by_name, distinct
from flows.commands.ope.evaluated_log import LOGGED, POLICY, EvaluatedLog, as_bad_data
from flows.commands.ope.policy_question import PolicyQuestion
from flows.commands.ope.propensity_evidence import audited
from flows.commands.ope.round_files import RoundFile, lacking
from flows.commands.ope.table_columns import Kind, Table, check_columns, read_table
from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.evaluation import evaluate_sessions
from offline_rl.ope.sessions.fitted_q_evaluation import cross_fitted
from offline_rl.ope.sessions.named_estimators import WITH_MODEL, WITHOUT_MODEL, from_name
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sessions.session_rounds import whole_sessions
from offline_rl.ope.trust.propensity_identities import PropensityLog

REQUIRED: dict[str, Kind] = {
    "session": "name",
    "step": "index",
    "action": "index",
    "reward": "number",
    "propensity": "number",
}
MODEL: dict[str, Kind] = {"q_logged": "number", "v": "number"}

MEAN_REWARD = "per_decision_is"
"""Estimator of the log's own value: with ratios of 1 it is the mean discounted reward."""


def evaluated_sessions(file: RoundFile, question: PolicyQuestion) -> EvaluatedLog:
    """Evaluate the policy by every asked estimator on the sessions of a file.

    Raises UsageError for a name or column that does not exist, InputDataError for steps that can't be used.
    """
    check_columns(file, tuple(REQUIRED))
    gamma = 1.0 if question.gamma is None else question.gamma
    asked = _asked(file, question, gamma)
    with_model = any(estimator.name in WITH_MODEL for estimator in asked.values())
    table = read_table(file, _kinds(file, question, with_model=with_model), question.cluster)
    with as_bad_data(file.path):
        sessions = _sessions(table)
        if with_model and question.fit.q:
            sessions = cross_fitted(
                sessions,
                table.columns["evaluation_probs"],
                model=question.fit.model,
                gamma=gamma,
                seed=question.seed,
            )
        policies = {POLICY: sessions, LOGGED: sessions.logging_policy()}
        estimators = distinct([*asked.values(), from_name(MEAN_REWARD, gamma)])
        evaluation = evaluate_sessions(policies, estimators, gamma=gamma, **question.drawing("sessions"))
    probs = table.columns.get("evaluation_probs")
    steps = PropensityLog(
        action=sessions.action,
        propensity=sessions.propensity,
        cluster=sessions.cluster,
        n_actions=int(sessions.action.max()) + 1 if probs is None else probs.shape[1],
        probabilities=None,
    )
    fitted = question.fit.found(tuple(MODEL) if question.fit.q else ())
    return EvaluatedLog(
        unit="session",
        evaluation=evaluation,
        asked=asked,
        mean_reward=MEAN_REWARD,
        units={name: whole_sessions(seen, gamma) for name, seen in policies.items()},
        n_rows=table.n_rows,
        propensities=audited(steps),
        repetition=table.repetition(sessions.cluster),
        remarks={name: fitted if found.name in WITH_MODEL else () for name, found in asked.items()},
    )


def _asked(file: RoundFile, question: PolicyQuestion, gamma: float) -> dict[str, SessionEstimator]:
    has_model = question.fit.q or set(MODEL) <= set(file.columns)
    names = question.estimators or (*(WITH_MODEL if has_model else ()), *WITHOUT_MODEL)
    asked = by_name(names, lambda name: from_name(name, gamma))
    for name, estimator in asked.items():
        if estimator.name in WITH_MODEL and not has_model:
            remedy = " --fit-q fits them from columns context and evaluation_probs."
            raise lacking(name, "q_logged and v", file, remedy)
    return asked


def _kinds(file: RoundFile, question: PolicyQuestion, *, with_model: bool) -> dict[str, Kind]:
    """Return the columns to read; the policy is in evaluation_prob, or in lists of all actions."""
    kinds = dict(REQUIRED)
    is_fitted = with_model and question.fit.q
    if "evaluation_prob" in file.columns and not is_fitted:
        kinds["evaluation_prob"] = "number"
    elif "evaluation_probs" in file.columns:
        kinds["evaluation_probs"] = "probabilities"
    else:
        both = "evaluation_probs" if is_fitted else "evaluation_prob (nor evaluation_probs)"
        raise UsageError(f"{file.path} has no column {both}. Its columns are {', '.join(file.columns)}.")
    if is_fitted:
        kinds["context"] = "list"
    elif with_model:
        kinds |= MODEL
    return kinds


def _sessions(table: Table) -> Sessions:
    columns: dict[str, Any] = {name: table.columns[name] for name in REQUIRED}
    probs, action = table.columns.get("evaluation_probs"), columns["action"]
    if probs is None:
        columns["evaluation_prob"] = table.columns["evaluation_prob"]
    else:
        outside = action >= probs.shape[1]
        if outside.any():
            row = int(np.argmax(outside))
            raise ValueError(
                f"row {row}: action is {action[row]}, but evaluation_probs has actions 0 to "
                f"{probs.shape[1] - 1}."
            )
        columns["evaluation_prob"] = probs[np.arange(len(action)), action]
    columns |= {name: table.columns[name] for name in MODEL if name in table.columns}
    cluster = columns["session"] if table.cluster is None else table.cluster
    return Sessions(
        horizon=int(columns["step"].max()) + 1,
        cluster=cluster,
        features=table.columns.get("context"),
        **columns,
    )
