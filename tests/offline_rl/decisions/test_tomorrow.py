"""What a target's slate is drawn from: the average over its contexts, for whatever policy serves it."""

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from offline_rl.champions.layers import of_tonight
from offline_rl.champions.standing import contexts_of
from offline_rl.decision_targets import DecisionTargets
from offline_rl.decisions.tomorrow import Tomorrow
from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.policies.plackett_luce import slates_at
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.serving import SegmentPolicies
from offline_rl.user_history import Touches, UserHistory


def by_context(
    context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
) -> Tensor:
    """Item 1 scores the context's number, and what its user touched scores a hundred more."""
    scores = torch.tensor([0.0, 1.0, -0.5]) * context
    if history is not None:
        row, entry = history.touches.entries_of(history.state)
        scores[row, history.touches.item[entry]] += 100.0
    return scores


def tomorrow(temperature: float, history: UserHistory | None = None) -> Tomorrow:
    """Target 0 has one context, target 1 two; item 2 can't be shown to target 0."""
    nothing = torch.zeros(0, dtype=torch.int64)
    rounds = LoggedRounds(
        context=torch.zeros(0, 1),
        slot=nothing,
        action=nothing,
        reward=torch.zeros(0),
        propensity=torch.ones(0),
        set_index=nothing,
        available=torch.tensor([[True, True, False], [True, True, True]]),
        segment=nothing,
        cluster=nothing,
        item_features=torch.zeros(3, 1),
        n_slots=2,
    )
    policy = ScoredPolicy("by context", by_context, temperature)
    targets = DecisionTargets(
        rows=pl.DataFrame(),
        context=torch.tensor([[1.0], [0.0], [2.0]]),
        target_of_context=np.array([0, 1, 1]),
        segment=torch.tensor([0, 0]),
        set_index=torch.tensor([0, 1]),
        history=history,
    )
    layer = of_tonight(SegmentPolicies("p", {}, policy), rounds, tomorrow=contexts_of(targets))
    return Tomorrow(
        tasks=Tasks(
            rounds, nothing, torch.zeros(1, dtype=torch.int8), torch.zeros(1, 2, 3), ("all",), ("a", "b", "c")
        ),
        targets=targets,
        layers=(layer,),
        served=(),
    )


def test_probabilities_are_averaged_over_the_targets_contexts() -> None:
    chances = tomorrow(1.0).chances(np.array([1, 0]))
    softmax = torch.softmax(torch.tensor([[0.0, 0.0, 0.0], [0.0, 2.0, -1.0]], dtype=torch.float64), dim=-1)
    torch.testing.assert_close(chances.logits[0].exp(), softmax.mean(0).expand(2, 3))
    alone = torch.softmax(torch.tensor([0.0, 1.0, -torch.inf], dtype=torch.float64), dim=-1)
    torch.testing.assert_close(chances.logits[1].exp(), alone.expand(2, 3))
    assert chances.available.tolist() == [[True, True, True], [True, True, False]]


def test_a_target_of_a_greedy_policy_gets_a_whole_slate() -> None:
    chances = tomorrow(1e-3).chances(np.array([0, 1]))
    items, _ = slates_at(chances.logits, torch.tensor([[0.5, 0.5], [0.9, 0.5]]))
    assert items[0].tolist() == [1, 0]
    assert bool((items >= 0).all())


def test_the_history_is_that_of_the_user_behind_each_context() -> None:
    touches = Touches(torch.tensor([0, 1, 2]), torch.tensor([0, 2]), torch.ones(2, 5))
    known = tomorrow(1.0, UserHistory(torch.tensor([0, 1, -1]), touches))
    chances = known.chances(np.array([0, 1]))
    assert chances.logits[0, 0].exp().tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-12)
    unknown = torch.softmax(torch.tensor([0.0, 2.0, -1.0], dtype=torch.float64), dim=-1)
    touched = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(chances.logits[1, 0].exp(), (unknown + touched) / 2)
