from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.continuous.bandwidth import BandwidthChoice, bandwidth_grid, choose_bandwidth
from offline_rl.ope.continuous.kernels import KERNELS
from offline_rl.ope.continuous.records import SpendRounds
from offline_rl.ope.continuous.smoothing import smoothed
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import Floats
from tests.offline_rl.ope.continuous.spend_worlds import drawn

EPANECHNIKOV, SNIPS = KERNELS["epanechnikov"], from_name("snips")


def hill(level: Floats) -> Floats:
    """1 at 1/2, 0 beyond a fifth of the scale."""
    return np.maximum(0, 1 - ((level - 0.5) / 0.2) ** 2)


def flat(level: Floats) -> Floats:
    return np.ones_like(level)


def choice(rounds: SpendRounds) -> BandwidthChoice:
    return choose_bandwidth(rounds, EPANECHNIKOV, bandwidth_grid(rounds), SNIPS)


def test_the_grid_halves_the_scale() -> None:
    grid = bandwidth_grid(drawn(5, seed=0, mean=flat, spend=0.5), n=5)
    assert np.allclose(grid, [1 / 2, 1 / 8**0.5, 1 / 4, 1 / 32**0.5, 1 / 8])


def test_where_levels_do_not_matter_the_widest_is_taken() -> None:
    bandwidths = [choice(drawn(1000, seed, flat, 0.5)).bandwidth for seed in range(20)]
    assert np.mean(np.array(bandwidths) == 0.5) >= 0.9


def test_where_they_do_more_rounds_narrow_it() -> None:
    few = np.mean([choice(drawn(500, seed, hill, 0.5)).bandwidth for seed in range(10)])
    many = np.mean([choice(drawn(8000, seed, hill, 0.5)).bandwidth for seed in range(10)])
    assert many < 0.75 * few < 0.2


def test_the_choice_comes_near_the_best_bandwidth() -> None:
    found = [choice(drawn(1000, seed, hill, 0.5)) for seed in range(20)]
    ours = np.sqrt(np.mean([(each.values[each.bandwidths == each.bandwidth] - 1) ** 2 for each in found]))
    fixed = np.sqrt(np.mean([(each.values[:8] - 1) ** 2 for each in found], axis=0))
    # The widest errs by 0.6, the best by 0.05; SLOPE promises a small multiple of the best.
    assert ours < 3 * fixed.min() < fixed[0] / 3


def test_intervals_hold_the_truth_though_the_value_is_smoothed() -> None:
    held = np.zeros((2, 40), dtype=bool)
    for seed in range(40):
        rounds = drawn(500, seed, hill, 0.5)
        found = choice(rounds)
        policies = {
            str(h): smoothed(rounds, EPANECHNIKOV, h) for h in (found.interval_bandwidth, found.bandwidth)
        }
        rows = evaluate(policies, [SNIPS], n_resamples=100).policy_values()
        held[:, seed] = [row.lower <= 1 <= row.upper for row in rows if row.segment is None]
    # 95 % of 40, less three standard deviations of a binomial; the choice itself holds it in one log of five.
    assert held[0].sum() >= 34
    assert held[1].sum() < 20


def test_candidates_descend_and_so_does_certainty() -> None:
    found = choice(drawn(1000, 0, hill, 0.5))
    assert (np.diff(found.bandwidths) < 0).all()
    assert (np.diff(found.half_widths) >= 0).all()
    assert found.interval_bandwidth <= found.bandwidth / 3


def test_an_empty_window_is_no_candidate() -> None:
    rounds = drawn(200, seed=1, mean=flat, spend=0.5)
    found = choose_bandwidth(rounds, EPANECHNIKOV, [0.4, 0.001], SNIPS)
    assert found.bandwidths.tolist() == [0.4]
    with pytest.raises(ValueError, match=r"^none of the bandwidths leaves 30 effective rounds"):
        choose_bandwidth(rounds, EPANECHNIKOV, [0.001], SNIPS)


def test_a_window_without_a_click_is_not_certain() -> None:
    rounds = drawn(2000, seed=2, mean=flat, spend=0.5)
    clicks = (np.abs(rounds.spend - 0.5) > 0.1) & (np.arange(2000) % 50 == 0)
    found = choice(replace(rounds, reward=clicks.astype(float)))
    assert found.values[-1] == 0
    assert (np.diff(found.half_widths) >= 0).all()
