"""Intervals of means over users, most of whom have 0."""

import numpy as np
import pytest

from offline_rl.ope.intervals.student_t import student_t_interval
from offline_rl.ranking.inference import difference_interval, mean_interval, share_interval


def metric(rng: np.random.Generator, n_logs: int, n_users: int, share: float) -> np.ndarray:
    """Return metrics as NDCG has them: 0 for most, and for the others one of five values, mean 137 / 300."""
    hit = rng.random((n_logs, n_users)) < share
    return np.where(hit, 1.0 / rng.integers(1, 6, (n_logs, n_users)), 0.0)


MEAN_OF_A_HIT = 137 / 300


@pytest.mark.parametrize("share", [0.02, 0.05, 0.15])
@pytest.mark.parametrize("n_users", [100, 400])
def test_intervals_hold_mean_and_difference_as_often_as_promised(n_users: int, share: float) -> None:
    rng = np.random.default_rng(1)
    one, other = (metric(rng, 300, n_users, share) for _ in range(2))

    of_mean = [share_interval(values) for values in one]
    of_difference = [difference_interval(a - b) for a, b in zip(one, other, strict=True)]

    held = np.mean([found.lower <= share * MEAN_OF_A_HIT <= found.upper for found in of_mean])
    held_difference = np.mean([found.lower <= 0 <= found.upper for found in of_difference])
    assert min(held, held_difference) >= 0.93


def test_many_users_have_student_s_interval_but_for_one_more_like_the_largest() -> None:
    values = np.random.default_rng(0).random(5000)
    error = values.std(ddof=1) / np.sqrt(5000)

    found, plain = mean_interval(values), student_t_interval(values.mean(), error, 5000, 0.95)

    assert plain.lower - found.lower == pytest.approx((values.mean() - values.min()) / 4999)
    assert found.upper - plain.upper == pytest.approx((values.max() - values.mean()) / 4999)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_metric_stays_in_its_range_and_never_collapses(value: float) -> None:
    found = share_interval(np.full(50, value))

    assert 0.0 <= found.lower < found.upper <= 1.0


def test_users_who_all_fare_alike_leave_the_others_open() -> None:
    found = difference_interval(np.zeros(50))

    assert found.lower == -found.upper < 0


def test_one_user_has_no_mean_interval_and_the_exact_one_of_a_share() -> None:
    assert np.isnan(mean_interval(np.ones(1)).lower)
    assert share_interval(np.ones(1)).lower == pytest.approx(0.025)
    assert difference_interval(np.zeros(1)).upper > 0.9
