"""Popularity and best-sellers, and a list for everybody but for what he has."""

import numpy as np
import pytest

from offline_rl.interactions import DAY
from offline_rl.item_to_item.popularity import BestSellers, DecayedPopularity, best_seller_counts
from tests.offline_rl.ranking.worlds import log

# Item 0 was bought four times long ago, item 1 twice and item 2 once of late; item 3 never.
ACTS = log((0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0), (0, 1, 27), (1, 1, 28), (2, 2, 29), n_items=4)
NOW = 30 * DAY
EVERYBODY = np.arange(4)


def test_what_is_bought_of_late_counts_more() -> None:
    slow, fast = (
        DecayedPopularity(half_life).fit(ACTS, NOW).top(EVERYBODY, 4) for half_life in (1000.0, 5.0)
    )

    assert slow.item.tolist() == [[0, 1, 2, -1]] * 4
    assert fast.item.tolist() == [[1, 2, 0, -1]] * 4
    assert fast.score[0].tolist() == pytest.approx([2**-0.6 + 2**-0.4, 2**-0.2, 4 * 2**-6.0, 0.0])


def test_best_sellers_count_their_days_alone() -> None:
    assert best_seller_counts(ACTS, NOW, 2.0).tolist() == [0.0, 1.0, 1.0, 0.0]
    assert BestSellers(days=3.0).fit(ACTS, NOW).top(EVERYBODY[:1], 3).item.tolist() == [[1, 2, -1]]


@pytest.mark.parametrize("recipe", [DecayedPopularity, BestSellers])
def test_what_somebody_has_bought_is_left_out(recipe: type[DecayedPopularity | BestSellers]) -> None:
    ranker = recipe(100.0, leaves_out_bought=True).fit(ACTS, NOW)

    assert ranker.top(EVERYBODY, 2).item.tolist() == [[2, -1], [2, -1], [1, -1], [1, 2]]


def test_what_can_not_be_shown_is_not() -> None:
    is_shown = np.array([False, True, True, True])

    assert BestSellers(100.0).fit(ACTS, NOW).top(EVERYBODY[:1], 3, is_shown).item.tolist() == [[1, 2, -1]]


def test_a_robot_does_not_make_everybody_s_list() -> None:
    robot = log(*((0, 1, 5.0) for _ in range(1000)), (1, 0, 5), (2, 0, 5), (3, 0, 5), n_items=2)

    ranker = DecayedPopularity(history_cap=2).fit(robot, 6 * DAY)

    assert ranker.top(EVERYBODY[1:2], 2).item.tolist() == [[0, 1]]


def test_later_acts_and_lengths_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="can't be known at"):
        DecayedPopularity().fit(ACTS, 29 * DAY)
    with pytest.raises(ValueError, match="a half-life of 0 days"):
        DecayedPopularity(0.0).fit(ACTS, NOW)
    with pytest.raises(ValueError, match="best-sellers of -1 days"):
        BestSellers(-1.0).fit(ACTS, NOW)
