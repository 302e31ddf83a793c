"""Exact slot probabilities against enumeration, against sampling, and their laws."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from offline_rl.policies.plackett_luce import slates_at, slot_marginals


def uniforms(n_rows: int, n_slots: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n_rows, n_slots, dtype=torch.float64, generator=generator)


def enumerated(weights: list[list[float]]) -> dict[tuple[int, ...], float]:
    """Every slate and its probability, by following each draw; -1 is an empty slot."""
    slates = {(): 1.0}
    for slot in weights:
        longer: dict[tuple[int, ...], float] = {}
        for placed, probability in slates.items():
            left = {i: w for i, w in enumerate(slot) if w > 0 and i not in placed}
            mass = sum(left.values())
            for item, weight in left.items():
                longer[(*placed, item)] = probability * weight / mass
            if not left:
                longer[(*placed, -1)] = probability
        slates = longer
    return slates


def marginals_of(slates: dict[tuple[int, ...], float], n_slots: int, n_items: int) -> Tensor:
    marginals = torch.zeros(n_slots, n_items, dtype=torch.float64)
    for slate, probability in slates.items():
        for slot, item in enumerate(slate):
            if item >= 0:
                marginals[slot, item] += probability
    return marginals


def random_weights(n_slots: int, n_items: int, *, seed: int, zero_share: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(n_slots, n_items, dtype=torch.float64, generator=generator) ** 3
    is_available = torch.rand(n_items, generator=generator) >= zero_share
    return weights * is_available / (weights * is_available).sum(-1, keepdim=True).clamp(min=1e-12)


@pytest.mark.parametrize(("n_slots", "n_items"), list(itertools.product([1, 2, 3], range(1, 7))))
@pytest.mark.parametrize("zero_share", [0.0, 0.4])
def test_marginals_are_those_of_all_slates(n_slots: int, n_items: int, zero_share: float) -> None:
    weights = random_weights(n_slots, n_items, seed=10 * n_slots + n_items, zero_share=zero_share)
    expected = marginals_of(enumerated(weights.tolist()), n_slots, n_items)
    torch.testing.assert_close(slot_marginals(weights[None])[0], expected, atol=1e-14, rtol=1e-12)


@pytest.mark.parametrize(
    "weights",
    [
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],  # deterministic, all different
        [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]],  # slot 2 finds its only item placed
        [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]],
        [[0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]],  # slot 1 has nothing to draw from
        [[0.5, 0.5, 0, 0], [1, 0, 0, 0], [0.2, 0.2, 0.6, 0]],  # slot 2 is filled half of the time
        [[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]],  # two items, three slots
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        [[1, 1e-14, 1e-15, 1e-16], [1e-14, 1, 1e-15, 0], [1, 1e-9, 1e-18, 1e-19]],  # 1 - p cancels
    ],
)
def test_edges_are_those_of_all_slates(weights: list[list[float]]) -> None:
    expected = marginals_of(enumerated(weights), 3, 4)
    found = slot_marginals(torch.tensor(weights, dtype=torch.float64)[None])[0]
    torch.testing.assert_close(found, expected, atol=0, rtol=1e-12)


def test_float32_rows_that_do_not_quite_sum_to_one_are_renormalized() -> None:
    weights = torch.softmax(torch.randn(50, 3, 30, generator=torch.Generator().manual_seed(1)), dim=-1)
    torch.testing.assert_close(slot_marginals(weights).sum(-1), torch.ones(50, 3, dtype=torch.float64))


def test_sampling_agrees_with_the_marginals() -> None:
    n = 40_000
    weights = random_weights(3, 5, seed=3)
    items, _ = slates_at(weights.expand(n, 3, 5), uniforms(n, 3, seed=7))
    shares = torch.nn.functional.one_hot(items, 5).double().mean(0)
    marginals = slot_marginals(weights[None])[0]
    standard_error = (marginals * (1 - marginals) / n).sqrt()
    assert ((shares - marginals).abs() <= 5 * standard_error + 1e-12).all()


def test_log_probability_is_that_of_the_slate() -> None:
    weights = random_weights(3, 4, seed=5)
    slates = enumerated(weights.tolist())
    items, log_probability = slates_at(weights.expand(500, 3, 4), uniforms(500, 3, seed=2))
    for slate, logged in zip(items.tolist(), log_probability.tolist(), strict=True):
        assert logged == pytest.approx(math.log(slates[tuple(slate)]), abs=1e-12)


def test_no_item_is_placed_twice_and_empty_slots_are_marked() -> None:
    two_items = torch.tensor([0.3, 0.0, 0.7]).expand(200, 3, 3)
    items, log_probability = slates_at(two_items, uniforms(200, 3, seed=0))
    assert {tuple(slate) for slate in items.tolist()} == {(0, 2, -1), (2, 0, -1)}
    assert set(log_probability.exp().mul(10).round().tolist()) == {3.0, 7.0}


def test_gradient_is_exact_and_finite_at_zeros() -> None:
    weights = random_weights(3, 4, seed=11)[None].requires_grad_()
    assert torch.autograd.gradcheck(slot_marginals, (weights,))
    one_hot = torch.eye(4, dtype=torch.float64)[[0, 0, 1]][None].requires_grad_()
    slot_marginals(one_hot)[0, 2, 1].backward()
    assert one_hot.grad is not None
    assert one_hot.grad.isfinite().all()


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda n_slots: st.integers(1, 7).flatmap(
            lambda n_items: st.lists(
                st.lists(st.one_of(st.just(0.0), st.floats(1e-12, 1.0)), min_size=n_items, max_size=n_items),
                min_size=n_slots,
                max_size=n_slots,
            )
        )
    )
)
def test_laws_of_marginals(weights: list[list[float]]) -> None:
    marginals = slot_marginals(torch.tensor(weights, dtype=torch.float64)[None])[0]
    filled = [0.0] * len(weights)
    for slate, probability in enumerated(weights).items():
        for slot, item in enumerate(slate):
            filled[slot] += probability * (item >= 0)
    assert marginals.sum(-1).tolist() == pytest.approx(filled, abs=1e-9)
    assert (marginals >= 0).all()
    assert (marginals.sum(0) <= 1 + 1e-9).all()
    assert (marginals[torch.tensor(weights) == 0] == 0).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2), st.integers(0, 10_000))
def test_a_row_does_not_depend_on_its_neighbors(uniforms: list[float], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(3, 2, 5, generator=generator)
    others = torch.rand(3, 2, generator=generator, dtype=torch.float64)
    others[1] = torch.tensor(uniforms, dtype=torch.float64)
    together = slates_at(weights, others)
    alone = slates_at(weights[1:2], others[1:2])
    assert torch.equal(together[0][1], alone[0][0])
    assert torch.equal(together[1][1], alone[1][0])


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [
        (torch.ones(1, 4, 5) / 5, "at most 3 slots"),
        (torch.ones(3, 5) / 5, "give \\[rounds, slots, items\\]"),
        (torch.tensor([[[-1.0, 2.0]]]), "not logits"),
        (torch.tensor([[[math.nan, 1.0]]]), "not logits"),
    ],
)
def test_refusals_say_what_to_do(probabilities: Tensor, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        slot_marginals(probabilities)
