"""Intervals of session estimates: resampled users, refitted tables, honest remarks."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.bootstrap import Resamples
from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.evaluation import evaluate_sessions
from offline_rl.ope.sessions.fitted_q_evaluation import cross_fitted
from offline_rl.ope.sessions.named_estimators import WITHOUT_MODEL, from_name
from tests.offline_rl.ope.sessions.session_laws import value
from tests.offline_rl.ope.sessions.session_worlds import Visits, paper_sessions

WORLD = Visits()
ESTIMATORS = [from_name(name, WORLD.gamma) for name in ("weighted_dr", "sequential_dr", *WITHOUT_MODEL)]
PDIS = from_name("per_decision_is", WORLD.gamma)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
def test_a_resample_is_the_log_with_users_drawn_again(estimator: SessionEstimator) -> None:
    sessions = WORLD.log(90, seed=0)
    of_users = replace(sessions, cluster=sessions.session // 3)
    found = evaluate_sessions({"new": of_users}, [estimator], n_resamples=5, seed=3)
    counts = np.hstack(list(Resamples(30, 5, seed=3).counts()))
    for b in range(5):
        drawn = np.repeat(np.arange(90), counts[of_users.cluster_of_session, b].astype(int))
        again = float(estimator.value(estimator.terms(of_users)[drawn].sum(axis=0)))
        assert found.resampled[0, 0, 0, b] == pytest.approx(again, rel=1e-12)
    assert found.values[0, 0, 0] == pytest.approx(value(estimator, of_users), rel=1e-12)


def test_policies_are_compared_on_the_same_resamples() -> None:
    new = WORLD.log(300, seed=1)
    logged = new.logging_policy()
    found = evaluate_sessions({"new": new, "log": logged}, [PDIS], n_resamples=200)
    difference = found.difference("new", "log", "per_decision_is")
    assert difference.value == pytest.approx(found.values[0, 0, 0] - found.values[1, 0, 0])
    assert difference.lower < difference.value < difference.upper
    itself = found.difference("new", "new", "per_decision_is")
    assert (itself.lower, itself.value, itself.upper) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match=r"^policy 'old' was not evaluated\. Evaluated were new, log\.$"):
        found.difference("old", "new", "per_decision_is")
    with pytest.raises(ValueError, match=r"^estimator 'dr' was not evaluated\."):
        found.difference("new", "log", "dr")


def test_policies_of_different_sessions_are_not_compared() -> None:
    sessions = WORLD.log(30, seed=1)
    with pytest.raises(ValueError, match=r"^row 0: reward of b differs from that of a\."):
        evaluate_sessions({"a": sessions, "b": replace(sessions, reward=sessions.reward + 1)}, [])
    with pytest.raises(ValueError, match=r"^b has \d+ steps and a has \d+: give both the same steps"):
        evaluate_sessions({"a": sessions, "b": sessions.select(np.arange(20))}, [])
    with pytest.raises(ValueError, match="there is no policy"):
        evaluate_sessions({}, [])
    with pytest.raises(ValueError, match="there are no rounds"):
        evaluate_sessions({"a": sessions.select(np.arange(0))}, [])


def test_diagnostics_are_those_of_whole_sessions() -> None:
    sessions = WORLD.log(500, seed=2)
    found = evaluate_sessions({"new": sessions}, ESTIMATORS, gamma=WORLD.gamma, n_resamples=100)
    diagnostics, weight = found.diagnostics_of("new"), sessions.cumulative_weight[:, -1]
    assert diagnostics.n_rounds == 500
    assert diagnostics.ess == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert diagnostics.mean_weight == pytest.approx(weight.mean())
    assert diagnostics.mean_weight_lower < diagnostics.mean_weight < diagnostics.mean_weight_upper


def test_an_interval_says_what_it_can_t_show() -> None:
    sessions = WORLD.log(400, seed=3)
    rows = evaluate_sessions({"new": sessions}, [PDIS, from_name("sequential_dm")], n_resamples=50)
    codes = {
        row.estimator: [found.code for found in row.interval_findings]
        for row in rows.policy_values()
        if row.segment is None
    }
    assert codes == {"per_decision_is": ["bca"], "sequential_dm": ["bca", "model_error_left_out"]}


def test_without_a_purchase_the_interval_is_not_empty() -> None:
    sessions = WORLD.log(200, seed=4)
    nothing = replace(sessions, reward=np.zeros(sessions.n_steps))
    row, _ = evaluate_sessions(
        {"new": nothing}, [from_name("per_decision_is")], n_resamples=50
    ).policy_values()
    assert row.value == row.lower == 0.0
    assert row.upper > 0.02
    widened = row.interval_findings[1]
    assert (widened.code, widened.number("n_clusters")) == ("widened_for_rare_rewards", 0)
    assert (widened.text("units"), widened.text("clusters")) == ("sessions", "users")


def test_a_value_that_nothing_identifies_has_no_row() -> None:
    unseen = paper_sessions(evaluation_prob=np.zeros(5))
    found = evaluate_sessions({"new": unseen}, [from_name(name) for name in WITHOUT_MODEL], n_resamples=10)
    assert {row.estimator for row in found.policy_values()} == {"per_decision_is"}


@pytest.mark.slow
def test_session_intervals_hold_the_truth() -> None:
    """Nominal 95 % over 400 logs of 600 sessions; bands are three binomial standard deviations wide."""
    replicates = 400
    held = dict.fromkeys((estimator.name for estimator in ESTIMATORS), 0)
    for seed in range(replicates):
        log = WORLD.log(600, seed=1000 + seed)
        sessions = cross_fitted(log, WORLD.policy(log), gamma=WORLD.gamma)
        found = evaluate_sessions({"new": sessions}, ESTIMATORS, n_resamples=300, seed=seed)
        for row in found.policy_values():
            if row.segment is None:
                held[row.estimator] += row.lower <= WORLD.truth <= row.upper
    band = 3 * np.sqrt(0.95 * 0.05 / replicates)
    for name, times in held.items():
        assert abs(times / replicates - 0.95) < band + 0.01, (name, held)
