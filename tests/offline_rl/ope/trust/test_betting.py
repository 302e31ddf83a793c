"""Bets on clusters: nothing from nothing, and no luck beyond what it is worth."""

from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.ope.trust.betting import STAKES, among_the_first, log_e_value


def test_an_e_value_on_paper() -> None:
    """One cluster that wins as much as it could have lost multiplies each stake's money by 1 + stake."""
    assert log_e_value(np.array([1.0]), 1.0) == pytest.approx(log(1 + STAKES.mean()))


@pytest.mark.parametrize(("chance", "n"), [(0.05, 1), (0.05, 3), (0.5, 2), (0.95, 3), (0.95, 8), (0.3, 12)])
def test_an_e_value_averages_one_at_most(chance: float, n: int) -> None:
    """Over all outcomes of n clusters that draw once each, by the binomial law; so P(E ≥ x) ≤ 1 / x."""
    hits = np.arange(n + 1)
    weight = np.array([float(np.prod(np.arange(n - k + 1, n + 1) / np.arange(1, k + 1))) for k in hits])
    weight = weight * chance**hits * (1 - chance) ** (n - hits)
    for sign in (1, -1):
        won, lost = sign * (1 / chance - 1), -sign
        worst = max(-won, -lost)
        e = [exp(log_e_value(np.array([won, lost], dtype=float), worst, np.array([k, n - k]))) for k in hits]
        # Without evidence E counts as 1 where the bets hold less: on average that is 2 at most.
        assert float(weight @ e) <= 2
        tail = sum(w for w, each in zip(weight, e, strict=True) if each >= 100)
        assert tail <= 0.01


@given(st.lists(st.floats(-1, 50), min_size=1, max_size=30), st.integers(1, 5))
def test_a_deviation_that_occurs_several_times_is_that_many_deviations(
    gains: list[float], times: int
) -> None:
    once = log_e_value(np.array(gains), 1.0, np.full(len(gains), times))
    assert once == pytest.approx(log_e_value(np.repeat(gains, times), 1.0), rel=1e-9, abs=1e-9)


def test_what_could_not_lose_and_won_is_impossible() -> None:
    assert log_e_value(np.array([0.1]), 0.0) == inf
    assert log_e_value(np.array([0.0, 0.0]), 0.0) == 0.0


def test_one_giant_among_small_clusters_counts_as_two_average_ones() -> None:
    position = np.r_[np.zeros(1000, dtype=int), np.arange(1, 101)]
    counted = among_the_first(position)
    assert np.bincount(position[counted]).max() == 22  # 2 * 1100 / 101, rounded up
    assert counted[:22].all()
    assert counted[1000:].all()
