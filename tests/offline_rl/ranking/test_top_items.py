"""The top N without the table of users and items is the top N of that table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from offline_rl.ranking.largest import largest_of_rows
from offline_rl.ranking.row_blocks import row_blocks
from offline_rl.ranking.top_items import NO_ITEM, TopItems, top_items

QUARTERS = st.integers(0, 4).map(lambda number: number / 4)
"""Few different numbers, exact in floating point: ties are frequent."""


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    n_users, n_items = draw(st.integers(0, 4)), draw(st.integers(1, 7))

    def table(values: st.SearchStrategy) -> np.ndarray:
        rows = st.lists(
            st.lists(values, min_size=n_items, max_size=n_items), min_size=n_users, max_size=n_users
        )
        return np.array(draw(rows)).reshape(n_users, n_items)

    base = np.array(draw(st.lists(QUARTERS, min_size=n_items, max_size=n_items)))
    share = np.array(draw(st.lists(QUARTERS, min_size=n_users, max_size=n_users)))
    shown = np.array(draw(st.lists(st.booleans(), min_size=n_items, max_size=n_items)))
    return base, share, table(QUARTERS).astype(float), shown, table(st.booleans()).astype(float)


@given(tables(), st.integers(1, 9))
def test_it_is_the_top_of_the_whole_table(parts: tuple[np.ndarray, ...], n: int) -> None:
    base, share, scores, shown, left_out = parts

    top = top_items(
        base, share, sparse.csr_array(scores), n, is_shown=shown, left_out=sparse.csr_array(left_out)
    )

    assert top.item.shape == top.score.shape == (len(share), n)
    for user in range(len(share)):
        value = share[user] * base + scores[user]
        open_items = [i for i in range(len(base)) if shown[i] and not left_out[user, i] and value[i] > 0]
        best = sorted(open_items, key=lambda i: (-value[i], i))[:n]
        assert top.item[user].tolist() == best + [NO_ITEM] * (n - len(best))
        assert top.score[user, : len(best)].tolist() == [value[i] for i in best]
        assert not top.score[user, len(best) :].any()


def test_a_list_of_no_items_is_refused() -> None:
    with pytest.raises(ValueError, match="a list of 0 items: ask for at least 1"):
        top_items(np.ones(2), np.ones(1), sparse.csr_array((1, 2)), 0)


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"is_shown has shape \(3,\), but there are 2 items"):
        top_items(np.ones(2), np.ones(1), sparse.csr_array((1, 2)), 1, is_shown=np.ones(3, dtype=bool))


def test_no_users_have_no_lists() -> None:
    assert TopItems.joined([], 3).item.shape == (0, 3)


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(0, 8)
)
def test_the_largest_of_rows_are_those_of_a_full_sort(rows: list[list[int]], n: int) -> None:
    table = sparse.csr_array(np.array(rows, dtype=float))

    found = table.indices[largest_of_rows(table, n)].tolist()

    held = [[column for column in range(6) if row[column]] for row in rows]
    assert found == [
        column
        for row, columns in zip(rows, held, strict=True)
        for column in sorted(columns, key=lambda c: (-row[c], c))[:n]
    ]


@given(st.lists(st.integers(0, 9)), st.integers(1, 12))
def test_blocks_hold_every_row_once_and_no_more_than_they_may(cost: list[int], most: int) -> None:
    blocks = list(row_blocks(np.array(cost, dtype=np.int64), most))

    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(len(cost)))
    assert all(sum(cost[block]) <= most or block.stop - block.start == 1 for block in blocks)
