"""Three segments on paper: 0 teaches, 1 was kept from the learners, 2 was kept and has no holdout."""

import pytest
import torch

from offline_rl.comparison.unseen import Holdout, Truth, each_unseen, unseen_segments
from offline_rl.logged_data import LoggedRounds, Tasks

SEGMENT = [0, 0, 1, 1, 1, 1, 2]
WINDOW = [0, 2, 0, 1, 2, 2, 0]


def tasks() -> Tasks:
    n = len(SEGMENT)
    rounds = LoggedRounds(
        context=torch.arange(n, dtype=torch.float32)[:, None],
        slot=torch.zeros(n, dtype=torch.int64),
        action=torch.zeros(n, dtype=torch.int64),
        reward=torch.ones(n, dtype=torch.float64),
        propensity=torch.ones(n, dtype=torch.float64),
        set_index=torch.zeros(n, dtype=torch.int64),
        available=torch.ones(1, 2, dtype=torch.bool),
        segment=torch.tensor(SEGMENT),
        cluster=torch.arange(n),
        item_features=torch.zeros(2, 1),
        n_slots=1,
    )
    return Tasks(
        rounds,
        torch.tensor(WINDOW),
        torch.tensor([0, 2, 2]),
        torch.zeros(3, 1, 2),
        ("a", "b", "c"),
        ("x", "y"),
    )


def holdout(truth: Truth | None = None) -> Holdout:
    rounds = tasks().window("holdout")
    return Holdout(rounds, q_hat=rounds.context.double().expand(-1, 2), truth=truth)


def test_unseen_are_test_segments_with_a_holdout() -> None:
    assert holdout().segments == [0, 1]
    assert unseen_segments(tasks(), holdout()) == [1]


def test_each_has_its_own_support_holdout_and_reward_model() -> None:
    truth = Truth(of_action=torch.arange(6.0).reshape(3, 2), of_log=torch.tensor([1.0, 2.0, 6.0]))
    [unseen] = each_unseen(tasks(), holdout(truth))
    assert unseen.segment == 1
    assert unseen.support.context.flatten().tolist() == [2.0, 3.0]
    assert unseen.holdout.context.flatten().tolist() == [4.0, 5.0]
    assert unseen.q_hat.tolist() == [[4.0, 4.0], [5.0, 5.0]]
    assert unseen.true_rewards is not None and unseen.true_rewards.tolist() == [[2.0, 3.0], [4.0, 5.0]]


def test_a_real_shop_has_no_truth() -> None:
    [unseen] = each_unseen(tasks(), holdout())
    assert unseen.true_rewards is None


def test_true_values_are_means_over_all_rounds_and_over_those_of_a_segment() -> None:
    of_action = torch.tensor([[0.0, 1.0], [2.0, 4.0], [6.0, 8.0]])
    known = holdout(Truth(of_action, of_log=torch.tensor([1.0, 2.0, 6.0])))
    assert known.true_values(None) == {None: 3.0, 0: 1.0, 1: 4.0}
    first = torch.tensor([[1.0, 0.0]] * 3)
    assert known.true_values(first) == pytest.approx({None: 8 / 3, 0: 0.0, 1: 4.0})
    assert holdout().true_values(None) == {}
