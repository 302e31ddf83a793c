"""Fitted q evaluation by regression, and that no model sees what it corrects."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.tree import DecisionTreeRegressor

from offline_rl.ope.models.reward_regression import Model
from offline_rl.ope.sessions.fitted_q_evaluation import cross_fitted
from offline_rl.ope.sessions.named_estimators import from_name
from offline_rl.ope.sessions.records import Sessions
from tests.offline_rl.ope.sessions.session_laws import value
from tests.offline_rl.ope.sessions.session_worlds import Visits, paper_sessions

WORLD = Visits()


def fitted(sessions: Sessions, model: Model = "linear", n_folds: int = 3) -> Sessions:
    return cross_fitted(sessions, WORLD.policy(sessions), model=model, gamma=WORLD.gamma, n_folds=n_folds)


@pytest.mark.parametrize("model", ["linear", DecisionTreeRegressor()])
def test_the_worlds_q_is_found_where_the_model_can_say_it(model: Model) -> None:
    """States are one-hot: a slope for each action and state, or a leaf for each, is a table."""
    sessions = fitted(WORLD.log(60_000, seed=1), model, n_folds=2)
    state = sessions.features.argmax(axis=1)
    exact = WORLD.exact_q[sessions.step, state, sessions.action]
    assert np.abs(sessions.q_logged - exact).max() < 0.12
    assert np.abs(WORLD.wrong_q[sessions.step, state, sessions.action] - exact).max() > 1


@pytest.mark.parametrize("model", ["linear", "trees"])
def test_q_never_saw_the_sessions_of_the_user_it_corrects(model: Model) -> None:
    sessions = WORLD.log(300, seed=2)
    of_users = replace(sessions, cluster=sessions.session // 3)
    before = fitted(of_users, model)
    mine = of_users.cluster == 7
    after = fitted(replace(of_users, reward=np.where(mine, 50.0, of_users.reward)), model)
    assert after.q_logged[mine] == pytest.approx(before.q_logged[mine], rel=1e-12)
    assert after.v[mine] == pytest.approx(before.v[mine], rel=1e-12)
    # The others did see them.
    assert np.abs(after.q_logged[~mine] - before.q_logged[~mine]).max() > 0.5


def test_a_model_sees_what_a_table_can_t() -> None:
    """The reward grows with a number, and one step is all there is: q̂ is a line per action."""
    rng = np.random.default_rng(0)
    n = 4000
    taste, action = rng.uniform(0, 1, n), rng.integers(0, 2, n)
    sessions = Sessions(
        horizon=1,
        session=np.arange(n),
        step=np.zeros(n, dtype=int),
        action=action,
        reward=2 * taste + 3 * action,
        propensity=np.full(n, 0.5),
        evaluation_prob=np.where(action == 1, 0.75, 0.25),
        cluster=np.arange(n),
        features=taste[:, None],
    )
    seen = cross_fitted(sessions, np.tile([0.25, 0.75], (n, 1)))
    # The ridge penalty of 1 is small beside 4,000 rounds, but not nothing.
    assert seen.q_logged == pytest.approx(sessions.reward, abs=0.01)
    assert seen.v == pytest.approx(2 * taste + 2.25, abs=0.01)
    for name in ("sequential_dm", "sequential_dr"):
        assert value(from_name(name), seen) == pytest.approx(2 * taste.mean() + 2.25, abs=0.01)


def test_fitted_values_discount_from_their_own_step() -> None:
    n = 6
    sessions = Sessions(
        horizon=3,
        session=np.repeat(np.arange(n), 3),
        step=np.tile([0, 1, 2], n),
        action=np.zeros(3 * n, dtype=int),
        reward=np.ones(3 * n),
        propensity=np.ones(3 * n),
        evaluation_prob=np.ones(3 * n),
        cluster=np.repeat(np.arange(n), 3),
        features=np.zeros((3 * n, 1)),
    )
    seen = cross_fitted(sessions, np.ones((3 * n, 1)), gamma=0.5, n_folds=2)
    assert seen.q_logged.tolist() == [1.75, 1.5, 1.0] * n
    assert seen.v.tolist() == seen.q_logged.tolist()


def test_another_policy_is_refused() -> None:
    sessions = WORLD.log(50, seed=0)
    with pytest.raises(
        ValueError, match=r"^row \d+: evaluation_prob is .* but evaluation_probs give 0\.333333"
    ):
        cross_fitted(sessions, np.full((sessions.n_steps, 3), 1 / 3))
    with pytest.raises(ValueError, match=r"^evaluation_probs have shape \(3, 1\) for"):
        cross_fitted(sessions, np.ones((3, 1)))


def test_regression_needs_features_and_enough_sessions() -> None:
    with pytest.raises(ValueError, match="carry no features"):
        cross_fitted(paper_sessions(), np.full((5, 2), 0.5))
    short = WORLD.log(40, seed=0)
    one_long = short.select(np.r_[np.flatnonzero(short.length <= 2)[:10], short.length.argmax()])
    with pytest.raises(ValueError, match=r"too few sessions reach step \d: in one fold there is none"):
        fitted(one_long, DummyRegressor(), n_folds=2)


@pytest.mark.parametrize("n_folds", [1, 51])
def test_folds_are_two_or_more_and_no_more_than_users(n_folds: int) -> None:
    with pytest.raises(ValueError, match=f"50 clusters can't be split into {n_folds} folds"):
        fitted(WORLD.log(50, seed=0), n_folds=n_folds)
