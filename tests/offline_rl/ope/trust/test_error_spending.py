"""A gate that is asked every night keeps its error over all nights together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from offline_rl.ope.policy_value import Difference
from offline_rl.ope.trust.error_spending import at_look, confidence_of_look, share_of_look

NIGHTS, SHOPS, LEVEL = 60, 20_000, 0.025


def test_all_looks_together_cost_two_single_questions():
    spent = [share_of_look(look) for look in range(1, 10_001)]
    assert sum(spent) == pytest.approx(2.0 - 1.0 / 10_000)
    assert sum(spent) < 2.0


def test_a_look_before_the_first_is_refused():
    with pytest.raises(ValueError, match="counted from 1"):
        share_of_look(0)


@given(st.integers(1, 2000), st.floats(-1, 1), st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_the_interval_of_a_later_look_holds_that_of_an_earlier_one(look, value, below, above):
    single = Difference("new", "old", value, value - below, value + above)
    earlier, later = (at_look(single, number, 0.95) for number in (look, look + 1))
    assert later.lower <= earlier.lower <= single.lower
    assert single.upper <= earlier.upper <= later.upper
    assert (later.lower < earlier.lower) or look == 1


def promoted_falsely(growth: str, *, with_spending: bool) -> float:
    """Share of shops that ever promote a policy that is no better: normal means, asked every night."""
    rng = np.random.default_rng(4)
    if growth == "new days":
        sums = rng.standard_normal((SHOPS, NIGHTS)).cumsum(1)
        means = sums / np.sqrt(np.arange(1, NIGHTS + 1))
    else:
        # Every night another configuration, on data of its own: the looks have nothing in common.
        means = rng.standard_normal((SHOPS, NIGHTS))
    looks = range(1, NIGHTS + 1) if with_spending else [1] * NIGHTS
    bounds = np.array([norm.isf((1.0 - confidence_of_look(look, 1.0 - 2 * LEVEL)) / 2) for look in looks])
    return float((means > bounds).any(1).mean())


@pytest.mark.parametrize("growth", ["new days", "other data"])
def test_sixty_nights_promote_falsely_in_at_most_one_shop_of_twenty(growth):
    assert promoted_falsely(growth, with_spending=True) < 2 * LEVEL + 3 * np.sqrt(0.05 / SHOPS)
    assert promoted_falsely(growth, with_spending=False) > 0.15
