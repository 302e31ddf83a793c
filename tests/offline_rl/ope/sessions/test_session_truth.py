"""Estimates against the exact value of a Markov world, over hundreds of simulated logs."""

import numpy as np
import pytest

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.fitted_q_evaluation import cross_fitted
from offline_rl.ope.sessions.named_estimators import from_name
from offline_rl.ope.sessions.records import Sessions
from tests.offline_rl.ope.sessions.session_laws import value
from tests.offline_rl.ope.sessions.session_worlds import HORIZON, Visits

WORLD = Visits()
UNBIASED = [from_name(name, WORLD.gamma) for name in ("per_decision_is", "sequential_dr")]
CONSISTENT = [from_name(name, WORLD.gamma) for name in ("weighted_per_decision_is", "weighted_dr")]
PDIS, DR, DM = (
    from_name(name, WORLD.gamma) for name in ("per_decision_is", "sequential_dr", "sequential_dm")
)
REPLICATES, SESSIONS = 400, 150


@pytest.fixture(scope="module")
def small_logs() -> Sessions:
    """REPLICATES logs of SESSIONS sessions, one behind the other."""
    return WORLD.log(REPLICATES * SESSIONS, seed=0)


def replicate_values(estimator: SessionEstimator, logs: Sessions, n_sessions: int) -> Floats:
    """The estimate of each log of n_sessions sessions."""
    terms = estimator.terms(logs)
    return estimator.value(terms.reshape(-1, n_sessions, terms.shape[1]).sum(axis=1))


def standard_errors_off(values: Floats, truth: float) -> float:
    return abs(values.mean() - truth) / (values.std(ddof=1) / np.sqrt(len(values)))


def test_dynamic_programming_agrees_with_the_policy_let_loose() -> None:
    played = WORLD.log(100_000, seed=1, logging=WORLD.evaluated)
    returns = played.reward_by_step @ WORLD.gamma ** np.arange(HORIZON)
    assert standard_errors_off(returns, WORLD.truth) < 4
    assert abs(returns.mean() - WORLD.truth) < 0.02


@pytest.mark.parametrize("estimator", UNBIASED, ids=lambda e: e.name)
def test_unbiased_with_exact_weights_and_a_wrong_model(
    estimator: SessionEstimator, small_logs: Sessions
) -> None:
    values = replicate_values(estimator, small_logs, SESSIONS)
    assert len(values) == REPLICATES
    assert standard_errors_off(values, WORLD.truth) < 4
    # The test can fail: the wrong model alone is far off.
    assert standard_errors_off(replicate_values(DM, small_logs, SESSIONS), WORLD.truth) > 40


def test_a_discount_that_starts_late_would_be_seen(small_logs: Sessions) -> None:
    # A discount that starts at γ^1.
    late = WORLD.gamma * replicate_values(PDIS, small_logs, SESSIONS)
    assert standard_errors_off(late, WORLD.truth) > 8


@pytest.mark.parametrize("estimator", CONSISTENT, ids=lambda e: e.name)
def test_close_to_the_truth_in_long_logs(estimator: SessionEstimator) -> None:
    # Their bias is of order 1/m; 30 logs of 2,000 sessions keep it below the noise of the mean.
    values = replicate_values(estimator, WORLD.log(30 * 2000, seed=3), 2000)
    assert standard_errors_off(values, WORLD.truth) < 4
    assert abs(values.mean() - WORLD.truth) < 0.02


@pytest.mark.slow
def test_doubly_robust_stays_unbiased_with_a_cross_fitted_model() -> None:
    logs = [WORLD.log(SESSIONS, seed=100 + i) for i in range(250)]
    values = np.array([value(DR, cross_fitted(log, WORLD.policy(log), gamma=WORLD.gamma)) for log in logs])
    assert standard_errors_off(values, WORLD.truth) < 4
    assert values.var() < 0.8 * np.var([value(PDIS, log) for log in logs])


def test_weights_that_share_more_vary_less(small_logs: Sessions) -> None:
    spread = {
        estimator.name: replicate_values(estimator, small_logs, SESSIONS).std()
        for estimator in (*UNBIASED, *CONSISTENT)
    }
    assert spread["weighted_per_decision_is"] < spread["per_decision_is"]


def test_an_exact_model_leaves_doubly_robust_the_noise_of_the_world_alone(small_logs: Sessions) -> None:
    exact = WORLD.log(REPLICATES * SESSIONS, seed=0, q=WORLD.exact_q)
    informed = replicate_values(DR, exact, SESSIONS)
    assert standard_errors_off(informed, WORLD.truth) < 4
    assert informed.var() < 0.6 * replicate_values(DR, small_logs, SESSIONS).var()


@pytest.mark.parametrize("estimator", [DR, from_name("weighted_dr", 0.9)], ids=lambda e: e.name)
def test_in_a_world_without_chance_an_exact_model_leaves_no_error(estimator: SessionEstimator) -> None:
    """Two items to show on up to four steps; showing 1 pays the step's number plus 1, showing 0 ends it."""
    horizon, plays_one, gamma = 4, 0.7, 0.9
    v = np.zeros(horizon + 1)
    q_one = np.zeros(horizon)
    for t in reversed(range(horizon)):
        q_one[t] = (t + 1) + gamma * v[t + 1]
        v[t] = plays_one * q_one[t]
    lengths = np.array([1, 2, 3, 4, 4, 1])
    ends_by_zero = np.array([True, True, True, True, False, True])
    session = np.repeat(np.arange(6), lengths)
    step = np.concatenate([np.arange(length) for length in lengths])
    action = np.ones(len(step), dtype=int)
    action[lengths.cumsum() - 1] = np.where(ends_by_zero, 0, 1)
    sessions = Sessions(
        horizon=horizon,
        session=session,
        step=step,
        action=action,
        reward=np.where(action == 1, step + 1.0, 0.0),
        propensity=np.full(len(step), 0.5),
        evaluation_prob=np.where(action == 1, plays_one, 1 - plays_one),
        cluster=session,
        q_logged=np.where(action == 1, q_one[step], 0.0),
        v=v[step],
    )
    assert value(estimator, sessions) == pytest.approx(v[0], rel=1e-14)
    # With the value 0 of the end put before the last step's instead of behind it, there is an error.
    weight = sessions.cumulative_weight * gamma ** np.arange(horizon)
    _, modeled = sessions.modeled("peer")
    misplaced = (
        sessions.grid(sessions.reward - sessions.q_logged, 0.0)
        + gamma * np.insert(modeled, -1, 0.0, axis=1)[:, 1:]
    )
    assert abs((modeled[:, 0] + (weight * misplaced).sum(axis=1)).mean() - v[0]) > 0.1
    # Six sessions say little by themselves.
    assert abs(value(from_name("per_decision_is", gamma), sessions) - v[0]) > 0.1
