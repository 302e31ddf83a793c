"""Every estimator over sessions obeys the laws of the family; each has its own besides."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name as bandit_from_name
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.named_estimators import WITH_MODEL, WITHOUT_MODEL, from_name
from offline_rl.ope.sessions.session_rounds import whole_sessions
from tests.offline_rl.ope.sessions.session_laws import LAWS, value
from tests.offline_rl.ope.sessions.session_worlds import (
    HORIZON,
    Visits,
    first_steps,
    one_step,
    paper_sessions,
)

NAMES = [*WITH_MODEL, *WITHOUT_MODEL]
BANDITS = {
    "per_decision_is": "ips",
    "weighted_per_decision_is": "snips",
    "sequential_dr": "dr",
    "weighted_dr": "sndr",
    "sequential_dm": "dm",
}
ON_RETURNS = [name for name in BANDITS if name != "sequential_dm"]


def bandit_value(name: str, rounds: EvaluationRounds) -> float:
    bandit = bandit_from_name(name)
    return float(bandit.value(bandit.terms(rounds).sum(axis=0)))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_session_law(law: Callable[[SessionEstimator], None], name: str) -> None:
    law(from_name(name, 0.9))


@pytest.mark.parametrize("name", NAMES)
def test_a_session_estimator_goes_by_its_name(name: str) -> None:
    assert from_name(name.upper()).name == name


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"no session estimator is called 'dr'. Known are weighted_dr, "):
        from_name("dr")


# With gamma 1/2. Returns: 1 + 2/2 = 2, 0 and 4. Weights of whole sessions: 0.8, 0.4 and 2.4.
ON_PAPER = {
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
}


@pytest.mark.parametrize("name", NAMES)
def test_three_sessions_on_paper(name: str) -> None:
    estimator = from_name(name, 0.5)
    assert value(estimator, paper_sessions()) == pytest.approx(ON_PAPER[name], rel=1e-14)


@pytest.mark.parametrize(("name", "bandit"), BANDITS.items())
def test_horizon_1_is_a_bandit(name: str, bandit: str) -> None:
    world = Visits()
    sessions = one_step(world.log(300, seed=1))
    ours = value(from_name(name, 0.9), sessions)
    assert ours == pytest.approx(bandit_value(bandit, first_steps(sessions)), rel=1e-13)


@pytest.mark.parametrize("name", ON_RETURNS)
def test_without_a_future_the_first_step_is_a_bandit(name: str) -> None:
    world = Visits()
    sessions = world.log(300, seed=2)
    ours = value(from_name(name, 0.0), sessions)
    assert ours == pytest.approx(bandit_value(BANDITS[name], first_steps(sessions)), rel=1e-13)


@pytest.mark.parametrize("name", ON_RETURNS)
def test_the_logging_policy_is_worth_its_mean_return(name: str) -> None:
    logged = Visits().log(200, seed=3)
    on_policy = logged.logging_policy()
    returns = logged.reward_by_step @ 0.9 ** np.arange(HORIZON)
    assert value(from_name(name, 0.9), on_policy) == pytest.approx(returns.mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("doubly_robust", "without"),
    [("sequential_dr", "per_decision_is"), ("weighted_dr", "weighted_per_decision_is")],
)
def test_a_silent_model_leaves_the_weighted_rewards(doubly_robust: str, without: str) -> None:
    sessions = Visits().log(100, seed=0)
    silent = replace(sessions, q_logged=np.zeros(sessions.n_steps), v=np.zeros(sessions.n_steps))
    assert value(from_name(doubly_robust, 0.9), silent) == pytest.approx(
        value(from_name(without, 0.9), silent), rel=1e-13
    )


def test_sessions_are_rounds_with_long_actions() -> None:
    """On paper, with gamma 1/2: returns 2, 0 and 4 by weights 0.8, 0.4 and 2.4 of whole sessions."""
    whole = whole_sessions(paper_sessions(), 0.5)
    assert whole.reward.tolist() == [2.0, 0.0, 4.0]
    assert whole.weight == pytest.approx([0.8, 0.4, 2.4])
    assert bandit_value("ips", whole) == pytest.approx(11.2 / 3)


@pytest.mark.parametrize("name", ["weighted_per_decision_is", "weighted_dr"])
def test_weighted_values_move_with_the_reward_of_a_step(name: str) -> None:
    sessions = Visits().log(200, seed=0)
    raised = replace(sessions, reward=sessions.reward + 5 * (sessions.step == 0))
    estimator, plain = from_name(name, 0.9), from_name("per_decision_is", 0.9)
    assert value(estimator, raised) == pytest.approx(value(estimator, sessions) + 5, rel=1e-12)
    assert value(plain, raised) != pytest.approx(value(plain, sessions) + 5, rel=1e-3)


@pytest.mark.parametrize("name", ["weighted_per_decision_is", "weighted_dr"])
def test_no_overlap_identifies_nothing(name: str) -> None:
    assert np.isnan(value(from_name(name), paper_sessions(evaluation_prob=np.zeros(5))))


@pytest.mark.parametrize("name", WITH_MODEL)
def test_a_missing_model_is_named(name: str) -> None:
    sessions = paper_sessions(q_logged=None, v=None)
    with pytest.raises(ValueError, match=rf"^estimator {name} needs a model"):
        from_name(name).terms(sessions)


@pytest.mark.parametrize("name", ON_RETURNS)
@pytest.mark.parametrize("gamma", [-0.1, 1.1, np.nan])
def test_a_discount_lies_in_0_to_1(name: str, gamma: float) -> None:
    with pytest.raises(ValueError, match="give a number from 0 to 1"):
        from_name(name, gamma)
