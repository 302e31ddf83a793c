import itertools

import pytest
import torch

from offline_rl.policies.exploration import explored_marginals, explored_slates
from offline_rl.policies.plackett_luce import slate_log_probability, slates_at
from offline_rl.policies.slot_marginals import slot_marginals

LOGITS = torch.tensor([[[0.6, 0.3, 0.1, 0.0], [0.1, 0.1, 0.8, 0.0]]], dtype=torch.float64).log()
AVAILABLE = torch.tensor([[True, True, True, True]])
EPSILON = torch.tensor([0.3])
CHALLENGER = torch.tensor([[[0.0, 0.0, 0.2, 0.8], [0.4, 0.4, 0.1, 0.1]]], dtype=torch.float64).log()


def everything():
    """Every slate of two of the four items."""
    slates = torch.tensor(list(itertools.permutations(range(4), 2)))
    n = len(slates)
    return slates, LOGITS.expand(n, 2, 4), AVAILABLE.expand(n, 4)


def probabilities_of_all_slates(challenger: torch.Tensor | None):
    """Seven slates of ten are the policy's; of the others all are uniform, or half of them a challenger's."""
    slates, logits, available = everything()
    own = slate_log_probability(logits, slates).exp()
    even = slate_log_probability(available.double().log()[:, None, :].expand_as(logits), slates).exp()
    if challenger is None:
        return slates, 0.7 * own + 0.3 * even
    asks = slate_log_probability(challenger.expand_as(logits), slates).exp()
    return slates, 0.7 * own + 0.15 * even + 0.15 * asks


@pytest.mark.parametrize("challenger", [None, CHALLENGER], ids=["uniform", "half a challenger's"])
def test_slates_share_all_probability_and_marginals_are_their_sums(challenger):
    slates, probability = probabilities_of_all_slates(challenger)
    assert probability.sum() == pytest.approx(1.0)
    marginals = explored_marginals(LOGITS, AVAILABLE, EPSILON, challenger)[0]
    for slot, item in itertools.product(range(2), range(4)):
        assert marginals[slot, item] == pytest.approx(probability[slates[:, slot] == item].sum())


@pytest.mark.parametrize("challenger", [None, CHALLENGER], ids=["uniform", "half a challenger's"])
def test_drawn_slates_come_as_often_as_they_say(challenger):
    n = 40_000
    uniforms = torch.rand(n, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    asks = None if challenger is None else challenger.expand(n, 2, 4)
    items, log_probability, explores = explored_slates(
        LOGITS.expand(n, 2, 4), AVAILABLE.expand(n, 4), EPSILON.expand(n), uniforms, asks
    )
    assert explores.double().mean().item() == pytest.approx(0.3, abs=0.01)
    slates, probability = probabilities_of_all_slates(challenger)
    for slate, expected in zip(slates, probability, strict=True):
        drawn = (items == slate).all(1)
        assert abs(drawn.double().mean() - expected) < 4 * (expected * (1 - expected) / n).sqrt() + 1e-9
        if drawn.any():
            assert log_probability[drawn][0].exp() == pytest.approx(expected)


def test_a_greedy_policy_keeps_its_second_choice_in_the_second_slot():
    greedy = torch.tensor([3.0, 2.0, 1.0, 0.0], dtype=torch.float64) / 0.02
    marginals = explored_marginals(greedy.expand(1, 2, 4), AVAILABLE, torch.tensor([0.1]))[0]
    torch.testing.assert_close(marginals[0], torch.tensor([0.925, 0.025, 0.025, 0.025], dtype=torch.float64))
    torch.testing.assert_close(marginals[1], torch.tensor([0.025, 0.925, 0.025, 0.025], dtype=torch.float64))


def test_no_exploration_is_the_policy_itself():
    zero = torch.zeros(1)
    torch.testing.assert_close(explored_marginals(LOGITS, AVAILABLE, zero), slot_marginals(LOGITS))
    uniforms = torch.tensor([[0.0, 0.5, 0.5]], dtype=torch.float64)
    items, log_probability, _ = explored_slates(LOGITS, AVAILABLE, zero, uniforms)
    torch.testing.assert_close(log_probability, slate_log_probability(LOGITS, items))


def test_fewer_items_than_slots_leave_slots_empty():
    one = torch.tensor([[True, False, False, False]])
    alone = torch.tensor([[[1.0, 0.0, 0.0, 0.0]] * 2], dtype=torch.float64).log()
    marginals = explored_marginals(alone, one, EPSILON)[0]
    assert marginals.tolist() == [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    items, log_probability, _ = explored_slates(alone, one, EPSILON, torch.rand(1, 3))
    assert items.tolist() == [[0, -1]]
    assert log_probability.exp().item() == pytest.approx(1.0)


def test_a_slates_probability_is_what_the_sampler_says():
    uniforms = torch.rand(100, 2, generator=torch.Generator().manual_seed(3))
    items, log_probability = slates_at(LOGITS.expand(100, 2, 4), uniforms)
    torch.testing.assert_close(slate_log_probability(LOGITS.expand(100, 2, 4), items), log_probability)


def test_a_slate_that_cant_be_drawn_has_no_probability():
    assert slate_log_probability(LOGITS, torch.tensor([[3, 0]])).item() == -torch.inf


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match=r"0\.\.1"):
        explored_marginals(LOGITS, AVAILABLE, torch.tensor([share]))
