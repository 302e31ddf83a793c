"""Whole cents: the total is met, limits are kept, nobody moves by more than a cent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.decisions.budget.largest_remainder import whole_cents


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=30))
def test_total_and_limits_hold_and_amounts_move_by_less_than_a_cent(amounts: list[float]) -> None:
    exact = np.array(amounts)
    total = round(exact.sum())
    lower, upper = np.floor(exact).astype(np.int64), np.ceil(exact).astype(np.int64)
    cents = whole_cents(exact, total, lower, upper)
    assert cents.sum() == total
    assert (np.abs(cents - exact) < 1).all()
    assert ((lower <= cents) & (cents <= upper)).all()


def test_ties_go_to_the_first() -> None:
    assert whole_cents(np.full(3, 0.5), 1, np.zeros(3, np.int64), np.ones(3, np.int64)).tolist() == [1, 0, 0]


def test_a_full_cell_passes_its_cent_on() -> None:
    found = whole_cents(np.array([1.9, 1.2]), 3, np.array([0, 0]), np.array([1, 9]))
    assert found.tolist() == [1, 2]


def test_cents_too_many_are_taken_back_from_the_smallest_remainder() -> None:
    found = whole_cents(np.array([2.0, 3.4]), 4, np.array([0, 0]), np.array([9, 9]))
    assert found.tolist() == [1, 3]


def test_limits_that_cannot_hold_the_total_are_refused() -> None:
    with pytest.raises(ValueError, match="hold 0 to 2 cents, not a total of 3"):
        whole_cents(np.array([1.0, 1.0]), 3, np.zeros(2, np.int64), np.ones(2, np.int64))
