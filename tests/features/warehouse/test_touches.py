"""What users had done with items, rows in and numbers out; the half-life is two weeks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from features.warehouse.store import open_store
from features.warehouse.touches import AMOUNTS, MOST_ITEMS
from offline_rl.user_history import ACTS
from tests.features.warehouse.touch_logs import NIGHT_END, START, Asker, bought, did, known, shown, state_of


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    with open_store(tmp_path_factory.mktemp("touches") / "shop.duckdb") as store:
        yield Asker(store)


def test_the_amounts_are_those_that_learners_read() -> None:
    assert AMOUNTS == ACTS


def test_amounts_fade_until_the_last_act_and_not_until_the_decision(ask: Asker) -> None:
    touched = ask(
        did("view", "01-01T10:00", "hat"),
        did("click", "01-01T10:00", "hat"),
        did("view", "01-15T10:00", "hat"),
        did("add_to_cart", "01-15T10:00", "cap"),
        did("remove_from_cart", "01-20T10:01", "cap"),
        did("view", "01-08T10:00", "shoe"),
        bought("01-08T10:00", "shoe"),
        shown("01-29T10:00"),
    )

    week = 2**-0.5
    expected = {
        0: (0, 0, 1, 0, 0),
        1: (1.5, 0.5, 0, 0, 0),
        2: (week, 0, 0, week, 7),
    }
    found = known(touched, "01-29T10:00")
    assert found.keys() == expected.keys()
    for item, amounts in expected.items():
        assert found[item] == pytest.approx(amounts, abs=1e-6)
    # three pieces are one line of an order; nothing was done since, so the night knows the same state
    assert state_of(touched, NIGHT_END) == state_of(touched, "01-29T10:00")


def test_decisions_between_which_nothing_happened_share_a_state(ask: Asker) -> None:
    touched = ask(
        shown("01-01T10:00"),
        did("view", "01-02T10:00", "hat"),
        shown("01-03T10:00"),
        shown("01-05T10:00"),
        did("view", "01-06T10:00", "cap"),
        did("view", "01-07T10:00", "cap"),
        shown("01-08T10:00"),
    )

    assert touched.moments["state"].to_list() == [-1, 0, 0, 1, 1]
    # nobody decided between the two views of the cap, so that there is no state of the first
    assert touched.first.tolist() == [0, 1, 3]
    assert touched.item.tolist() == [1, 0, 1]
    assert touched.amount.dtype == np.float32


def test_what_happens_at_the_moment_of_the_round_is_not_known_to_it(ask: Asker) -> None:
    touched = ask(
        did("click", "01-29T10:00", "hat"), did("view", "01-29T10:00:00.000001", "cap"), shown("01-29T10:00")
    )

    assert known(touched, "01-29T10:00") == {}
    assert known(touched, NIGHT_END).keys() == {0, 1}


def test_an_order_counts_cancelled_later_or_not(ask: Asker) -> None:
    touched = ask(bought("01-02T10:00", "hat", is_cancelled=True), shown("01-03T10:00"))

    assert known(touched, "01-03T10:00") == {1: (0, 0, 0, 1, 0)}


def test_acts_on_what_is_not_an_action_do_not_count(ask: Asker) -> None:
    touched = ask(
        did("view", "01-01T10:00", "hat"), did("view", "01-02T10:00", "a page"), shown("01-03T10:00")
    )

    # and do not make a state: the last act on an action was the view of the hat
    assert known(touched, "01-03T10:00") == {1: (1, 0, 0, 0, 0)}


def test_others_and_nobody_have_states_of_their_own(ask: Asker) -> None:
    touched = ask(
        did("click", "01-15T10:00", "hat", user="bob"),
        did("click", "01-15T11:00", "cap", user=None),
        shown("01-29T10:00"),
        shown("01-29T10:00", user="bob"),
        shown("01-29T10:00", user=None),
    )

    assert known(touched, "01-29T10:00") == {}
    assert known(touched, "01-29T10:00", "bob") == {1: (0, 1, 0, 0, 0)}
    assert touched.moments["user_key"].to_list() == ["ann", "ann", "bob", "bob"]


def test_a_log_without_users_has_no_history(ask: Asker) -> None:
    touched = ask(did("click", "01-15T10:00", "hat", user=None), shown("01-29T10:00", user=None))

    assert touched.moments.height == len(touched.item) == 0
    assert touched.first.tolist() == [0]
    assert touched.amount.shape == (0, len(AMOUNTS))


def test_another_domain_has_moments_of_its_own_and_no_touches_where_acts_name_no_ad(ask: Asker) -> None:
    rows = [did("view", "01-01T10:00", "hat"), shown("01-03T10:00")]

    assert ask(*rows, domain="advertising").moments["decided_at"].to_list() == [NIGHT_END]
    assert len(ask(*rows, domain="advertising", items=("banner",)).item) == 0


@pytest.mark.parametrize("year", ["0301", "1930", "1971"])
def test_acts_of_long_ago_are_a_state_of_their_time_and_nothing_later(ask: Asker, year: str) -> None:
    long_ago = datetime(int(year), 1, 1, 10, tzinfo=UTC)
    old, before = did("view", long_ago, "hat"), shown(long_ago + timedelta(days=1))
    touched = ask(old, before, did("view", "01-15T10:00", "cap"), did("click", "01-16T10:00", "hat"))

    assert known(touched, long_ago + timedelta(days=1)) == {1: (1, 0, 0, 0, 0)}
    assert known(touched, NIGHT_END)[1] == (0, 1, 0, 0, 0)


def test_a_state_keeps_the_items_touched_last_the_first_by_name_where_several_were(ask: Asker) -> None:
    rows = [
        did("view", "01-01T10:00", "shoe"),
        shown("01-01T11:00"),
        did("view", "01-02T10:00", "hat"),
        did("view", "01-02T10:00", "cap"),
        shown("01-02T11:00"),
        did("view", "01-03T10:00", "shoe"),
        shown("01-03T11:00"),
    ]

    two = ask(*rows, most_items=2)
    one = ask(*rows, most_items=1)

    kept = [("01-01T11:00", {2}, {2}), ("01-02T11:00", {0, 1}, {0}), ("01-03T11:00", {0, 2}, {2})]
    for at, of_two, of_one in kept:
        assert known(two, at).keys() == of_two
        assert known(one, at).keys() == of_one
    # what comes back is as it would be had it never been forgotten
    assert known(two, "01-03T11:00")[2] == pytest.approx((1 + 2 ** (-2 / 14), 0, 0, 0, 0), abs=1e-6)


def test_a_robot_brings_a_hundred_items_to_each_state(ask: Asker) -> None:
    items = tuple(f"item {number:03}" for number in range(250))
    rows = [did("view", START + timedelta(hours=number), item) for number, item in enumerate(items)]

    touched = ask(*rows, shown("01-11T00:30"), items=items)

    assert MOST_ITEMS == 100
    assert np.diff(touched.first).tolist() == [100, 100]
    assert touched.item.tolist() == [*range(141, 241), *range(150, 250)]
