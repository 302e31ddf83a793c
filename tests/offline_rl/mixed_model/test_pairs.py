"""What a candidate's pair features and history factors are, from touches worked out by hand."""

import math

import pytest
import torch

from offline_rl.mixed_model.factors import MOST, history_basis, history_columns
from offline_rl.mixed_model.pairs import Kind, all_pairs, logged_pairs
from offline_rl.user_history import Touches, UserHistory

F64 = torch.float64


def history() -> UserHistory:
    """State 0: item 0 viewed today, item 2 bought twice 14 days ago. State 1: item 1 clicked 3 times."""
    touches = Touches(
        first=torch.tensor([0, 2, 3]),
        item=torch.tensor([0, 2, 1]),
        amount=torch.tensor(
            [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0, 14.0], [0.0, 3.0, 0.0, 0.0, 0.0]], dtype=F64
        ),
    )
    return UserHistory(torch.tensor([0, 1, -1, 0]), touches)


ITEM = Kind("item", torch.arange(4))
CATEGORY = Kind("category", torch.tensor([0, 1, 0, -1]))


def test_a_logged_item_is_known_by_what_was_done_with_it() -> None:
    numbers = logged_pairs(history(), ITEM, torch.tensor([2, 1, 1, 1]))
    assert numbers[0].tolist() == pytest.approx([0, 0, 0, math.log(3), 0.5, 1])
    assert numbers[1].tolist() == pytest.approx([0, math.log(4), 0, 0, 1, 0])
    assert not bool(numbers[2:].any())


def test_a_kind_gathers_its_items_and_is_as_fresh_as_the_freshest() -> None:
    numbers = logged_pairs(history(), CATEGORY, torch.tensor([0, 0, 0, 3]))
    assert numbers[0].tolist() == pytest.approx([math.log(2), 0, 0, math.log(3), 1, 1])
    assert not bool(numbers[1:].any())


@pytest.mark.parametrize("kind", [ITEM, CATEGORY], ids=lambda kind: kind.name)
def test_all_candidates_get_what_each_would_get_if_it_were_logged(kind: Kind) -> None:
    weights = torch.tensor([1.0, -0.5, 2.0, 0.3, 0.7, -1.0], dtype=F64)
    scores = all_pairs(history(), kind, weights)
    for item in range(4):
        one = logged_pairs(history(), kind, torch.full((4,), item))
        torch.testing.assert_close(scores[:, item], one @ weights)


def test_a_small_catalog_keeps_every_history_as_it_is() -> None:
    basis = history_basis(history(), 4, seed=0)
    columns = history_columns(history(), basis)
    assert basis.count_nonzero() == 4
    by_hand = torch.tensor([math.log(2), 0, math.log(3), 0], dtype=F64)
    torch.testing.assert_close(columns[0], basis.diagonal() * by_hand)
    assert not bool(columns[2].any())
    assert float(columns.var(dim=0, correction=0).sum()) == pytest.approx(4.0)


def test_a_large_catalog_keeps_the_directions_in_which_users_differ() -> None:
    """Two kinds of users look at two halves of 100 items: one direction tells them apart."""
    users, items = 200, 100
    item = torch.stack([torch.arange(50) + 50 * (user % 2) for user in range(users)]).flatten()
    amount = torch.zeros(len(item), 5, dtype=F64)
    amount[:, 0] = 1.0
    touches = Touches(torch.arange(users + 1) * 50, item, amount)
    known = UserHistory(torch.arange(users), touches)
    basis = history_basis(known, items, seed=0)
    assert basis.shape == (items, MOST)
    columns = history_columns(known, basis)
    apart = (columns[0] - columns[1]).norm()
    assert float((columns[0] - columns[2]).norm()) < 1e-6 * float(apart)
    assert float(apart) > 1.0


def test_nobody_with_a_history_has_no_factors() -> None:
    nobody = UserHistory(torch.full((3,), -1), history().touches)
    basis = history_basis(nobody, 4, seed=0)
    assert basis.shape == (4, 0)
    assert history_columns(nobody, basis).shape == (3, 0)
