"""Acts are checked at the door, and their order in a file never matters."""

import numpy as np
import pytest

from offline_rl.interactions import DAY, Interactions


def acts(**changes: object) -> Interactions:
    columns: dict[str, object] = {
        "user": np.array([1, 0, 1]),
        "item": np.array([0, 2, 1]),
        "weight": np.array([1.0, 2.0, 3.0]),
        "moment": np.array([5, 9, 3]),
        "n_users": 2,
        "n_items": 3,
    }
    return Interactions(**{**columns, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"item": np.array([0, 1])}, r"item has shape \(2,\), but there are 3 acts"),
        ({"user": np.array([0.0, 1.0, 1.0])}, "user holds float64 values: give whole numbers"),
        ({"user": np.array([0, 2, 1])}, r"row 1: user is 2\. It must lie in 0\.\.1"),
        ({"item": np.array([0, -1, 1])}, "row 1: item is -1"),
        ({"weight": np.array([1.0, 1.0, 0.0])}, "row 2: weight is 0. It must be a finite number above 0"),
        ({"weight": np.array([1.0, np.nan, 1.0])}, "row 1: weight is nan"),
        ({"moment": np.array([1.5, 2.0, 3.0])}, "moment holds float64"),
        ({"is_purchase": np.array([1, 0, 1])}, "is_purchase holds int64 values: give True or False"),
        ({"n_users": -1}, "-1 users and 3 items: neither may be negative"),
    ],
)
def test_a_column_that_no_log_can_hold_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        acts(**changes)


def test_acts_are_sorted_and_read_only() -> None:
    sorted_acts = acts(is_purchase=np.array([True, False, False]))

    assert sorted_acts.user.tolist() == [0, 1, 1]
    assert sorted_acts.item.tolist() == [2, 1, 0]
    assert sorted_acts.weight.tolist() == [2.0, 3.0, 1.0]
    assert sorted_acts.purchases.tolist() == [False, False, True]
    with pytest.raises(ValueError, match="read-only"):
        sorted_acts.item[0] = 1


def test_a_window_holds_its_start_and_not_its_end() -> None:
    assert acts().between(3, 9).moment.tolist() == [3, 5]
    assert acts().between(None, 5).moment.tolist() == [3]
    assert acts().between(5, None).moment.tolist() == [9, 5]


def test_an_act_counts_half_after_a_half_life() -> None:
    old = acts(moment=np.array([0, DAY, 2 * DAY]), user=np.array([0, 0, 0]), weight=np.ones(3))

    assert old.faded(2 * DAY, 1.0).tolist() == [0.25, 0.5, 1.0]


def test_a_log_without_acts_is_a_log() -> None:
    none = np.zeros(0, dtype=np.int64)

    assert Interactions(none, none, np.zeros(0), none, 0, 0).between(0, 1).n == 0
