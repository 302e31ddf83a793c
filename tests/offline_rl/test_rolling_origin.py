"""Rolling origins: policies are evaluated on rounds after those that they learned from."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from offline_rl import rolling_origin
from offline_rl.logged_data import Tasks
from offline_rl.rolling_origin import gate_rounds_per_query, origins, rolls
from tests.laws.learners import load_world, log_rounds, make_world

# One round a day: support (0), a gap (3), query (1), a gap, the holdout (2); see `assign_origins`.
WINDOW = [0, 0, 0, 0, 3, 1, 1, 3, 2, 2]
ORIGIN = [0, 0, -1, 1, -1, 2, 2, -1, 3, 3]


def ten_days(folder: Path) -> Tasks:
    world = make_world(segments=1, items=3, click_rate=0.2, heterogeneity=0.0)
    tasks = load_world(folder, log_rounds(world, 10))
    rounds = replace(tasks.rounds, reward=torch.arange(10.0, dtype=torch.float64))
    return replace(tasks, rounds=rounds, window_code=torch.tensor(WINDOW), origin=torch.tensor(ORIGIN))


def test_each_origin_knows_what_came_before_it(tmp_path: Path) -> None:
    found = list(origins(ten_days(tmp_path)))
    days = [origin.training.reward.long().tolist() for origin in found]
    assert days == [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 5, 6]]
    assert [origin.evaluated.tolist() for origin in found] == [[3], [5, 6], [8, 9]]
    assert [origin.is_last for origin in found] == [False, False, True]


def test_an_origin_without_earlier_rounds_is_left_out(tmp_path: Path) -> None:
    tasks = ten_days(tmp_path)
    young = replace(tasks, origin=torch.tensor([-1, -1, 1, 1, -1, 2, 2, -1, 3, 3]))
    assert [len(origin.evaluated) for origin in origins(young)] == [2, 2]


def test_the_gate_evaluates_more_rounds_than_the_holdouts(tmp_path: Path) -> None:
    tasks = ten_days(tmp_path)
    assert rolls(tasks)
    assert gate_rounds_per_query(tasks) == 5 / 2
    assert not rolls(replace(tasks, origin=None))
    assert gate_rounds_per_query(replace(tasks, origin=None)) == 1.0


def test_a_large_holdout_is_evaluated_on_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling_origin, "ENOUGH", 2)
    assert not rolls(ten_days(tmp_path))


def test_a_log_with_one_origin_has_nothing_to_roll(tmp_path: Path) -> None:
    tasks = ten_days(tmp_path)
    assert not rolls(replace(tasks, origin=torch.tensor([0, 0, 0, 0, -1, -1, -1, -1, 3, 3])))
