"""The incumbent's shares, smoothed and restricted."""

import math

import pytest
import torch

from offline_rl.policies.frequency_policy import FrequencyPolicy, smoothed_shares

NOTHING = torch.zeros(1, 0)


def probabilities(shares: list[list[float]], slot: int, available: list[bool]) -> list[float]:
    policy = FrequencyPolicy(torch.tensor(shares, dtype=torch.float64))
    rows = policy.action_probabilities(NOTHING, torch.tensor([slot]), NOTHING, torch.tensor([available]))
    found: list[float] = rows[0].tolist()
    return found


def test_more_strength_moves_a_segment_to_the_pool() -> None:
    counts = torch.tensor([[[8.0, 0.0]], [[0.0, 8.0]]])
    # (8 + s/2) / (8 + s): 5/6 at s = 4, nearly 1/2 at s = 8000.
    assert smoothed_shares(counts, 4.0)[0, 0].tolist() == pytest.approx([5 / 6, 1 / 6])
    assert smoothed_shares(counts, 8000.0)[0, 0].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)


def test_a_slot_nobody_saw_is_uniform() -> None:
    counts = torch.tensor([[[1.0, 3.0], [0.0, 0.0]]])
    assert smoothed_shares(counts, 1.0)[0, 1].tolist() == [0.5, 0.5]


def test_rows_sum_to_one_over_any_segment_and_slot() -> None:
    counts = torch.rand(5, 3, 7, generator=torch.Generator().manual_seed(0)) * 100
    torch.testing.assert_close(smoothed_shares(counts, 2.0).sum(-1), torch.ones(5, 3, dtype=torch.float64))


def test_unavailable_items_get_nothing_and_the_rest_is_renormalized() -> None:
    found = probabilities([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]], 1, [True, False, True])
    assert found == pytest.approx([0.25, 0.0, 0.75])


def test_logits_are_logs_of_the_shares_that_can_be_shown() -> None:
    policy = FrequencyPolicy(torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64))
    available = torch.tensor([[True, False, True], [False, False, True], [False, False, False]])
    found = policy.action_logits(NOTHING, torch.zeros(3, dtype=torch.int64), NOTHING, available)
    impossible = -math.inf
    expected = [[math.log(0.5), impossible, impossible], [impossible, impossible, 0.0], [impossible] * 3]
    assert found.tolist() == expected


def test_new_items_share_equally_where_the_incumbent_knows_none() -> None:
    assert probabilities([[1.0, 0.0, 0.0]], 0, [False, True, True]) == [0.0, 0.5, 0.5]


def test_nothing_available_gives_zeros() -> None:
    assert probabilities([[0.5, 0.5]], 0, [False, False]) == [0.0, 0.0]


@pytest.mark.parametrize(("counts", "strength"), [([[[-1.0]]], 1.0), ([[[1.0]]], 0.0), ([[1.0]], 1.0)])
def test_refusals(counts: list[list[list[float]]], strength: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        smoothed_shares(torch.tensor(counts), strength)
