"""Touches of users: what is looked up in a table, and in a part of it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.user_history import Touches, UserHistory

COUNTS = st.lists(st.integers(0, 3), min_size=1, max_size=6)


def table_of(counts: list[int]) -> Touches:
    """Return a table with this many touches of each state, all of them different."""
    n = sum(counts)
    first = torch.tensor([0, *counts]).cumsum(0)
    return Touches(first, torch.arange(n) + 10, torch.arange(5.0 * n).reshape(n, 5))


def looked_up(history: UserHistory) -> list[list[tuple[int, list[float]]]]:
    """Return the touches of each decision: item and amounts."""
    found: list[list[tuple[int, list[float]]]] = [[] for _ in history.state]
    for row, entry in zip(
        *(part.tolist() for part in history.touches.entries_of(history.state)), strict=True
    ):
        found[row].append((int(history.touches.item[entry]), history.touches.amount[entry].tolist()))
    return found


@given(COUNTS, st.data())
def test_a_table_of_own_states_holds_what_the_whole_table_does(counts, data):
    table = table_of(counts)
    state = data.draw(st.lists(st.integers(-1, len(counts) - 1), max_size=8))
    history = UserHistory(torch.tensor(state, dtype=torch.int64), table)
    own = history.of_own_states()
    assert looked_up(own) == looked_up(history)
    assert own.touches.n_states == len({one for one in state if one >= 0})


def test_nobody_known_needs_no_table():
    own = UserHistory(torch.tensor([-1, -1]), table_of([2, 1])).of_own_states()
    assert own.state.tolist() == [-1, -1]
    assert own.touches.n_states == len(own.touches.item) == 0
    assert looked_up(own) == [[], []]


def test_states_are_selected_in_the_order_asked_for():
    picked = table_of([2, 0, 1]).select(torch.tensor([2, 0]))
    assert picked.first.tolist() == [0, 1, 3]
    assert picked.item.tolist() == [12, 10, 11]
