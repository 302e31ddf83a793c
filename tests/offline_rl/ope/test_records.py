from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from offline_rl.ope.records import EvaluationRounds
from tests.offline_rl.ope.worlds import coin_log

NUMBERS = [
    "reward",
    "propensity",
    "evaluation_prob",
    "q_logged",
    "q_policy",
    "unsupported_mass",
    "q_logged_mrdr",
    "q_policy_mrdr",
    "density_ratio",
    "marginal_weight",
    "balanced_propensity",
]


def spoiled(position: int, number: float, healthy: float = 0.5) -> np.ndarray:
    column = np.full(6, healthy)
    column[position] = number
    return column


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_are_finite(name: str, number: float) -> None:
    with pytest.raises(ValueError, match=rf"^row 4: {name} is (nan|inf|-inf)\. It must be a finite number"):
        coin_log(6, 0.5, **{name: spoiled(4, number)})


@pytest.mark.parametrize("name", ["propensity", "balanced_propensity"])
@pytest.mark.parametrize("number", [1.7, 0.0, -0.1])
def test_propensities_lie_above_0_and_up_to_1(name: str, number: float) -> None:
    with pytest.raises(ValueError, match=rf"^row 2: {name} is {number:g}\. A logged action must have been"):
        coin_log(6, 0.5, **{name: spoiled(2, number)})


@pytest.mark.parametrize("name", ["density_ratio", "marginal_weight"])
def test_weights_are_not_negative(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^row 3: {name} is -0\.1\. A weight is a ratio"):
        coin_log(6, 0.5, **{name: spoiled(3, -0.1)})
    assert coin_log(6, 0.5, **{name: spoiled(3, 1e6)}).n == 6


def test_loggers_are_counted_from_0() -> None:
    with pytest.raises(ValueError, match=r"^row 2: logger is -1\. Logging policies are counted from 0\."):
        coin_log(6, 0.5, logger=np.array([0, 1, -1, 0, 1, 2]))


@pytest.mark.parametrize("name", ["evaluation_prob", "unsupported_mass"])
@pytest.mark.parametrize("number", [1.01, -0.01])
def test_probabilities_lie_in_0_to_1(name: str, number: float) -> None:
    with pytest.raises(ValueError, match=rf"^row 0: {name} is {number:g}\."):
        coin_log(6, 0.5, **{name: spoiled(0, number)})


def test_the_first_bad_row_is_named() -> None:
    with pytest.raises(ValueError, match=r"^row 1: propensity is 3\."):
        coin_log(6, 0.5, propensity=np.array([0.5, 3, 0.5, 9, 0.5, 0.5]))


def test_rounding_of_float32_policies_is_let_pass() -> None:
    rounds = coin_log(6, 0.5, evaluation_prob=spoiled(3, 1 + 1e-7), unsupported_mass=spoiled(3, -1e-7))
    assert rounds.evaluation_prob[3] == 1.0
    assert rounds.unsupported_mass is not None
    assert rounds.unsupported_mass[3] == 0.0


@pytest.mark.parametrize("name", [*NUMBERS[1:], "cluster", "segment", "logger"])
def test_columns_are_equally_long(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} has shape \(5,\), but there are 6 rewards"):
        coin_log(6, 0.5, **{name: np.ones(5, dtype=int)})


def test_columns_are_vectors() -> None:
    with pytest.raises(ValueError, match=r"^evaluation_prob has shape \(6, 1\)"):
        coin_log(6, 0.5, evaluation_prob=np.full((6, 1), 0.5))


@pytest.mark.parametrize("name", ["cluster", "segment", "logger"])
def test_clusters_are_indices(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} holds float64 values: "):
        coin_log(6, 0.5, **{name: np.arange(6.0)})


def test_half_a_reward_model_is_refused() -> None:
    with pytest.raises(ValueError, match="give both or neither"):
        coin_log(6, 0.5, q_policy=None)
    with pytest.raises(ValueError, match=r"^q_logged_mrdr and q_policy_mrdr .* give both or neither"):
        coin_log(6, 0.5, q_policy_mrdr=np.zeros(6))


def test_a_weight_is_evaluation_over_logging_probability() -> None:
    assert coin_log(4, play_one=0.75, logged_one=0.25).weight == pytest.approx([1 / 3, 3, 1 / 3, 3])


def test_the_logging_policy_weighs_1_and_keeps_its_rewards() -> None:
    logged = EvaluationRounds.of_logging_policy(
        reward=np.array([1.0, 0.0, 2.0]),
        propensity=np.array([0.3, 1e-5, 1 / 7]),
        cluster=np.arange(3),
        segment=np.zeros(3, dtype=int),
    )
    assert logged.weight.tolist() == [1.0, 1.0, 1.0]
    assert logged.density_ratio is not None
    assert logged.marginal_weight is not None
    assert logged.density_ratio.tolist() == logged.marginal_weight.tolist() == [1.0, 1.0, 1.0]
    assert logged.balanced_propensity is not None
    assert logged.balanced_propensity.tolist() == logged.propensity.tolist()


def test_select_keeps_rows_together() -> None:
    optional = {name: np.linspace(0.1, 0.6, 6) for name in (*NUMBERS[6:],)}
    rounds = coin_log(6, 0.75, unsupported_mass=np.linspace(0, 0.5, 6), logger=np.arange(6), **optional)
    by_mask = rounds.select(rounds.reward == 1)
    by_index = rounds.select(np.array([1, 3, 5]))
    for chosen in (by_mask, by_index):
        assert chosen.n == 3
        assert chosen.cluster.tolist() == [1, 3, 5]
        assert chosen.unsupported_mass == pytest.approx([0.1, 0.3, 0.5])
        assert chosen.logger.tolist() == [1, 3, 5]
        for name in optional:
            assert getattr(chosen, name) == pytest.approx([0.2, 0.4, 0.6])
    assert rounds.select(np.zeros(6, dtype=bool)).n == 0


def test_rounds_are_frozen_and_leave_the_caller_s_arrays_alone() -> None:
    mine = np.full(6, 0.5)
    rounds = coin_log(6, 0.5, propensity=mine)
    with pytest.raises(ValueError, match="read-only"):
        rounds.reward[0] = 9
    with pytest.raises(FrozenInstanceError):
        rounds.reward = mine
    mine[0] = 0.25


def test_parts_are_joined_one_after_another_and_a_column_that_one_lacks_is_left_out() -> None:
    whole = coin_log(6, 0.5, q_logged=np.arange(6.0), q_policy=np.ones(6))
    rows = np.arange(6)
    again = EvaluationRounds.joined([whole.select(rows[:2]), whole.select(rows[2:])])
    for name in ("reward", "propensity", "evaluation_prob", "cluster", "segment", "q_logged", "q_policy"):
        assert getattr(again, name).tolist() == getattr(whole, name).tolist()
    plain = EvaluationRounds.joined([whole, coin_log(6, 0.5, q_logged=None, q_policy=None)])
    assert plain.n == 12 and plain.q_logged is None and plain.q_policy is None
