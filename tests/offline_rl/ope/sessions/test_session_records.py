"""What Sessions let in, and what they say of the rest."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from offline_rl.ope.sessions.records import Sessions
from tests.offline_rl.ope.sessions.session_worlds import Visits, paper_sessions

NUMBERS = ["reward", "propensity", "evaluation_prob", "q_logged", "v"]


def spoiled(position: int, number: float, healthy: float = 0.5) -> np.ndarray:
    column = np.full(5, healthy)
    column[position] = number
    return column


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_of_steps_are_finite(name: str, number: float) -> None:
    with pytest.raises(ValueError, match=rf"^row 3: {name} is (nan|inf|-inf)\. It must be a finite number"):
        paper_sessions(**{name: spoiled(3, number)})


def test_features_are_finite_tables() -> None:
    features = np.zeros((5, 2))
    assert paper_sessions(features=features).features.shape == (5, 2)
    features[4, 1] = np.nan
    with pytest.raises(ValueError, match=r"^row 4: features is nan\."):
        paper_sessions(features=features)
    with pytest.raises(
        ValueError, match=r"^features has shape \(5,\), but there are 5 rewards: give one row"
    ):
        paper_sessions(features=np.zeros(5))


@pytest.mark.parametrize("number", [1.7, 0.0, -0.1])
def test_propensities_of_steps_lie_above_0_and_up_to_1(number: float) -> None:
    with pytest.raises(ValueError, match=rf"^row 2: propensity is {number:g}\. A logged action must"):
        paper_sessions(propensity=spoiled(2, number))


@pytest.mark.parametrize("number", [1.01, -0.01])
def test_evaluation_probs_of_steps_lie_in_0_to_1(number: float) -> None:
    with pytest.raises(ValueError, match=rf"^row 0: evaluation_prob is {number:g}\."):
        paper_sessions(evaluation_prob=spoiled(0, number))


def test_rounding_of_float32_policies_is_let_pass() -> None:
    assert paper_sessions(evaluation_prob=spoiled(3, 1 + 1e-7)).evaluation_prob[3] == 1.0
    assert paper_sessions(propensity=spoiled(3, 1 + 1e-7)).propensity[3] == 1.0


@pytest.mark.parametrize("name", [*NUMBERS[1:], "session", "step", "action", "cluster"])
def test_columns_of_steps_are_equally_long(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} has shape \(4,\), but there are 5 rewards"):
        paper_sessions(**{name: np.ones(4, dtype=int)})


@pytest.mark.parametrize("name", ["session", "step", "action", "cluster"])
def test_indices_are_integers(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} holds float64 values: give integer indices"):
        paper_sessions(**{name: np.zeros(5)})


@pytest.mark.parametrize("name", ["action"])
def test_indices_count_from_0(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^row 1: {name} is -1\. Indices count from 0\."):
        paper_sessions(**{name: np.array([0, -1, 0, 0, 0])})


def test_steps_count_without_a_gap() -> None:
    with pytest.raises(ValueError, match=r"^row 4: step is 2 where session 2 should have 1\."):
        paper_sessions(step=np.array([0, 1, 0, 0, 2]), horizon=3)


def test_sessions_begin_at_step_0() -> None:
    with pytest.raises(ValueError, match=r"^row 2: step is 1 where session 1 should have 0\."):
        paper_sessions(step=np.array([0, 1, 1, 0, 1]))


def test_a_step_is_there_once() -> None:
    with pytest.raises(ValueError, match=r"^row 1: step is 0 where session 0 should have 1\."):
        paper_sessions(step=np.array([0, 0, 0, 0, 1]))


def test_rows_of_a_session_stand_together() -> None:
    with pytest.raises(
        ValueError, match=r"^row 3: session 0 begins a second time\. .* sort by session and step"
    ):
        paper_sessions(session=np.array([0, 0, 1, 0, 0]))


def test_no_step_lies_past_the_horizon() -> None:
    with pytest.raises(ValueError, match=r"^row 1: step 1 of session 0 lies past the horizon of 1 steps\."):
        paper_sessions(horizon=1)
    with pytest.raises(ValueError, match="a horizon of 0 leaves no step"):
        paper_sessions(horizon=0)


def test_a_session_belongs_to_one_cluster() -> None:
    with pytest.raises(ValueError, match=r"^row 4: session 2 changes its cluster\."):
        paper_sessions(cluster=np.array([0, 0, 1, 2, 3]))


def test_half_a_model_is_refused() -> None:
    with pytest.raises(ValueError, match="q_logged and v come from one model: give both or neither"):
        paper_sessions(v=None)


def test_ratios_are_1_after_the_end_and_rewards_0() -> None:
    sessions = paper_sessions()
    assert sessions.length.tolist() == [2, 1, 2]
    assert sessions.weight == pytest.approx(np.array([[1.6, 0.5], [0.4, 1.0], [1.6, 1.5]]))
    assert sessions.cumulative_weight == pytest.approx(np.array([[1.6, 0.8], [0.4, 0.4], [1.6, 2.4]]))
    assert sessions.reward_by_step.tolist() == [[1, 2], [0, 0], [4, 0]]
    assert sessions.has_next.tolist() == [True, False, False, True, False]


def test_any_distinct_integers_name_sessions() -> None:
    sessions = paper_sessions(session=np.array([9, 9, -4, 7, 7]), cluster=np.array([5, 5, 5, 2, 2]))
    assert sessions.n_sessions == 3
    assert sessions.cluster_of_session.tolist() == [5, 5, 2]


def test_select_keeps_sessions_whole_and_in_the_order_asked_for() -> None:
    sessions = paper_sessions()
    swapped = sessions.select(np.array([2, 1]))
    assert swapped.session.tolist() == [2, 2, 1]
    assert swapped.reward.tolist() == [4, 0, 0]
    assert swapped.horizon == 2
    assert sessions.select(np.array([True, False, False])).reward.tolist() == [1, 2]
    assert sessions.select(np.zeros(3, dtype=bool)).n_sessions == 0


def test_select_in_a_larger_log() -> None:
    sessions = Visits().log(100, seed=0)
    order = np.random.default_rng(1).permutation(100)
    chosen = sessions.select(order)
    assert chosen.reward_by_step.tolist() == sessions.reward_by_step[order].tolist()
    assert chosen.length.tolist() == sessions.length[order].tolist()


def test_the_logging_policy_weighs_1() -> None:
    logged = Sessions(
        horizon=2,
        session=np.array([0, 0]),
        step=np.array([0, 1]),
        action=np.array([0, 1]),
        reward=np.array([1.0, 0.0]),
        propensity=np.array([1e-5, 1 / 7]),
        evaluation_prob=np.array([0.5, 0.5]),
        v=np.array([2.0, 2.0]),
        cluster=np.array([0, 0]),
        q_logged=np.array([3.0, 1.0]),
    ).logging_policy()
    assert logged.cumulative_weight.tolist() == [[1.0, 1.0]]
    assert logged.v is not None
    assert logged.v.tolist() == [3.0, 1.0]


def test_sessions_are_frozen() -> None:
    mine = np.array([1.0, 2.0, 0.0, 4.0, 0.0])
    sessions = paper_sessions(reward=mine)
    with pytest.raises(ValueError, match="read-only"):
        sessions.reward[0] = 9
    with pytest.raises(FrozenInstanceError):
        sessions.reward = mine
    mine[0] = 0.5
