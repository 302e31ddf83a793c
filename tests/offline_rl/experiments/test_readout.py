import numpy as np
import pytest

from offline_rl.experiments.readout import ArmSums, read_out


def arm(n_rounds: list[int], reward: list[float]) -> ArmSums:
    return ArmSums(np.array(n_rounds), np.array(reward, dtype=np.float64))


def read(candidate: ArmSums, champion: ArmSums, min_users: int = 2):
    return read_out(candidate, champion, standard_errors=3.0, confidence=0.95, min_users=min_users)


def test_a_mean_is_per_round_and_all_rounds_of_a_user_go_together() -> None:
    # 3 of 6 rounds; residuals 2 - 2, 0 - 1/2, 1 - 1/2: 3/2 · 1/2 / 36
    found = arm([4, 1, 1], [2, 0, 1])
    assert found.mean == 0.5
    assert found.variance == pytest.approx(3 / 2 * 0.5 / 36)


def test_a_user_who_comes_back_says_less_than_as_many_users() -> None:
    alone = arm([1] * 100, [1.0, 0.0] * 50)
    together = arm([10] * 10, [10.0, 0.0] * 5)
    assert together.mean == alone.mean
    assert together.variance > 9 * alone.variance


@pytest.mark.parametrize(
    ("candidate", "champion", "min_users"),
    [
        (arm([], []), arm([1] * 40, [1.0] * 20 + [0.0] * 20), 2),
        (arm([1] * 40, [1.0, 0.0] * 20), arm([1] * 40, [1.0, 0.0] * 20), 41),
        (arm([1] * 40, [1.0] * 5 + [0.0] * 35), arm([1] * 40, [1.0] * 5 + [0.0] * 35), 2),
        (arm([1] * 40, [100.0] + [1.0] * 39), arm([1] * 40, [1.0] * 40), 2),
    ],
    ids=["an arm without rounds", "few users", "few rewards", "one user has most"],
)
def test_nothing_is_said_too_early(candidate: ArmSums, champion: ArmSums, min_users: int) -> None:
    assert not read(candidate, champion, min_users).is_known


def test_arms_that_change_places_change_the_sign() -> None:
    one, other = arm([1] * 40, [1.0] * 30 + [0.0] * 10), arm([2] * 40, [1.0] * 40)
    there, back = read(one, other), read(other, one)
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower))


def test_money_in_another_unit_is_the_same_finding() -> None:
    one, other = arm([1] * 40, [1.0] * 30 + [0.0] * 10), arm([2] * 40, [1.0] * 40)
    cents = [ArmSums(each.n_rounds, 100 * each.reward) for each in (one, other)]
    assert read(*cents).lower == pytest.approx(100 * read(one, other).lower)
