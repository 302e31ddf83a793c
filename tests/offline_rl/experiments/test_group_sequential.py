"""Boundaries of experiments that are looked at each night: by hand, by the literature and by random walks."""

from math import inf

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from offline_rl.experiments.group_sequential import boundaries, chance_of_winning
from offline_rl.experiments.stop_rule import LEAST_CHANCE


def test_two_looks_by_the_bivariate_normal_law() -> None:
    # The first look leaves with 2.5 %, so c = 2.241; both together with 5 %, at a correlation of √½.
    first, second = boundaries([1, 2], 2, 0.95)
    assert first == pytest.approx(norm.isf(0.0125), abs=1e-6)
    law = multivariate_normal([0, 0], [[1, 0.5**0.5], [0.5**0.5, 1]])
    corners = [(first, second), (-first, second), (first, -second), (-first, -second)]
    inside = sum(sign * law.cdf(corner) for sign, corner in zip((1, -1, -1, 1), corners, strict=True))
    assert inside == pytest.approx(0.95, abs=1e-4)


def test_random_walks_leave_as_often_as_is_asked_for() -> None:
    information = np.cumsum([5, 1, 8, 8, 0.5, 20, 3, 9])
    widths = boundaries(information.tolist(), 8, 0.9)
    steps = np.diff(information, prepend=0) ** 0.5
    walks = np.cumsum(np.random.default_rng(0).standard_normal((200_000, 8)) * steps, axis=1)
    outside = np.abs(walks) >= np.array(widths) * information**0.5
    assert outside.any(1).mean() == pytest.approx(0.1, abs=3 * (0.1 * 0.9 / 200_000) ** 0.5)
    left_by = np.array([outside[:, : looks + 1].any(1).mean() for looks in range(8)])
    np.testing.assert_allclose(left_by, 0.1 * np.arange(1, 9) / 8, atol=0.003)


def test_before_the_first_round_nothing_is_said() -> None:
    assert boundaries([0.0, 0.0], 28, 0.95) == [inf, inf]


def test_a_night_that_adds_nothing_leaves_its_error_to_the_next() -> None:
    first, again, later = boundaries([10, 10, 20], 28, 0.95)
    assert first == again
    assert later < boundaries([10, 15, 20], 28, 0.95)[-1]


def test_what_comes_after_the_last_day_belongs_to_its_look() -> None:
    assert boundaries([10, 20, 30, 40], 2, 0.95) == boundaries([10, 40], 2, 0.95)


def test_earlier_looks_do_not_depend_on_later_ones() -> None:
    assert boundaries([10, 20, 30], 28, 0.95)[:2] == boundaries([10, 20], 28, 0.95)


def test_the_chance_of_winning_is_that_of_random_walks_with_this_lead() -> None:
    # A flat prior of the difference: after a third of the days it is normal around what was seen.
    days, known, lead = 12, 4, 1.2
    rng = np.random.default_rng(0)
    slope = lead / known**0.5 + rng.standard_normal(200_000) / known**0.5
    end = lead * known**0.5 + slope * (days - known) + rng.standard_normal(200_000) * (days - known) ** 0.5
    won = end / days**0.5 >= boundaries(range(1, days + 1), days, 0.95)[-1]
    found = chance_of_winning(lead, range(1, known + 1), days, 0.95)
    assert found == pytest.approx(won.mean(), abs=3 * (0.25 / 200_000) ** 0.5)


def test_days_whose_rewards_are_on_the_way_are_no_days_without_a_gain() -> None:
    # Two days are on the way, now and at the end: of 12 days 10 will be known, and 4 are.
    late = chance_of_winning(0.5, [1, 2, 3, 4, 4, 4], 12, 0.95)
    bound = boundaries([*range(1, 11), 10, 10], 12, 0.95)[-1]
    assert late == pytest.approx(norm.cdf((0.5 - bound * 0.4**0.5) / 0.6**0.5))
    assert late > chance_of_winning(0.5, range(1, 7), 12, 0.95)


@pytest.mark.parametrize(
    ("drift", "won_without", "won", "days_without", "days"),
    [(0.0, 0.02, 0.02, 27, 11), (0.65, 0.89, 0.86, 16, 14), (-0.3, 0.0, 0.0, 25, 6)],
)
def test_giving_up_costs_few_wins_and_saves_many_days(drift, won_without, won, days_without, days) -> None:
    n_days, walks = 28, 4000
    day, share = np.arange(1, n_days + 1), np.arange(1, n_days + 1) / n_days
    bounds = np.array(boundaries(day, n_days, 0.95))
    least = bounds[-1] * share**0.5 + norm.ppf(LEAST_CHANCE) * (1 - share) ** 0.5
    for place in (0, 6, 20):  # the lead at which the chance is the least that is worth it
        known = chance_of_winning(least[place], day[: place + 1], n_days, 0.95)
        assert known == pytest.approx(LEAST_CHANCE)
    lead = np.cumsum(np.random.default_rng(1).normal(drift, 1.0, (walks, n_days)), axis=1) / day**0.5
    for given_up, share_won, mean_days in ((-np.inf, won_without, days_without), (least, won, days)):
        wins = lead >= bounds
        ends = wins | (lead <= -bounds) | (lead < given_up) | (day == n_days)
        at = ends.argmax(axis=1)
        assert wins[np.arange(walks), at].mean() == pytest.approx(share_won, abs=0.011)
        assert (at + 1).mean() == pytest.approx(mean_days, abs=0.6)


def test_on_the_last_day_the_chance_is_what_has_come() -> None:
    last = boundaries([10, 20], 2, 0.95)[-1]
    assert chance_of_winning(last + 0.01, [10, 20], 2, 0.95) == 1.0
    assert chance_of_winning(last - 0.01, [10, 20, 25], 2, 0.95) == 0.0


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.just(0.0) | st.floats(1e-16, 1e6), min_size=1, max_size=10),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    confidence=st.sampled_from([0.8, 0.95, 0.9994]),
)
@example(steps=[2.220446049250313e-16], scale=1e-06, confidence=0.8)
def test_any_walk_has_bounds_wider_than_a_single_look_and_no_unit(
    steps: list[float], scale: float, confidence: float
) -> None:
    information = np.cumsum(steps)
    found = boundaries(information.tolist(), 28, confidence)
    assert found == pytest.approx(boundaries((information * scale).tolist(), 28, confidence), rel=1e-4)
    assert min(found) >= norm.isf((1 - confidence) / 2) - 1e-6
