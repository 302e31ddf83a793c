"""Items that a policy does not know are scored by those it knows, on catalogs that are solved on paper."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.champions.another_catalog import InAnotherCatalog, likeness, own_history
from offline_rl.policies.frequency_policy import FrequencyPolicy
from offline_rl.policies.scored_policy import ItemScore, ScoredPolicy
from offline_rl.user_history import Touches, UserHistory

NOTHING = torch.zeros(1, 0)


@given(
    st.lists(st.lists(st.floats(-3, 3), min_size=2, max_size=2), min_size=1, max_size=6),
    st.lists(st.floats(-3, 3), min_size=2, max_size=2),
)
def test_weights_sum_to_one_for_any_attributes(own, new):
    weights = likeness(torch.tensor([new]), torch.tensor(own))
    torch.testing.assert_close(weights.sum(1), torch.ones(1, dtype=torch.float64), rtol=1e-9, atol=1e-9)


def test_without_attributes_every_own_item_counts_the_same():
    assert likeness(torch.zeros(1, 0), torch.zeros(4, 0)).tolist() == [[0.25] * 4]


def asked(policy, known: list[int], new: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    there = InAnotherCatalog(policy, own, 1, torch.tensor(known), likeness(new, own))
    available = torch.ones(1, len(known), dtype=torch.bool)
    return there.action_logits(NOTHING, torch.tensor([2]), NOTHING, available)


def test_a_new_red_item_is_scored_between_all_items_and_the_red_ones():
    own = torch.tensor([[1.0], [1.0], [0.0], [0.0]])
    policy = ScoredPolicy("p", ItemScore(torch.tensor([3.0, 3.0, 1.0, 1.0])), 1.0)
    # 0.375 * 6 + 0.125 * 2: half of the way from the mean 2 to the red items' 3.
    assert asked(policy, [0, -1, 2], torch.tensor([[1.0]]), own).tolist() == [[3.0, 2.5, 1.0]]


def test_an_item_that_is_gone_leaves_its_chance_to_the_others():
    policy = FrequencyPolicy(torch.tensor([[0.5, 0.25, 0.25]]))
    logits = asked(policy, [2, 1], torch.zeros(0, 0), torch.zeros(3, 0))
    assert torch.softmax(logits, -1).tolist() == [[0.5, 0.5]]


def test_a_record_of_what_was_shown_knows_nothing_of_new_items():
    policy = FrequencyPolicy(torch.tensor([[1.0, 0.0]]))
    found = torch.softmax(asked(policy, [0, 1, -1], torch.zeros(1, 0), torch.zeros(2, 0)), -1)
    assert found.tolist() == [[1.0, 0.0, 0.0]]
    # Where nothing that was ever shown is left, all that is left has the same chance.
    left = torch.softmax(asked(policy, [1, -1], torch.zeros(1, 0), torch.zeros(2, 0)), -1)
    assert left.tolist() == [[0.5, 0.5]]


def test_touches_of_new_items_are_left_out():
    table = Touches(torch.tensor([0, 2, 2, 3]), torch.tensor([0, 1, 0]), torch.arange(15.0).reshape(3, 5))
    found = own_history(UserHistory(torch.tensor([2, -1]), table), torch.tensor([5, -1]))
    assert found.touches.first.tolist() == [0, 1, 1, 2]
    assert found.touches.item.tolist() == [5, 5]
    assert found.touches.amount[:, 0].tolist() == [0.0, 10.0]
    assert own_history(None, torch.tensor([0])) is None
