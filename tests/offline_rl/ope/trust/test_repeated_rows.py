"""Rows delivered twice are found, and rows that chance repeats are not."""

from collections.abc import Callable

import numpy as np
import pytest

from offline_rl.ope.trust.repeated_rows import Keys, Repetition, repetition

Rows = Callable[[np.random.Generator, int], Keys]


def clicks_in_few_contexts(draw: np.random.Generator, n: int) -> Keys:
    """Four actions, three contexts, rare clicks: two dozen kinds of rows."""
    return keys(draw.integers(0, 3, n), draw.integers(0, 4, n), draw.random(n) < 0.03)


def money(draw: np.random.Generator, n: int) -> Keys:
    """Half of the rounds earn nothing, the others an amount in cents; ten actions."""
    cents = (draw.lognormal(7, 1, n).astype(np.int64)) * (draw.random(n) < 0.5)
    return keys(draw.integers(0, 10, n), cents)


def popular_items(draw: np.random.Generator, n: int) -> Keys:
    """Items by a power law: a few kinds very often, most of them hardly ever."""
    return keys(draw.zipf(1.3, n) % 100_000, draw.random(n) < 0.1)


def times(draw: np.random.Generator, n: int) -> Keys:
    """Every row has a time of its own."""
    return keys(np.sort(draw.random(n)))


WORLDS: tuple[Rows, ...] = (clicks_in_few_contexts, money, popular_items, times)


def keys(*columns: np.ndarray) -> Keys:
    _, key = np.unique(
        np.column_stack([column.astype(np.float64) for column in columns]), axis=0, return_inverse=True
    )
    return key.ravel().astype(np.uint64)


def appended(rows: Keys, draw: np.random.Generator) -> Keys:
    return np.tile(rows, 2)


def in_a_row(rows: Keys, draw: np.random.Generator) -> Keys:
    return np.repeat(rows, 2)


def shuffled(rows: Keys, draw: np.random.Generator) -> Keys:
    return draw.permutation(np.tile(rows, 2))


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
def test_what_chance_repeats_is_no_doubt(world: Rows) -> None:
    ways = [
        repetition(rows).way
        for seed in range(150)
        for rows in [world(np.random.default_rng(seed), 400 + 37 * (seed % 30))]
        for rows in (rows, np.sort(rows))
    ]
    assert set(ways) == {None}


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
@pytest.mark.parametrize("n", [100, 1000, 10_000])
def test_what_chance_repeats_is_no_doubt_in_a_thousand_logs(world: Rows, n: int) -> None:
    assert {repetition(world(np.random.default_rng(seed), n)).way for seed in range(1000)} == {None}


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
@pytest.mark.parametrize(("deliver", "way"), [(appended, "whole"), (in_a_row, "in a row")])
def test_rows_delivered_twice_in_order_are_found(world: Rows, deliver: Callable[..., Keys], way: str) -> None:
    draw = np.random.default_rng(1)
    assert repetition(deliver(world(draw, 2000), draw)).way == way


@pytest.mark.parametrize("world", [money, popular_items, times], ids=lambda world: world.__name__)
def test_rows_delivered_twice_and_shuffled_are_found_where_they_are_of_many_kinds(world: Rows) -> None:
    draw = np.random.default_rng(1)
    assert repetition(shuffled(world(draw, 2000), draw)).way == "even"


@pytest.mark.parametrize(("n", "share"), [(10_000, 0.1), (2000, 0.2), (2000, 0.5)])
def test_some_rows_delivered_twice_are_found_where_each_is_its_own(n: int, share: float) -> None:
    draw = np.random.default_rng(1)
    rows = times(draw, n)
    some = draw.choice(rows, int(share * n), replace=False)
    assert repetition(draw.permutation(np.r_[rows, some])) == Repetition(
        len(rows) + len(some), len(some), "pairs"
    )


def test_two_kinds_in_turn_are_a_design_and_no_delivery() -> None:
    assert repetition(np.tile(np.array([0, 1], dtype=np.uint64), 500)).way is None


def test_three_deliveries_are_counted() -> None:
    rows = clicks_in_few_contexts(np.random.default_rng(0), 500)
    assert repetition(np.tile(rows, 3)) == Repetition(1500, 1500 - len(np.unique(rows)), "whole", 3)


def test_users_who_see_the_same_again_and_again_are_no_doubt_where_they_are_clusters() -> None:
    """Twenty rounds each, all alike: without their users they look like rows delivered twenty times."""
    user = np.repeat(np.arange(300), 20)
    rows = keys(user, np.repeat(np.random.default_rng(0).integers(0, 5, 300), 20))
    assert repetition(rows, user).way is None
    assert repetition(rows).way is not None


@pytest.mark.parametrize("seed", range(20))
def test_users_with_an_even_number_of_rounds_are_no_doubt(seed: int) -> None:
    draw = np.random.default_rng(seed)
    user = np.repeat(np.arange(400), 6)
    rows = keys(user, draw.random(2400) < 0.2)
    assert repetition(rows, user).way is None
    assert repetition(draw.permutation(np.tile(rows, 2)), np.tile(user, 2)).n_rows == 4800


def test_a_log_of_users_delivered_twice_and_shuffled_is_found() -> None:
    draw = np.random.default_rng(3)
    user = draw.integers(0, 300, 2000)
    rows = keys(user, draw.integers(0, 4, 2000))
    order = draw.permutation(4000)
    assert repetition(np.tile(rows, 2)[order], np.tile(user, 2)[order]).way == "even"
