from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from features.simulator.plackett_luce import by_arrival_times, by_closed_form, draw_slates, slot_marginals


def marginals_by_enumeration(weights: NDArray[np.float64], slots: int) -> NDArray[np.float64]:
    marginals = np.zeros((slots, len(weights)))
    for slate in permutations(range(len(weights)), slots):
        probability, left = 1.0, 1.0
        for item in slate:
            probability *= weights[item] / left
            left -= weights[item]
        marginals[range(slots), slate] += probability
    return marginals


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("items", [6, 8])
def test_marginals_equal_the_sum_over_all_slates(slots: int, items: int) -> None:
    weights = np.random.default_rng(items).dirichlet(np.ones(items))
    np.testing.assert_allclose(
        slot_marginals(weights, slots), marginals_by_enumeration(weights, slots), rtol=1e-10
    )


@pytest.mark.parametrize("slots", [1, 2, 3])
@pytest.mark.parametrize("sharpness", [0.0, 1.0, 6.0])
def test_the_race_and_the_closed_form_agree(slots: int, sharpness: float) -> None:
    # at sharpness 6 the lightest of 200 items has a weight near exp(-30): slow arrivals must still be seen
    weights = np.exp(sharpness * np.random.default_rng(slots).normal(size=200))
    weights /= weights.sum()
    np.testing.assert_allclose(
        by_arrival_times(weights, slots), by_closed_form(weights, slots), rtol=1e-8, atol=1e-300
    )


def test_slates_of_all_items_but_one_have_exact_marginals_too() -> None:
    weights = np.array([0.9, 0.09, 0.009, 0.0009, 0.0000999, 0.0000001])
    np.testing.assert_allclose(slot_marginals(weights, 5), marginals_by_enumeration(weights, 5), rtol=1e-9)


@pytest.mark.parametrize("slots", [2, 4])
def test_what_cannot_be_shown_has_no_chance_and_changes_nothing_else(slots: int) -> None:
    weights = np.random.default_rng(7).dirichlet(np.ones(6))
    with_gaps = np.insert(weights, [0, 3], 0.0)
    marginals = slot_marginals(with_gaps, slots)
    assert (marginals[:, [0, 4]] == 0).all()
    np.testing.assert_allclose(np.delete(marginals, [0, 4], axis=1), slot_marginals(weights, slots))
    assert not np.isin(draw_slates(with_gaps, 1000, slots, np.random.default_rng(0)), [0, 4]).any()


def test_marginals_of_the_paper_example() -> None:
    # second slot, item 0: 1/4 * (1/2)/(3/4) twice
    np.testing.assert_allclose(slot_marginals(np.array([0.5, 0.25, 0.25]), 2)[1], [1 / 3, 1 / 3, 1 / 3])


def test_each_slot_shows_one_item() -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(30))
    np.testing.assert_allclose(slot_marginals(weights, 5).sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("weights", "slots"),
    [
        ([0.5, 0.5], 2),
        ([0.25] * 4, 4),
        ([0.25] * 4, 0),
        ([0.5, 0.5, 0.5], 1),
        ([1.0, 0.0, 0.0], 1),
        ([0.6, 0.6, -0.2], 1),
    ],
)
def test_what_is_not_a_choice_is_refused(weights: list[float], slots: int) -> None:
    with pytest.raises(ValueError, match=r"slots|Weights"):
        slot_marginals(np.array(weights), slots)


def test_drawn_slates_hold_different_items_at_their_marginal_rate() -> None:
    weights = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    n = 40_000
    slates = draw_slates(weights, n, 3, np.random.default_rng(1))
    assert (np.sort(slates, axis=1)[:, 1:] > np.sort(slates, axis=1)[:, :-1]).all()
    expected = slot_marginals(weights, 3)
    frequency = np.stack([np.bincount(slates[:, slot], minlength=5) / n for slot in range(3)])
    z = (frequency - expected) / np.sqrt(expected * (1 - expected) / n)
    assert np.abs(z).max() < 4
