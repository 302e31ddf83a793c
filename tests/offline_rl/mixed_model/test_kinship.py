"""Kinship in tables whose crowds are known; and that nobody teaches it of themselves."""

import math

import pytest
import torch
from torch import Tensor

from offline_rl.mixed_model.kinship import DIRECTIONS, FOLDS, Kinship, _turned
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


def kinship_of(history: UserHistory, items: int = ITEMS) -> Kinship:
    """Every decision is another user's."""
    return Kinship.of(history, torch.arange(len(history.state)), items, seed=0)


def kinships(history: UserHistory, kinship: Kinship) -> Tensor:
    """Sum of the products for every decision and item, [n, A]."""
    return kinship.of_user(history) @ kinship.coordinates.T


@pytest.mark.parametrize("kind", [0, 1, 3], ids=["views", "clicks alone", "purchases alone"])
def test_items_of_ones_own_crowd_are_near_and_others_far(kind: int) -> None:
    history = crowds(kind=kind)
    found = kinships(history, kinship_of(history))
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
    found = kinships(history, kinship_of(history, items))
    acts = DIRECTIONS * math.log(2)
    expected = 0.5 * acts / (1.0 + acts)
    assert found[0].tolist() == pytest.approx([expected] * DIRECTIONS + [-expected] * DIRECTIONS, abs=1e-6)


def changed(history: UserHistory, amount: Tensor) -> UserHistory:
    return UserHistory(history.state, Touches(history.touches.first, history.touches.item, amount))


def test_clicks_are_not_counted_where_there_are_views() -> None:
    history = crowds()
    amount = history.touches.amount.clone()
    amount[:, 1] = torch.rand(len(amount), generator=torch.Generator().manual_seed(1), dtype=F64)
    clicked = kinship_of(changed(history, amount))
    assert torch.equal(clicked.coordinates, kinship_of(history).coordinates)


def test_views_that_come_later_change_nothing() -> None:
    """Of 60 states the first 40 are learned from, and hold clicks alone."""
    history = crowds(kind=1)
    amount = history.touches.amount.clone()
    amount[120:, 0] = 1.0
    early = changed(history, amount).select(torch.arange(40))
    found = Kinship.of(early, torch.arange(40), ITEMS, seed=0)
    assert torch.equal(found.coordinates, kinship_of(history.select(torch.arange(40))).coordinates)
    assert bool(found.coordinates.any())


def test_what_a_user_did_teaches_nothing_about_those_who_are_taught_with_the_user() -> None:
    """Every fifth user learns with the coordinates of the others, so user 0 moves none of 5, 10, 15 .."""
    history, action, user = crowds(), torch.arange(60) % ITEMS, torch.arange(60)
    kinship = kinship_of(history)
    amount = history.touches.amount.clone()
    amount[:3, 0] = torch.tensor([9.0, 0.0, 4.0])
    before, after = (
        kinship.taught(each, user, action, seed=0) for each in (history, changed(history, amount))
    )
    assert torch.equal(before[FOLDS::FOLDS], after[FOLDS::FOLDS])
    assert not torch.equal(before[1::FOLDS], after[1::FOLDS])


def test_a_user_counts_once_however_often_it_acts() -> None:
    """User 0 is 30 states that are all the same, or one."""
    once = crowds(31)
    item, amount = once.touches.item, once.touches.amount
    first = 3 * torch.arange(61)
    repeated = Touches(first, torch.cat([item[:3].repeat(30), item[3:]]), amount[:1].repeat(180, 1))
    user = torch.cat([torch.zeros(30, dtype=torch.int64), torch.arange(1, 31)])
    often = Kinship.of(UserHistory(torch.arange(60), repeated), user, ITEMS, seed=0)
    torch.testing.assert_close(kinships(once, often), kinships(once, kinship_of(once)))


def test_clicks_by_chance_are_foretold_by_nobodys_else_acts() -> None:
    """500 users view 3 of 60 items, click by chance what they are shown, and view what they have clicked.

    Their own later views say what was clicked; the others' say nothing.
    """
    generator = torch.Generator().manual_seed(0)
    users, items, shown = 500, 60, 8
    viewed = torch.stack([torch.randperm(items, generator=generator)[:3] for _ in range(users)])
    action = torch.randint(items, (users, shown), generator=generator)
    reward = torch.rand(users, shown, generator=generator) < 0.3
    later = [
        torch.cat([own, of_user[clicked]])
        for own, of_user, clicked in zip(viewed, action, reward, strict=True)
    ]
    states = [*viewed, *later]
    first = torch.tensor([0, *[len(state) for state in states]]).cumsum(0)
    amount = torch.zeros(int(first[-1]), 5, dtype=F64)
    amount[:, 0] = 1.0
    touches = Touches(first, torch.cat(states), amount)
    user = torch.arange(users).repeat_interleave(shown)
    history = UserHistory(torch.cat([user, user + users]), touches)
    everyone, actions = torch.cat([user, user]), action.flatten().repeat(2)
    kinship = Kinship.of(history, everyone, items, seed=0)
    before = torch.arange(users * shown)
    own, taught = (
        torch.corrcoef(torch.stack([found[before].sum(1), reward.flatten().double()]))[0, 1]
        for found in (
            kinship.products(history, actions),
            kinship.taught(history, everyone, actions, seed=0),
        )
    )
    assert float(own) > 0.1
    assert abs(float(taught)) < 0.04


def test_turned_coordinates_lie_as_the_others_do() -> None:
    generator = torch.Generator().manual_seed(3)
    coordinates = torch.randn(ITEMS, 4, generator=generator, dtype=F64)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=generator, dtype=F64)).Q
    torch.testing.assert_close(_turned(coordinates @ rotation, coordinates), coordinates)


def test_a_part_of_the_users_without_any_act_has_no_kin() -> None:
    """Only user 0 has done anything: the others are taught by it, and it is taught by nobody."""
    history = crowds(10)
    amount = history.touches.amount.clone()
    amount[3:] = 0.0
    quiet = changed(history, amount)
    taught = kinship_of(quiet).taught(quiet, torch.arange(10), torch.arange(10), seed=0)
    assert bool(taught.isfinite().all())
    assert not bool(taught[0].any())


def test_nobody_known_has_no_kin() -> None:
    history = crowds(4)
    nobody = UserHistory(torch.full((4,), -1), history.touches)
    kinship = kinship_of(nobody)
    assert kinship.coordinates.shape == (ITEMS, 0)
    assert kinship.of_user(nobody).shape == (4, 0)


def test_a_user_without_history_is_near_to_nothing() -> None:
    history = crowds()
    stranger = UserHistory(torch.tensor([-1]), history.touches)
    assert not bool(kinship_of(history).of_user(stranger).any())
