"""All policies and estimators of one log of sessions, evaluated as rounds are."""

from collections.abc import Mapping, Sequence

from offline_rl.ope.common_log import common_log
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate_units
from offline_rl.ope.intervals.choice import IntervalName
from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sessions.session_rounds import whole_sessions


def evaluate_sessions(
    policies: Mapping[str, Sessions],
    estimators: Sequence[SessionEstimator],
    *,
    gamma: float = 1.0,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    cluster_name: str = "users",
    interval: IntervalName = "bca",
) -> Evaluation:
    """Evaluate every policy by every estimator on resamples of whole users; values are per session.

    policies: name → the same logged sessions seen by that policy. gamma: discount of the returns that the
    diagnostics use; estimators carry their own. The other options are those of `evaluate`.

    Diagnostics are of whole sessions as rounds (`whole_sessions`), so that `ess` counts sessions and
    `mean_weight` estimates the share of the policy's sessions that the log could show. That is the strictest
    view: all weights of a session multiplied.

    Raises ValueError where there is no policy or no session, where two policies were given different
    sessions, or where an estimator lacks a column that it needs.
    """
    columns = ("session", "step", "action", "reward", "propensity", "cluster")
    common_log(policies, columns, "steps")
    return evaluate_units(
        {name: whole_sessions(sessions, gamma) for name, sessions in policies.items()},
        estimators,
        lambda policy, cells: [cells.sums(estimator.terms(policies[policy])) for estimator in estimators],
        unit="sessions",
        n_resamples=n_resamples,
        seed=seed,
        confidence=confidence,
        cluster_name=cluster_name,
        interval=interval,
    )
