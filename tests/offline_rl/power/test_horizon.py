"""Days and lifts: answers on paper, and laws that no shop breaks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_rl.power.designs import Design, OffPolicy, TwoArms
from offline_rl.power.horizon import YEAR, Needed, Traffic, days_needed, smallest_lift
from offline_rl.power.normal_test import Asked
from offline_rl.power.slate_exploration import explored_weights, logged_weights
from offline_rl.power.user_growth import MONTH, UserGrowth

ASKED = Asked()
MOST_USEFUL = 0.82
"""Share of exploration up to which more of it needs fewer days, whatever the number of items."""


def shop(
    *,
    rate: float = 0.1,
    users: float = 1000,
    rounds: float = 3,
    rho: float = 0.0,
    in_a_month: float | None = None,
) -> Traffic:
    return Traffic(rate, users * rounds, UserGrowth.of_numbers(users, rounds, rho, in_a_month))


def days(design: Design, traffic: Traffic, lift: float, asked: Asked = ASKED) -> float:
    needed = days_needed(design, traffic, lift, asked)
    return np.inf if needed.days is None else needed.days


def explored(exploration: float, available: int = 10, differs: float = 1.0) -> OffPolicy:
    return OffPolicy(explored_weights(exploration, available), differs)


def test_the_rule_of_sixteen():
    """16 σ² / δ² rounds in each of two equal arms, at 95 % confidence and a power of 80 %.

    A rate of 10 % and a lift of 1 %: σ² = 0.09, δ = 0.001, so 16 · 0.09 / 10⁻⁶ = 1.44 million an arm, 2.88
    million in all; 15.7 in the place of 16 and the candidate's own variance make it 2.84 million.
    """
    traffic = shop(users=10_000, rounds=1)

    assert days(TwoArms(0.5), traffic, 0.01) == pytest.approx(284, abs=2)


def test_off_policy_on_paper():
    """A = 4 items, every slate uniform: E[w_c²] = E[w_s²] = 4, and p (1 − p) = 0.25 for both.

    Var(D) = 4 · 0.25 + 4 · 0.25 = 2 and δ = 0.1 · 0.5, so 2.8² · 2 / 0.05² = 6,279 rounds, less what a
    candidate with a rate of 0.55 lacks in variance: 0.2475 in the place of 0.25.
    """
    traffic = Traffic(0.5, 100.0, UserGrowth.of_numbers(100, 1, 0.0, None))

    assert days(explored(1.0, 4), traffic, 0.1) == np.ceil(2.8016**2 * 4 * (0.25 + 0.2475) / 0.05**2 / 100)


def test_a_log_that_shows_uniform_items_is_worth_as_much_as_its_moment_says():
    """Uniform over 4 items, against the uniform policy itself: (4 + 1 − 2) p (1 − p)."""
    assert OffPolicy(logged_weights(4.0)).spread(0.5, 0.0, 0.0).independent == pytest.approx(0.75)


@given(
    exploration=st.floats(0.01, 0.8),
    available=st.integers(2, 200),
    lift=st.floats(0.02, 0.5),
    more=st.floats(1.05, 4),
)
def test_more_users_more_exploration_or_a_larger_lift_need_no_more_days(exploration, available, lift, more):
    design, traffic = explored(exploration, available), shop(rho=0.05, in_a_month=9000)
    needed = days(design, traffic, lift)

    assert days(design, shop(users=1000 * more, rho=0.05, in_a_month=9000 * more), lift) <= needed
    assert days(explored(min(MOST_USEFUL, exploration * more), available), traffic, lift) <= needed
    assert days(design, traffic, lift * more) <= needed
    assert days(design, traffic, lift, Asked(power=0.7)) <= needed
    assert days(design, traffic, lift, Asked(confidence=0.9)) <= needed


def test_a_log_that_only_explores_lacks_what_it_is_compared_with():
    """E[w_c²] + E[w_s²] of 9 items: 9 + 9 where all slates are uniform, 12 + 3 at three quarters."""
    assert days(explored(1.0, 9), shop(), 0.3) > days(explored(0.75, 9), shop(), 0.3)


@given(share=st.floats(0.05, 0.5), lift=st.floats(0.005, 0.5), rho=st.floats(0.001, 0.3))
def test_even_arms_are_best_and_users_who_return_cost_days(share, lift, rho):
    returning = shop(rho=rho, in_a_month=5000)

    assert days(TwoArms(0.5), returning, lift) <= days(TwoArms(share), returning, lift) + 1
    assert days(TwoArms(share), shop(rho=rho), lift) <= days(TwoArms(share), returning, lift)
    assert days(TwoArms(share), shop(), lift) <= days(TwoArms(share), shop(rho=rho), lift)


@given(lift=st.floats(0.01, 0.03), exploration=st.floats(0.2, 1.0))
def test_half_the_lift_needs_about_four_times_the_days(lift, exploration):
    """Not quite four: a smaller lift has the smaller variance of its candidate, too."""
    for design in (TwoArms(0.5), explored(exploration)):
        traffic = shop(users=10_000, rounds=20)
        needed, of_half = days(design, traffic, lift), days(design, traffic, lift / 2)
        if needed > 5 and of_half <= YEAR:
            assert 3.2 < of_half / needed < 4.5


@given(n_days=st.integers(1, YEAR), exploration=st.floats(0.05, 1.0), differs=st.floats(0.05, 1.0))
def test_the_smallest_lift_is_shown_on_that_day_and_not_before(n_days, exploration, differs):
    traffic = shop(rho=0.02, in_a_month=12_000)
    for design in (TwoArms(0.4), explored(exploration, differs=differs)):
        lift = smallest_lift(design, traffic, n_days, ASKED)
        if lift is None:
            assert days(design, traffic, design.largest_lift(traffic.rate)) > n_days
        else:
            assert days(design, traffic, lift * 1.0001) <= n_days < days(design, traffic, lift * 0.98)


@given(exploration=st.floats(0.01, 1.0), lift=st.floats(0.0, 0.3))
def test_a_change_in_few_rounds_needs_more_lift_in_each_but_less_variance(exploration, lift):
    """Var(D) falls with the share of rounds that differ: the same total lift is seen sooner."""
    few, all_ = (explored(exploration, differs=d).spread(0.1, lift, 0.0).independent for d in (0.5, 1.0))

    assert few < all_


def test_the_same_few_users_never_show_a_small_lift():
    """100 users who always come back: 0.1 · 0.09 between users, and no day brings another user."""
    traffic = shop(users=100, rounds=5, rho=0.1, in_a_month=100)
    left = 2 * np.sqrt(0.1 * 0.09 / 100) * ASKED.errors / 0.1

    assert days_needed(TwoArms(0.5), traffic, 0.9 * left, ASKED) == Needed("never")
    assert days_needed(TwoArms(0.5), traffic, 1.2 * left, ASKED).outcome in ("days", "beyond_a_year")


def test_an_answer_beyond_a_year_is_no_number_and_an_impossible_lift_is_named():
    assert days_needed(TwoArms(0.5), shop(), 0.001, ASKED) == Needed("beyond_a_year")
    assert days_needed(TwoArms(0.5), shop(rate=0.6), 0.7, ASKED) == Needed("impossible")
    assert days_needed(explored(0.1, differs=0.1), shop(rate=0.4), 0.2, ASKED) == Needed("impossible")
    assert smallest_lift(explored(0.01, 50), shop(users=2, rate=0.5), 1, ASKED) is None


@given(users=st.floats(1, 1e6), rounds=st.floats(1, 100), rho=st.floats(0, 1), returning=st.floats(1, MONTH))
@settings(max_examples=30)
def test_a_design_effect_never_falls_and_is_one_for_one_round_of_each(users, rounds, rho, returning):
    growth = UserGrowth.of_numbers(users, rounds, rho, users * returning)
    at = np.arange(1, 3 * YEAR)

    assert (np.diff(growth.design_effect(at)) >= -1e-9).all()
    assert growth.design_effect([1])[0] == pytest.approx(1 + (rounds - 1) * rho)
    assert growth.users(MONTH) == pytest.approx(users * returning)
    assert np.allclose(UserGrowth.of_numbers(users, 1, rho, None).design_effect(at), 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Asked(power=0.01), "a power lies between 0.025"),
        (lambda: Asked(confidence=1.0), "a confidence lies between"),
        (lambda: TwoArms(1.0), "a share of the users"),
        (lambda: explored_weights(0.0, 10), "a share of exploration"),
        (lambda: explored_weights(0.1, 1), "two items"),
        (lambda: explored(0.1, differs=0.0), "a share of the rounds"),
        (lambda: shop(rate=0.0), "a rate lies between"),
        (lambda: shop(users=0.0), "users a day"),
        (lambda: shop(rounds=0.0), "rounds"),
        (lambda: shop(rho=1.5), "a correlation"),
        (lambda: shop(in_a_month=29_000), "users of 28 days"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
