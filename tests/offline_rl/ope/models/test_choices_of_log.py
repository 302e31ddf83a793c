"""Choices of a log without propensities: what is a choice to model, and how much of a log is enough."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from offline_rl.ope.models import choices_of_log
from offline_rl.ope.models.choices_of_log import (
    can_be_estimated,
    choices_of,
    estimate_of_log,
    estimate_of_sample,
)


def log_of(action: NDArray[np.int64], n_actions: int = 3, **columns: Any) -> dict[str, NDArray[Any]]:
    n = len(action)
    return {
        "context": np.zeros((n, 1), np.float32),
        "slot": np.zeros(n, np.int64),
        "action": action,
        "cluster": np.arange(n) // 2,
        "set_index": np.zeros(n, np.int64),
        "available": np.ones((1, n_actions), np.bool_),
        **columns,
    }


def two_policies(n: int) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64], NDArray[np.float64]]:
    """Two policies in turn without a context, and the probability each chose with."""
    rng = np.random.default_rng(3)
    place = np.arange(n) // 2 % 2
    chances = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])[place]
    action = (rng.random((n, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return log_of(action), place, chances[np.arange(n), action]


def test_each_policy_is_estimated_by_its_own_habits() -> None:
    arrays, place, true = two_policies(3000)
    known = estimate_of_log(arrays, place, seed=0).propensity
    mixed = estimate_of_log(arrays, np.zeros(3000, np.int64), seed=0).propensity
    assert np.abs(known - true).max() < 0.06
    assert np.abs(mixed - true).max() > 0.25


def test_a_sample_of_whole_users_answers_whether_anything_was_left_to_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrays, place, _ = two_policies(3000)
    monkeypatch.setattr(choices_of_log, "SAMPLE_NUMBERS", 900)
    sampled = estimate_of_sample(arrays, place, seed=0)
    assert 200 < len(sampled.propensity) <= 300
    assert sampled.is_identified
    certain = estimate_of_sample(log_of(place, 2), place, seed=0)
    assert not certain.is_identified


def test_only_frequent_places_have_a_column() -> None:
    place = np.repeat(np.arange(30), np.arange(1, 31))
    choices = choices_of(log_of(np.zeros(len(place), np.int64)), place)
    assert choices.context.shape[1] == 1 + choices_of_log.MOST_PLACES - 1
    assert choices_of(log_of(np.zeros(4, np.int64)), np.zeros(4, np.int64)).context.shape[1] == 1


@pytest.mark.parametrize(
    ("columns", "can"),
    [
        ({}, True),
        ({"available": np.ones((1, 1), np.bool_)}, False),
        ({"available": np.ones((1, choices_of_log.MOST_ACTIONS + 1), np.bool_)}, False),
        ({"cluster": np.arange(100) % 9}, False),
    ],
    ids=["two actions", "one action", "too many actions", "too few users"],
)
def test_a_choice_needs_actions_and_users(columns: dict[str, Any], can: bool) -> None:
    n_actions = columns.get("available", np.ones((1, 3))).shape[1]
    assert can_be_estimated(log_of(np.arange(100) % min(2, n_actions), **columns)) is can
