"""Kinship in tables whose crowds are known; and that nobody teaches it of themselves."""

import math

import pytest
import torch
from torch import Tensor

from offline_rl.mixed_model.kinship import (
    DIRECTIONS,
    item_coordinates,
    products,
    taught_products,
    user_coordinates,
)
from offline_rl.user_history import Touches, UserHistory

F64 = torch.float64
ITEMS = 12


def crowds(users: int = 60, *, kind: int = 0, seed: int = 0) -> UserHistory:
    """Users 0 and 1 look at 3 of the first 6 items, 2 and 3 at 3 of the last 6, and so on."""
    generator = torch.Generator().manual_seed(seed)
    item = torch.stack(
        [torch.randperm(6, generator=generator)[:3] + 6 * (user // 2 % 2) for user in range(users)]
    )
    amount = torch.zeros(3 * users, 5, dtype=F64)
    amount[:, kind] = 1.0
    return UserHistory(
        torch.arange(users), Touches(3 * torch.arange(users + 1), item.flatten(), amount=amount)
    )


def kinships(history: UserHistory, coordinates: Tensor) -> Tensor:
    """Sum of the products for every decision and item, [n, A]."""
    return user_coordinates(history, coordinates) @ coordinates.T


@pytest.mark.parametrize("kind", [0, 1, 3], ids=["views", "clicks alone", "purchases alone"])
def test_items_of_ones_own_crowd_are_near_and_others_far(kind: int) -> None:
    history = crowds(kind=kind)
    found = kinships(history, item_coordinates(history, ITEMS, seed=0))
    is_own = (torch.arange(ITEMS) >= 6) == (torch.arange(60)[:, None] // 2 % 2 == 1)
    assert float(found[is_own].mean()) > 0.2
    assert float(found[~is_own].max()) < 0.0


def test_it_is_how_much_more_often_than_popularity_lets_expect() -> None:
    """Two crowds part an even table: inside twice what is expected, P / (r c) - 1 = 1, and outside -1.

    Margins drawn in by their mean count twice, which leaves a quarter in all of it; a user's own mean is
    taken over one act more, here one of 8 log(2).
    """
    users, items = 200, 2 * DIRECTIONS
    item = torch.arange(items).reshape(2, DIRECTIONS).repeat(users // 2, 1)
    amount = torch.zeros(item.numel(), 5, dtype=F64)
    amount[:, 0] = 1.0
    history = UserHistory(
        torch.arange(users), Touches(DIRECTIONS * torch.arange(users + 1), item.flatten(), amount)
    )
    found = kinships(history, item_coordinates(history, items, seed=0))
    acts = DIRECTIONS * math.log(2)
    expected = 0.5 * acts / (1.0 + acts)
    assert found[0].tolist() == pytest.approx([expected] * DIRECTIONS + [-expected] * DIRECTIONS, abs=1e-6)


def test_clicks_are_not_counted_where_there_are_views() -> None:
    history = crowds()
    clicked = history.touches.amount.clone()
    clicked[:, 1] = torch.rand(len(clicked), generator=torch.Generator().manual_seed(1), dtype=F64)
    other = UserHistory(history.state, Touches(history.touches.first, history.touches.item, clicked))
    assert torch.equal(item_coordinates(other, ITEMS, seed=0), item_coordinates(history, ITEMS, seed=0))


def test_what_a_user_did_teaches_nothing_about_those_who_are_taught_with_the_user() -> None:
    """Users 0, 2, 4 .. learn with the coordinates of the others, so user 0 moves none of the even ones."""
    history, action = crowds(), torch.arange(60) % ITEMS
    coordinates = item_coordinates(history, ITEMS, seed=0)
    moved = history.touches.amount.clone()
    moved[:3, 0] = torch.tensor([9.0, 0.0, 4.0])
    other = UserHistory(history.state, Touches(history.touches.first, history.touches.item, moved))
    before, after = (
        taught_products(each, torch.arange(60), coordinates, action, seed=0) for each in (history, other)
    )
    assert torch.equal(before[2::2], after[2::2])
    assert not torch.equal(before[1::2], after[1::2])


def test_halves_are_turned_to_lie_as_the_whole() -> None:
    history, action = crowds(users=2000), torch.arange(2000) % ITEMS
    coordinates = item_coordinates(history, ITEMS, seed=0)
    own = products(history, coordinates, action)[:, 0]
    crossed = taught_products(history, torch.arange(2000), coordinates, action, seed=0)[:, 0]
    assert float(torch.corrcoef(torch.stack([own, crossed]))[0, 1]) > 0.99


def test_nobody_known_has_no_kin() -> None:
    nobody = UserHistory(torch.full((4,), -1), Touches(torch.zeros(1, dtype=torch.int64), *nothing()))
    coordinates = item_coordinates(nobody, ITEMS, seed=0)
    assert coordinates.shape == (ITEMS, 0)
    assert user_coordinates(nobody, coordinates).shape == (4, 0)


def test_a_user_without_history_is_near_to_nothing() -> None:
    history = crowds()
    coordinates = item_coordinates(history, ITEMS, seed=0)
    stranger = UserHistory(torch.tensor([-1]), history.touches)
    assert not bool(user_coordinates(stranger, coordinates).any())


def nothing() -> tuple[Tensor, Tensor]:
    return torch.zeros(0, dtype=torch.int64), torch.zeros(0, 5, dtype=F64)
