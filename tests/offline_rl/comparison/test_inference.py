import numpy as np
import pytest

from offline_rl.comparison.inference import (
    Difference,
    claims,
    difference,
    is_claimed,
    resampled_means,
    standard_error,
)


def test_a_constant_difference_has_no_spread() -> None:
    found = difference([np.full(5, 2.0), np.full(3, 2.0)], resamples=50)
    assert (found.mean, found.lower, found.upper) == (2.0, 2.0, 2.0)
    assert found.p_value == pytest.approx(2 / 51)


def test_seeds_count_alike_however_many_segments_they_have() -> None:
    assert difference([np.zeros(9), np.ones(1)], resamples=10).mean == 0.5


def test_the_spread_of_one_seed_is_that_of_its_segments() -> None:
    values = np.random.default_rng(0).normal(size=40)
    drawn = resampled_means([values], 4000)
    assert drawn.std() == pytest.approx(values.std() / np.sqrt(40), rel=0.05)


def test_the_spread_of_equal_segments_is_that_of_the_seeds() -> None:
    levels = np.random.default_rng(0).normal(size=10)
    drawn = resampled_means([np.full(7, level) for level in levels], 4000)
    assert drawn.std() == pytest.approx(levels.std() / np.sqrt(10), rel=0.05)


def test_a_padded_place_is_never_drawn() -> None:
    drawn = resampled_means([np.ones(2), np.ones(30)], 200)
    assert (drawn == 1.0).all()


def test_comparisons_are_drawn_on_the_same_seeds_and_segments() -> None:
    random = np.random.default_rng(0)
    one, other = ([random.normal(size=6) for _ in range(4)] for _ in range(2))
    both = [a + b for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(
        resampled_means(one, 20) + resampled_means(other, 20), resampled_means(both, 20)
    )


def test_claims_are_adjusted_for_all_baselines_together() -> None:
    random = np.random.default_rng(0)
    clear, none = random.normal(1.0, 0.1, 25), random.normal(0.0, 1.0, 25)
    found = claims({"weak": [clear], "strong": [none]})
    assert found["weak"].difference == difference([clear])
    assert found["weak"].holm_p_value == 2 * difference([clear]).p_value
    assert found["strong"].holm_p_value == difference([none]).p_value
    assert (found["weak"].is_claimed, found["strong"].is_claimed) == (True, False)
    assert claims({}) == {}


def test_a_claim_counts_the_segments_of_the_seed_that_has_the_fewest() -> None:
    gain = [np.full(25, 1.0), np.full(19, 1.0)]
    found = claims({"weak": gain})["weak"]
    assert (found.n_segments, found.is_claimed) == (19, False)


def test_a_wider_interval_is_surer() -> None:
    values = np.random.default_rng(0).normal(size=30)
    usual, surer = difference([values]), difference([values], confidence=0.99)
    assert surer.lower < usual.lower < usual.upper < surer.upper
    assert (surer.mean, surer.p_value) == (usual.mean, usual.p_value)


@pytest.mark.parametrize(
    ("lower", "p_value", "segments", "claimed"),
    [(0.1, 0.04, 20, True), (0.0, 0.04, 20, False), (0.1, 0.05, 20, False), (0.1, 0.04, 19, False)],
)
def test_a_claim_needs_all_three(lower: float, p_value: float, segments: int, claimed: bool) -> None:
    assert is_claimed(Difference(0.2, lower, 0.3, 0.01), p_value, segments) is claimed


def test_one_comparison_needs_no_adjustment() -> None:
    values = np.random.default_rng(0).normal(size=30)
    assert claims({"only": [values]})["only"].holm_p_value == difference([values]).p_value


def test_a_single_seed_has_no_standard_error() -> None:
    assert np.isnan(standard_error([0.3]))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Ten seeds of 36 segments, seeds and segments both differing, as in the learner table."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        by_seed = [random.normal(0, 2) + random.normal(0, 8, 36) for _ in range(10)]
        found = difference(by_seed, resamples=300)
        held += found.lower <= 0 <= found.upper
    assert 0.92 <= held / 300 <= 0.98
