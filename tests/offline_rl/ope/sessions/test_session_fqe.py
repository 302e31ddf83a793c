"""Fitted q evaluation: the table, the regression, and that neither sees what it corrects."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions import fitted_q_evaluation, tabular_fqe
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sessions.sequential_dm import SequentialDM
from offline_rl.ope.sessions.sequential_dr import SequentialDR
from offline_rl.ope.sessions.tabular_fqe import TabularFQE
from tests.offline_rl.ope.sessions.session_laws import value
from tests.offline_rl.ope.sessions.session_worlds import HORIZON, PAPER_POLICY, Visits, paper_sessions

WORLD = Visits()
FQE = TabularFQE(WORLD.evaluated, HORIZON, WORLD.gamma)


def by_tree(sessions: Sessions, n_folds: int) -> Sessions:
    """A tree that is grown until every cell is a leaf: the table, found by regression."""
    return fitted_q_evaluation.cross_fitted(
        sessions, WORLD.policy, DecisionTreeRegressor, gamma=WORLD.gamma, n_folds=n_folds
    )


def test_a_regression_free_to_be_the_table_is_the_table() -> None:
    sessions = WORLD.log(2000, seed=0)
    table, tree = tabular_fqe.cross_fitted(sessions, FQE, n_folds=4), by_tree(sessions, n_folds=4)
    assert tree.q_logged == pytest.approx(table.q_logged, rel=1e-9)
    assert tree.v == pytest.approx(table.v, rel=1e-9)


def test_the_table_finds_the_world_s_q() -> None:
    sums = np.asarray(FQE.sparse_terms(WORLD.log(80_000, seed=1)).sum(axis=0))
    assert FQE.q(sums) == pytest.approx(WORLD.exact_q, abs=0.12)
    assert np.abs(FQE.q(sums) - WORLD.wrong_q).max() > 1


@pytest.mark.parametrize("fit", [lambda s: tabular_fqe.cross_fitted(s, FQE), lambda s: by_tree(s, 5)])
def test_q_never_saw_the_sessions_of_the_user_it_corrects(fit: Callable[[Sessions], Sessions]) -> None:
    sessions = WORLD.log(300, seed=2)
    of_users = replace(sessions, cluster=sessions.session // 3)
    before = fit(of_users)
    mine = of_users.cluster == 7
    after = fit(replace(of_users, reward=np.where(mine, 50.0, of_users.reward)))
    assert after.q_logged[mine] == pytest.approx(before.q_logged[mine], rel=1e-12)
    assert after.v[mine] == pytest.approx(before.v[mine], rel=1e-12)
    # The others did see them.
    assert np.abs(after.q_logged[~mine] - before.q_logged[~mine]).max() > 1


def test_a_model_fitted_on_its_own_rows_would_be_seen() -> None:
    sessions = WORLD.log(300, seed=2)
    q = FQE.q(FQE.terms(sessions).sum(axis=0))
    own = q[sessions.step, sessions.state, sessions.action]
    assert np.abs(own - tabular_fqe.cross_fitted(sessions, FQE).q_logged).max() > 0.05


def test_a_regressor_sees_what_a_table_can_t() -> None:
    """The reward grows with a number, and one step is all there is: q̂ is a line per action."""
    rng = np.random.default_rng(0)
    n = 400
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
    fitted = fitted_q_evaluation.cross_fitted(
        sessions, lambda step, features: np.tile([0.25, 0.75], (len(features), 1)), LinearRegression
    )
    assert fitted.q_logged == pytest.approx(sessions.reward, rel=1e-9)
    assert fitted.v == pytest.approx(2 * taste + 2.25, rel=1e-9)
    assert value(SequentialDM(), fitted) == pytest.approx(2 * taste.mean() + 2.25, rel=1e-9)
    assert value(SequentialDR(), fitted) == pytest.approx(2 * taste.mean() + 2.25, rel=1e-9)


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
    fitted = fitted_q_evaluation.cross_fitted(
        sessions, lambda _, f: np.ones((len(f), 1)), DummyRegressor, gamma=0.5, n_folds=2
    )
    assert fitted.q_logged.tolist() == [1.75, 1.5, 1.0] * n
    assert fitted.v.tolist() == fitted.q_logged.tolist()


def test_the_share_of_sessions_that_stay_with_what_was_seen() -> None:
    # In state 0 both actions were seen, action 0 (0.2) only to end; in state 1 both, and both ended.
    fqe = TabularFQE(PAPER_POLICY, 2)
    assert float(fqe.seen_share(fqe.terms(paper_sessions()).sum(axis=0))) == pytest.approx(1.0)
    # Without session 2 the log never saw action 1 (0.75) in state 1, which action 1 (0.8) leads to.
    fewer = paper_sessions().select(np.array([0, 1]))
    assert float(fqe.seen_share(fqe.terms(fewer).sum(axis=0))) == pytest.approx(0.2 + 0.8 * 0.25)


def test_a_policy_may_depend_on_the_step() -> None:
    by_step = np.stack([PAPER_POLICY, PAPER_POLICY[:, ::-1]])
    sessions = paper_sessions(evaluation_prob=np.array([0.8, 0.75, 0.2, 0.8, 0.25]))
    # As on paper, but at step 1 action 0, worth 2, has probability 3/4: v_1 = 1.5, q_0 = 2.5 + 0.75.
    assert value(TabularFQE(by_step, 2, 0.5), sessions) == pytest.approx(0.8 * 3.25)


@pytest.mark.parametrize("policy", [np.array([0.5, 0.5]), np.full((3, 2, 2), 0.5)])
def test_a_policy_has_one_table_or_one_per_step(policy: Floats) -> None:
    with pytest.raises(ValueError, match=r"give probabilities \[S, A\], or \[T, S, A\]"):
        TabularFQE(policy, 2)


@pytest.mark.parametrize("row", [[0.5, 0.4], [1.2, -0.2]])
def test_a_policy_s_probabilities_are_probabilities(row: list[float]) -> None:
    with pytest.raises(ValueError, match="must not be negative and sum to 1"):
        TabularFQE(np.array([[0.5, 0.5], row]), 2)


def test_another_policy_s_table_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^row 0: evaluation_prob is 0.8, but the policy's table says 0.2"):
        TabularFQE(PAPER_POLICY[:, ::-1], 2).terms(paper_sessions())
    with pytest.raises(ValueError, match=r"^row 2: action is 2, but the policy has 2\.$"):
        TabularFQE(PAPER_POLICY, 2).terms(paper_sessions(action=np.array([1, 0, 2, 1, 1])))


def test_another_policy_is_refused() -> None:
    sessions = WORLD.log(50, seed=0)
    with pytest.raises(
        ValueError, match=r"evaluation_prob is 0\.\d+, but the policy gives 0\.333333 to that"
    ):
        fitted_q_evaluation.cross_fitted(
            sessions, lambda _, f: np.full((len(f), 3), 1 / 3), DummyRegressor, n_folds=2
        )
    with pytest.raises(ValueError, match=r"the policy gave probabilities of shape \(\d+, 1\)"):
        fitted_q_evaluation.cross_fitted(sessions, lambda _, f: np.ones((len(f), 1)), DummyRegressor)


def test_regression_needs_features_and_enough_sessions() -> None:
    with pytest.raises(ValueError, match="carry no features"):
        fitted_q_evaluation.cross_fitted(paper_sessions(), WORLD.policy, DummyRegressor)
    short = WORLD.log(40, seed=0)
    one_long = short.select(np.r_[np.flatnonzero(short.length <= 2)[:10], short.length.argmax()])
    with pytest.raises(ValueError, match=r"too few sessions reach step \d: in one fold there is none"):
        by_tree(one_long, n_folds=2)


@pytest.mark.parametrize("n_folds", [1, 51])
def test_folds_are_two_or_more_and_no_more_than_users(n_folds: int) -> None:
    sessions = WORLD.log(50, seed=0)
    for fit in (
        lambda: tabular_fqe.cross_fitted(sessions, FQE, n_folds=n_folds),
        lambda: by_tree(sessions, n_folds),
    ):
        with pytest.raises(ValueError, match=f"50 clusters can't be split into {n_folds} folds"):
            fit()
