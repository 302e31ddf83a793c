import torch

from offline_rl.comparison.curves import first_rounds
from offline_rl.logged_data import LoggedRounds


def support(n: int) -> LoggedRounds:
    numbers = torch.arange(n)
    return LoggedRounds(
        context=torch.zeros(n, 1),
        slot=numbers,
        action=numbers,
        reward=numbers.double(),
        propensity=torch.ones(n, dtype=torch.float64),
        set_index=numbers,
        available=torch.ones(1, 1, dtype=torch.bool),
        segment=numbers,
        cluster=numbers,
        item_features=torch.zeros(1, 1),
        n_slots=1,
    )


def drawn(n: int, at_most: int, segment: int = 3) -> list[int]:
    return [int(row) for row in first_rounds(support(n), segment, at_most).action]


def test_a_larger_draw_holds_the_smaller_in_the_order_of_the_log() -> None:
    few, many = drawn(300, 25), drawn(300, 200)
    assert (len(few), len(many)) == (25, 200)
    assert set(few) < set(many)
    assert few == sorted(few) and many == sorted(many)
    assert many != list(range(200))


def test_the_draw_depends_on_the_segment_alone() -> None:
    assert drawn(300, 25) == drawn(300, 25)
    assert drawn(300, 25) != drawn(300, 25, segment=4)


def test_a_short_support_is_taken_whole() -> None:
    assert drawn(7, 25) == list(range(7))
