"""Exact slot probabilities against enumeration, against sampling, and their laws."""

import itertools
import math
from decimal import Decimal
from typing import TypeVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from offline_rl.policies.plackett_luce import slate_log_probability, slates_at
from offline_rl.policies.slot_marginals import slot_marginals

Number = TypeVar("Number", float, Decimal)


def uniforms(n_rows: int, n_slots: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n_rows, n_slots, dtype=torch.float64, generator=generator)


def exactly(logits: Tensor) -> list[list[Decimal]]:
    """Weights [L][A] of the logits of one row, to 28 digits and with any exponent."""
    return [[Decimal(logit).exp() for logit in slot] for slot in logits.tolist()]


def enumerated(weights: list[list[Number]]) -> dict[tuple[int, ...], Number]:
    """Every slate and its probability, by following each draw; -1 is an empty slot."""
    slates = {(): type(weights[0][0])(1)}
    for slot in weights:
        longer: dict[tuple[int, ...], Number] = {}
        for placed, probability in slates.items():
            left = {i: w for i, w in enumerate(slot) if w > 0 and i not in placed}
            mass = sum(left.values())
            for item, weight in left.items():
                longer[(*placed, item)] = probability * weight / mass
            if not left:
                longer[(*placed, -1)] = probability
        slates = longer
    return slates


def marginals_of(slates: dict[tuple[int, ...], Number], n_slots: int, n_items: int) -> Tensor:
    marginals = torch.zeros(n_slots, n_items, dtype=torch.float64)
    for slate, probability in slates.items():
        for slot, item in enumerate(slate):
            if item >= 0:
                marginals[slot, item] += float(probability)
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
    torch.testing.assert_close(slot_marginals(weights.log()[None])[0], expected, atol=1e-14, rtol=1e-12)


def spread_logits(n_slots: int, n_items: int, *, spread: float, kind: str, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = spread * torch.rand(n_slots, n_items, dtype=torch.float64, generator=generator)
    if kind == "ties":
        return (3 * logits / spread).round() * spread / 3
    is_out = torch.rand(n_items, generator=generator) < (0.4 if kind == "some unavailable" else 0.0)
    return logits.masked_fill(is_out, -torch.inf)


@pytest.mark.parametrize("spread", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("kind", ["plain", "ties", "some unavailable"])
@pytest.mark.parametrize("n_slots", [1, 2, 3])
def test_leads_of_any_size_leave_every_digit(n_slots: int, kind: str, spread: float) -> None:
    for n_items in range(1, 7):
        logits = spread_logits(n_slots, n_items, spread=spread, kind=kind, seed=10 * n_slots + n_items)
        slates = enumerated(exactly(logits))
        found = slot_marginals(logits[None])[0]
        # The logit itself is rounded: a spread of 1000 costs three digits of a probability. Below 1e-300 a
        # float has no digits left.
        torch.testing.assert_close(
            found, marginals_of(slates, n_slots, n_items), atol=1e-300, rtol=1e-14 * (10 + spread)
        )
        items = torch.tensor(list(slates))
        logged = slate_log_probability(logits.expand(len(items), -1, -1), items)
        expected = torch.tensor([float(each.ln()) for each in slates.values()], dtype=torch.float64)
        torch.testing.assert_close(logged, expected, atol=1e-13 * spread, rtol=1e-13)


def test_a_greedy_policy_fills_every_slot() -> None:
    # At temperature 0.01 the first item leads by 110 in log-odds, and the second by 10.
    logits = torch.tensor([1.1, 0.0, -0.1, -0.2, -0.3], dtype=torch.float64) / 0.01
    items, log_probability = slates_at(logits.expand(50, 3, 5), uniforms(50, 3, seed=4))
    assert {tuple(slate) for slate in items.tolist()} == {(0, 1, 2)}
    assert log_probability.tolist() == pytest.approx([0.0] * 50, abs=1e-3)
    assert slot_marginals(logits.expand(1, 3, 5)).sum(-1).tolist() == [pytest.approx([1.0, 1.0, 1.0])]


def test_a_slate_is_drawn_beyond_what_a_probability_can_hold() -> None:
    logits = torch.tensor([3000.0, 2000.0, 1000.0, 0.0]).expand(1, 4, 4)
    items, log_probability = slates_at(logits, uniforms(1, 4, seed=0))
    assert items.tolist() == [[0, 1, 2, 3]]
    assert log_probability.tolist() == [0.0]
    # Backwards each item is drawn while the first still leads by 3000, 2000, 1000 and, at last, nothing.
    assert slate_log_probability(logits, torch.tensor([[3, 2, 1, 0]])).tolist() == [-6000.0]


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
    found = slot_marginals(torch.tensor(weights, dtype=torch.float64).log()[None])[0]
    torch.testing.assert_close(found, expected, atol=0, rtol=1e-12)


def test_float32_rows_that_do_not_quite_sum_to_one_are_renormalized() -> None:
    weights = torch.softmax(torch.randn(50, 3, 30, generator=torch.Generator().manual_seed(1)), dim=-1)
    torch.testing.assert_close(slot_marginals(weights.log()).sum(-1), torch.ones(50, 3, dtype=torch.float64))


def test_sampling_agrees_with_the_marginals() -> None:
    n = 40_000
    weights = random_weights(3, 5, seed=3)
    items, _ = slates_at(weights.log().expand(n, 3, 5), uniforms(n, 3, seed=7))
    shares = torch.nn.functional.one_hot(items, 5).double().mean(0)
    marginals = slot_marginals(weights.log()[None])[0]
    standard_error = (marginals * (1 - marginals) / n).sqrt()
    assert ((shares - marginals).abs() <= 5 * standard_error + 1e-12).all()


def test_log_probability_is_that_of_the_slate() -> None:
    weights = random_weights(3, 4, seed=5)
    slates = enumerated(weights.tolist())
    items, log_probability = slates_at(weights.log().expand(500, 3, 4), uniforms(500, 3, seed=2))
    for slate, logged in zip(items.tolist(), log_probability.tolist(), strict=True):
        assert logged == pytest.approx(math.log(slates[tuple(slate)]), abs=1e-12)


def test_no_item_is_placed_twice_and_empty_slots_are_marked() -> None:
    two_items = torch.tensor([0.3, 0.0, 0.7]).log().expand(200, 3, 3)
    items, log_probability = slates_at(two_items, uniforms(200, 3, seed=0))
    assert {tuple(slate) for slate in items.tolist()} == {(0, 2, -1), (2, 0, -1)}
    assert set(log_probability.exp().mul(10).round().tolist()) == {3.0, 7.0}


def test_gradient_is_exact_and_finite_at_zeros() -> None:
    logits = random_weights(3, 4, seed=11).log()[None].requires_grad_()
    assert torch.autograd.gradcheck(slot_marginals, (logits,))
    one_hot = torch.eye(4, dtype=torch.float64)[[0, 0, 1]].log()
    for rows in (one_hot, torch.zeros(3, 4).double(), 1000.0 * torch.eye(4, dtype=torch.float64)[[0, 0, 1]]):
        edge = rows[None].clone().requires_grad_()
        slot_marginals(edge)[0, 2, 1].backward()
        assert edge.grad is not None
        assert edge.grad.isfinite().all()


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
    marginals = slot_marginals(torch.tensor(weights, dtype=torch.float64).log()[None])[0]
    filled = [0.0] * len(weights)
    for slate, probability in enumerated(weights).items():
        for slot, item in enumerate(slate):
            filled[slot] += probability * (item >= 0)
    assert marginals.sum(-1).tolist() == pytest.approx(filled, abs=1e-9)
    assert (marginals >= 0).all()
    assert (marginals.sum(0) <= 1 + 1e-9).all()
    assert (marginals[torch.tensor(weights) == 0] == 0).all()


LOGITS = st.one_of(st.just(-math.inf), st.floats(-1000.0, 1000.0), st.integers(-2, 2).map(float))


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 5)).flatmap(
        lambda shape: st.lists(
            st.lists(LOGITS, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
        )
    )
)
def test_marginals_are_exact_for_any_logits(rows: list[list[float]]) -> None:
    logits = torch.tensor(rows, dtype=torch.float64)
    expected = marginals_of(enumerated(exactly(logits)), *logits.shape)
    torch.testing.assert_close(slot_marginals(logits[None])[0], expected, atol=1e-300, rtol=1e-11)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2), st.integers(0, 10_000))
def test_a_row_does_not_depend_on_its_neighbors(uniforms: list[float], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.rand(3, 2, 5, generator=generator).log()
    others = torch.rand(3, 2, generator=generator, dtype=torch.float64)
    others[1] = torch.tensor(uniforms, dtype=torch.float64)
    together = slates_at(logits, others)
    alone = slates_at(logits[1:2], others[1:2])
    assert torch.equal(together[0][1], alone[0][0])
    assert torch.equal(together[1][1], alone[1][0])


@pytest.mark.parametrize(
    ("logits", "sentence"),
    [
        (torch.zeros(1, 4, 5), "at most 3 slots"),
        (torch.zeros(3, 5), "give \\[rounds, slots, items\\]"),
        (torch.tensor([[[math.inf, 2.0]]]), "pass logs of probabilities"),
        (torch.tensor([[[math.nan, 1.0]]]), "pass logs of probabilities"),
    ],
)
def test_refusals_say_what_to_do(logits: Tensor, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        slot_marginals(logits)
