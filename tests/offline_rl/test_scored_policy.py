"""A policy over any scores: the softmax of a two-tower policy, for scores that are not one's own."""

import pytest
import torch

from offline_rl.policies.scored_policy import LevelScore, ScoredPolicy
from offline_rl.policies.softmax_policy import SoftmaxPolicy, init_parameters
from offline_rl.two_tower import TwoTowerScore
from offline_rl.user_history import Touches, UserHistory

CONTEXT = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
SLOT = torch.tensor([0, 1, 0, 1, 0, 1, 0])
ITEMS = torch.randn(4, 2, generator=torch.Generator().manual_seed(1))


def test_two_tower_scores_give_the_softmax_policys_probabilities() -> None:
    parameters = init_parameters(3, 2, 4, 2, hidden=5, generator=torch.Generator().manual_seed(2))
    available = torch.ones(7, 4, dtype=torch.bool)
    available[2, 1:] = False
    available[3, 0] = False
    scored = ScoredPolicy("scored", TwoTowerScore(parameters), 0.3)
    softmax = SoftmaxPolicy("softmax", parameters, 0.3)
    found = scored.action_probabilities(CONTEXT, SLOT, ITEMS, available)
    torch.testing.assert_close(found, softmax.action_probabilities(CONTEXT, SLOT, ITEMS, available))
    assert found[2].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_row_without_an_available_item_is_a_sentence() -> None:
    policy = ScoredPolicy("any", LevelScore(0.0), 1.0)
    available = torch.ones(7, 4, dtype=torch.bool)
    available[5] = False
    with pytest.raises(ValueError, match="Row 5 has no available action"):
        policy.action_probabilities(CONTEXT, SLOT, ITEMS, available)


def test_the_score_is_told_the_users_history() -> None:
    asked = []

    def score(
        context: torch.Tensor, slot: torch.Tensor, items: torch.Tensor, history: UserHistory | None = None
    ) -> torch.Tensor:
        asked.append(history)
        return torch.zeros(len(context), len(items))

    nothing = Touches(torch.zeros(1, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 5))
    history = UserHistory(torch.full((7,), -1), nothing)
    policy, available = ScoredPolicy("asks", score, 1.0), torch.ones(7, 4, dtype=torch.bool)
    policy.action_logits(CONTEXT, SLOT, ITEMS, available, history)
    policy.action_probabilities(CONTEXT, SLOT, ITEMS, available, history)
    policy.action_probabilities(CONTEXT, SLOT, ITEMS, available)
    assert asked == [history, history, None]


def test_logits_are_divided_in_float64() -> None:
    logits = ScoredPolicy("any", LevelScore(0.1), 0.01).action_logits(
        CONTEXT, SLOT, ITEMS, torch.ones(7, 4, dtype=torch.bool)
    )
    assert logits.dtype == torch.float64
    assert logits[0, 0].item() == torch.tensor(0.1).item() / 0.01
