from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offline_rl.ope.slates.records import Propensities, SlateRounds
from tests.offline_rl.ope.slates.slate_worlds import log

ROUNDS = log(4, seed=0)


def changed(column: str, row: int, number: float) -> Any:
    values = getattr(ROUNDS, column).copy()
    values[row] = number
    return values


def pair(propensity: float, evaluation_prob: float) -> Propensities:
    return Propensities(
        propensity=np.array([0.5, propensity]), evaluation_prob=np.array([0.5, evaluation_prob])
    )


@pytest.mark.parametrize(
    ("column", "row", "number", "message"),
    [
        ("reward", 3, np.nan, "^row 3: reward is nan. It must be a finite number"),
        ("q_policy", 5, np.inf, "^row 5: q_policy is inf"),
        ("slot", 3, 2, "^row 3: slot is 2. Sort by slate and slot"),
        ("slate", 3, 9, "^row 3: slot is 1. Sort by slate and slot"),
        ("segment", 3, 9, "^row 3: segment is 9. It differs from the row above, but is one number per slate"),
        ("cluster", 5, 9, "^row 5: cluster is 9"),
    ],
)
def test_a_bad_row_is_named(column: str, row: int, number: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ROUNDS, **{column: changed(column, row, number)})


@pytest.mark.parametrize(
    ("propensity", "evaluation_prob", "message"),
    [
        (1.7, 0.5, "^row 1: propensity is 1.7. It must be a probability"),
        (0.0, 0.5, "^row 1: propensity is 0"),
        (np.nan, 0.5, "^row 1: propensity is nan"),
        (0.5, -0.1, "^row 1: evaluation_prob is -0.1"),
    ],
)
def test_what_is_no_probability_is_refused(propensity: float, evaluation_prob: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pair(propensity, evaluation_prob)


def test_rounding_of_float32_is_forgiven() -> None:
    assert pair(1 + 5e-7, -5e-7).weight.tolist() == [1.0, 0.0]


def test_a_slate_begins_once() -> None:
    with pytest.raises(ValueError, match=r"^slate 0 begins 2 times: give every slate its own index"):
        replace(ROUNDS, slate=np.repeat([0, 1, 0, 2], 2))


def test_slots_beyond_the_slate_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^row 1: slot is 1. n_slots says that there are 1"):
        replace(ROUNDS, n_slots=1)


def test_a_slots_own_probability_is_not_the_cascades() -> None:
    assert ROUNDS.cascade is not None
    own = Propensities(propensity=np.tile([0.2, 0.5], 4), evaluation_prob=ROUNDS.cascade.evaluation_prob)
    with pytest.raises(
        ValueError, match=r"^row 1: cascade propensity is 0.5. A longer prefix can't be likelier"
    ):
        replace(ROUNDS, cascade=own)


def test_a_slate_has_one_probability() -> None:
    with pytest.raises(ValueError, match=r"^row 1: whole propensity is .* is one number per slate"):
        replace(ROUNDS, whole=ROUNDS.cascade)


def test_one_number_per_row() -> None:
    with pytest.raises(ValueError, match=r"^cluster has shape \(3,\), but there are 8 rewards"):
        replace(ROUNDS, cluster=np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match=r"^position has shape \(2,\)"):
        replace(ROUNDS, position=pair(0.5, 0.5))
    with pytest.raises(ValueError, match="give both for the same rows"):
        Propensities(propensity=np.ones(2), evaluation_prob=np.ones(3))
    with pytest.raises(ValueError, match="q_logged and q_policy come from one reward model"):
        replace(ROUNDS, q_policy=None)


def test_selecting_keeps_slates_whole() -> None:
    chosen: SlateRounds = ROUNDS.select(ROUNDS.slate >= 2)
    assert chosen.slate.tolist() == [2, 2, 3, 3]
    assert chosen.slate_position.tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"^row 0: slot is 1"):
        ROUNDS.select(ROUNDS.slot == 1)
