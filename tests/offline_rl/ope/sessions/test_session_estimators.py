"""Every estimator over sessions obeys the laws of the family; each has its own besides."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.sessions.estimator import SessionEstimator, TabularEstimator
from offline_rl.ope.sessions.marginalized_is import MarginalizedIS
from offline_rl.ope.sessions.per_decision_is import PerDecisionIS
from offline_rl.ope.sessions.records import Sessions
from offline_rl.ope.sessions.sequential_dm import SequentialDM
from offline_rl.ope.sessions.sequential_dr import SequentialDR
from offline_rl.ope.sessions.session_rounds import rounds_through, whole_sessions
from offline_rl.ope.sessions.tabular_fqe import TabularFQE
from offline_rl.ope.sessions.trajectory_is import TrajectoryIS
from offline_rl.ope.sessions.weighted_dr import WeightedDR
from offline_rl.ope.sessions.weighted_per_decision_is import WeightedPerDecisionIS
from offline_rl.ope.sessions.weighted_trajectory_is import WeightedTrajectoryIS
from tests.offline_rl.ope.sessions.session_laws import LAWS, Maker, value
from tests.offline_rl.ope.sessions.session_worlds import (
    HORIZON,
    N_STATES,
    PAPER_POLICY,
    Visits,
    first_steps,
    one_step,
    paper_sessions,
)

MAKERS: dict[str, Maker] = {
    "trajectory_is": lambda policy, horizon=HORIZON, gamma=0.9: TrajectoryIS(gamma),
    "weighted_trajectory_is": lambda policy, horizon=HORIZON, gamma=0.9: WeightedTrajectoryIS(gamma),
    "per_decision_is": lambda policy, horizon=HORIZON, gamma=0.9: PerDecisionIS(gamma),
    "weighted_per_decision_is": lambda policy, horizon=HORIZON, gamma=0.9: WeightedPerDecisionIS(gamma),
    "sequential_dr": lambda policy, horizon=HORIZON, gamma=0.9: SequentialDR(gamma),
    "weighted_dr": lambda policy, horizon=HORIZON, gamma=0.9: WeightedDR(gamma),
    "sequential_dm": lambda policy, horizon=HORIZON, gamma=0.9: SequentialDM(),
    "marginalized_is": lambda policy, horizon=HORIZON, gamma=0.9: MarginalizedIS(len(policy), horizon, gamma),
    "tabular_fqe": lambda policy, horizon=HORIZON, gamma=0.9: TabularFQE(policy, horizon, gamma),
}
BANDITS = {
    "trajectory_is": "ips",
    "weighted_trajectory_is": "snips",
    "per_decision_is": "ips",
    "weighted_per_decision_is": "snips",
    "sequential_dr": "dr",
    "weighted_dr": "sndr",
    "sequential_dm": "dm",
    "marginalized_is": "ips",
}
PER_DECISION = [name for name in BANDITS if "trajectory" not in name and name != "sequential_dm"]
ON_RETURNS = [name for name in BANDITS if name != "sequential_dm"]


def bandit_value(name: str, rounds: EvaluationRounds) -> float:
    bandit = from_name(name)
    return float(bandit.value(bandit.terms(rounds).sum(axis=0)))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_session_law(law: Callable[[Maker], None], name: str) -> None:
    law(MAKERS[name])


@pytest.mark.parametrize("name", MAKERS)
def test_a_session_estimator_goes_by_its_name(name: str) -> None:
    assert MAKERS[name](PAPER_POLICY).name == name


# With gamma 1/2. Returns: 1 + 2/2 = 2, 0 and 4. Weights of whole sessions: 0.8, 0.4 and 2.4.
ON_PAPER = {
    # (0.8 · 2 + 0 + 2.4 · 4) / 3
    "trajectory_is": 11.2 / 3,
    # the same over the sum of weights, 3.6
    "weighted_trajectory_is": 11.2 / 3.6,
    # step 0: 1.6 · 1 + 1.6 · 4 = 8; step 1: 0.8 · 2 / 2 = 0.8
    "per_decision_is": 8.8 / 3,
    # both steps weigh 3.6 in sum, as session 1 keeps its 0.4: 1.6 + 0.4 + 1.6 and 0.8 + 0.4 + 2.4
    "weighted_per_decision_is": 8.8 / 3.6,
    # session 0: D_1 = 1 + 0.5 (2 − 1) = 1.5 and D_0 = 1.5 + 1.6 (1 + 0.75 − 2) = 1.1;
    # session 1: 1.5 + 0.4 (0 − 1) = 1.1;
    # session 2: D_1 = 1 + 1.5 (0 − 1) = −0.5 and D_0 = 1.5 + 1.6 (4 − 0.25 − 2) = 4.3
    "sequential_dr": 6.5 / 3,
    # step 0: 4.5 / 3 + (−1.6 − 0.4 + 3.2) / 3.6; step 1: half of (1.6 + 1.6) / 3.6 + (0.8 − 2.4) / 3.6
    "weighted_dr": 1.5 + 1.2 / 3.6 + 0.5 * 1.6 / 3.6,
    "sequential_dm": 1.5,
    # d_0 = (1, 0) and r_0 = (1.6 + 0 + 6.4) / 3 = 8/3; d_1 = (0, 3.2 / 3) and r_1 = (0.5 · 2 + 1.5 · 0) / 2
    "marginalized_is": 8 / 3 + 0.5 * (3.2 / 3) * 0.5,
    # q_1(1, ·) = (2, 0), v_1(1) = 0.25 · 2; q_0(0, ·) = (0, 2.5 + 0.5 · 0.5), v_0 = 0.8 · 2.75
    "tabular_fqe": 2.2,
}


@pytest.mark.parametrize("name", MAKERS)
def test_three_sessions_on_paper(name: str) -> None:
    estimator = MAKERS[name](PAPER_POLICY, horizon=2, gamma=0.5)
    assert value(estimator, paper_sessions()) == pytest.approx(ON_PAPER[name], rel=1e-14)


@pytest.mark.parametrize(("name", "bandit"), BANDITS.items())
def test_horizon_1_is_a_bandit(name: str, bandit: str) -> None:
    world = Visits()
    sessions = one_step(world.log(300, seed=1))
    ours = value(MAKERS[name](world.evaluated, horizon=1), sessions)
    assert ours == pytest.approx(bandit_value(bandit, first_steps(sessions)), rel=1e-13)


@pytest.mark.parametrize("name", PER_DECISION)
def test_without_a_future_the_first_step_is_a_bandit(name: str) -> None:
    world = Visits()
    sessions = world.log(300, seed=2)
    ours = value(MAKERS[name](world.evaluated, gamma=0.0), sessions)
    assert ours == pytest.approx(bandit_value(BANDITS[name], first_steps(sessions)), rel=1e-13)


def test_trajectory_weights_look_ahead_even_without_a_future() -> None:
    # Why trajectory importance sampling is no bandit at gamma 0: later choices still move its weights.
    sessions = Visits().log(300, seed=2)
    assert value(TrajectoryIS(0.0), sessions) != pytest.approx(value(PerDecisionIS(0.0), sessions), rel=1e-3)


@pytest.mark.parametrize("name", ON_RETURNS)
def test_the_logging_policy_is_worth_its_mean_return(name: str) -> None:
    logged = Visits().log(200, seed=3)
    kept = ("session", "step", "action", "reward", "propensity", "cluster", "state", "q_logged")
    columns = {column: getattr(logged, column) for column in kept}
    on_policy = Sessions.of_logging_policy(horizon=HORIZON, **columns)
    returns = logged.reward_by_step @ 0.9 ** np.arange(HORIZON)
    assert value(MAKERS[name](Visits().logging), on_policy) == pytest.approx(returns.mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("doubly_robust", "without"),
    [(SequentialDR(0.9), PerDecisionIS(0.9)), (WeightedDR(0.9), WeightedPerDecisionIS(0.9))],
    ids=["sequential_dr", "weighted_dr"],
)
def test_a_silent_model_leaves_the_weighted_rewards(
    doubly_robust: SessionEstimator, without: SessionEstimator
) -> None:
    sessions = Visits().log(100, seed=0)
    silent = replace(sessions, q_logged=np.zeros(sessions.n_steps), v=np.zeros(sessions.n_steps))
    assert value(doubly_robust, silent) == pytest.approx(value(without, silent), rel=1e-13)


def test_sessions_are_rounds_with_long_actions() -> None:
    sessions = Visits().log(300, seed=1)
    whole = whole_sessions(sessions, 0.9)
    assert value(TrajectoryIS(0.9), sessions) == pytest.approx(bandit_value("ips", whole), rel=1e-13)
    assert value(WeightedTrajectoryIS(0.9), sessions) == pytest.approx(
        bandit_value("snips", whole), rel=1e-13
    )
    by_step = [rounds_through(sessions, t) for t in range(HORIZON)]
    for estimator, bandit in ((PerDecisionIS(0.9), "ips"), (WeightedPerDecisionIS(0.9), "snips")):
        added_up = sum(0.9**t * bandit_value(bandit, rounds) for t, rounds in enumerate(by_step))
        assert value(estimator, sessions) == pytest.approx(added_up, rel=1e-13)


def test_there_are_no_rounds_past_the_horizon() -> None:
    with pytest.raises(ValueError, match=r"^there is no step 5: steps run from 0 to 4\.$"):
        rounds_through(Visits().log(10, seed=0), HORIZON)


@pytest.mark.parametrize("estimator", [WeightedPerDecisionIS(0.9), WeightedDR(0.9)], ids=lambda e: e.name)
def test_weighted_values_move_with_the_reward_of_a_step(estimator: SessionEstimator) -> None:
    sessions = Visits().log(200, seed=0)
    raised = replace(sessions, reward=sessions.reward + 5 * (sessions.step == 0))
    assert value(estimator, raised) == pytest.approx(value(estimator, sessions) + 5, rel=1e-12)
    assert value(PerDecisionIS(0.9), raised) != pytest.approx(
        value(PerDecisionIS(0.9), sessions) + 5, rel=1e-3
    )


@pytest.mark.parametrize("name", ["weighted_trajectory_is", "weighted_per_decision_is", "weighted_dr"])
def test_no_overlap_identifies_nothing(name: str) -> None:
    sessions = paper_sessions(evaluation_prob=np.zeros(5))
    assert np.isnan(value(MAKERS[name](PAPER_POLICY, horizon=2), sessions))


@pytest.mark.parametrize("name", ["sequential_dr", "weighted_dr", "sequential_dm"])
def test_a_missing_model_is_named(name: str) -> None:
    sessions = paper_sessions(q_logged=None, v=None)
    with pytest.raises(ValueError, match=rf"^estimator {name} needs a model"):
        MAKERS[name](PAPER_POLICY).terms(sessions)


@pytest.mark.parametrize("name", ["marginalized_is", "tabular_fqe"])
def test_tables_need_states_that_fit(name: str) -> None:
    assert isinstance(MAKERS[name](PAPER_POLICY), TabularEstimator)
    with pytest.raises(ValueError, match=rf"^{name} needs discrete states"):
        MAKERS[name](PAPER_POLICY, horizon=2).terms(paper_sessions(state=None))
    with pytest.raises(ValueError, match=r"^row 2: state is 2, but the estimator knows 2 states, 0 to 1\."):
        MAKERS[name](PAPER_POLICY, horizon=2).terms(paper_sessions(state=np.array([0, 1, 2, 0, 1])))
    with pytest.raises(ValueError, match="horizon of 2 steps and the estimator one of 4"):
        MAKERS[name](PAPER_POLICY, horizon=4).terms(paper_sessions())


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "sequential_dm"])
@pytest.mark.parametrize("gamma", [-0.1, 1.1, np.nan])
def test_a_discount_lies_in_0_to_1(name: str, gamma: float) -> None:
    with pytest.raises(ValueError, match="give a number from 0 to 1"):
        MAKERS[name](PAPER_POLICY, gamma=gamma)


def test_marginal_weights_need_a_state_and_a_step() -> None:
    with pytest.raises(ValueError, match="both must be at least 1"):
        MarginalizedIS(n_states=0, horizon=N_STATES)
