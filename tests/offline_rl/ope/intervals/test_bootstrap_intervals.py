"""BCa, studentized and Student t intervals against numbers from elsewhere."""

import numpy as np
import pytest
from scipy import stats

from offline_rl.ope.bootstrap import Interval, percentile_interval
from offline_rl.ope.intervals.bca import acceleration, bca_interval
from offline_rl.ope.intervals.student_t import student_t_interval
from offline_rl.ope.intervals.studentized import studentized_interval

RNG = np.random.default_rng(0)
SAMPLE = RNG.exponential(size=60)
MEANS = RNG.choice(SAMPLE, (4000, 60)).mean(axis=1)
LEFT_OUT = (SAMPLE.sum() - SAMPLE) / 59


def test_bca_agrees_with_scipy_on_its_own_resamples() -> None:
    result = stats.bootstrap(
        (SAMPLE,), np.mean, n_resamples=4000, method="BCa", rng=np.random.default_rng(5), vectorized=True
    )
    interval = bca_interval(SAMPLE.mean(), result.bootstrap_distribution, LEFT_OUT, 0.95)
    # scipy interpolates percentiles on a grid of its own.
    assert interval.lower == pytest.approx(result.confidence_interval.low, rel=1e-3)
    assert interval.upper == pytest.approx(result.confidence_interval.high, rel=1e-3)


def test_acceleration_of_a_mean_is_its_skewness_over_6_root_n() -> None:
    assert acceleration(LEFT_OUT) == pytest.approx(stats.skew(SAMPLE) / (6 * np.sqrt(60)))


def test_a_skewed_sample_moves_bca_to_its_long_side() -> None:
    plain = percentile_interval(SAMPLE.mean(), MEANS, 0.95)
    moved = bca_interval(SAMPLE.mean(), MEANS, LEFT_OUT, 0.95)
    assert moved.lower > plain.lower
    assert moved.upper > plain.upper


def test_what_does_not_vary_has_no_acceleration() -> None:
    assert acceleration(np.full(7, 0.1 + 0.2)) == 0
    assert acceleration(np.array([np.nan])) == 0
    rounded = 1.0 + np.array([0.0, 0.0, 0.0, 2e-16])
    assert acceleration(rounded) == 0
    assert bca_interval(0.0, np.zeros(50), np.zeros(9), 0.95) == Interval(0.0, 0.0)


def test_bca_past_its_pole_takes_the_end_of_the_resamples() -> None:
    # One of three clusters carries everything: a = 1/6 · Σd³/(Σd²)^1.5 is large, so is the bias.
    interval = bca_interval(0.1, np.linspace(0, 1, 101), np.array([0.0, 1.0, 1.0]) * 1e3, 0.999999)
    assert 0 <= interval.lower <= 0.1 <= interval.upper <= 1


@pytest.mark.parametrize(
    "interval",
    [
        lambda v, r: bca_interval(v, r, LEFT_OUT, 0.9),
        lambda v, r: studentized_interval(v, 0.3, r, np.ones_like(r), 0.9),
    ],
    ids=["bca", "studentized"],
)
def test_resamples_without_a_value_are_left_out_and_counted(interval) -> None:
    found = interval(1.0, np.r_[MEANS, np.nan, np.nan])
    assert found.n_undefined == 2
    assert found.lower < 1 < found.upper
    assert np.isnan(interval(1.0, np.full(4, np.nan)).lower)


def test_studentized_reverses_the_tails() -> None:
    errors = RNG.uniform(0.5, 2, 4000) * 0.1
    value, error = SAMPLE.mean(), 0.13
    low, high = np.quantile((MEANS - value) / errors, [0.025, 0.975])
    interval = studentized_interval(value, error, MEANS, errors, 0.95)
    assert (interval.lower, interval.upper) == pytest.approx((value - high * error, value - low * error))


def test_studentized_by_one_error_is_the_reflected_percentile_interval() -> None:
    value = SAMPLE.mean()
    plain = percentile_interval(value, MEANS, 0.95)
    interval = studentized_interval(value, 0.2, MEANS, np.full(4000, 0.2), 0.95)
    assert interval.lower == pytest.approx(2 * value - plain.upper)
    assert interval.upper == pytest.approx(2 * value - plain.lower)


def test_without_an_error_nothing_is_studentized() -> None:
    assert studentized_interval(2.0, 0.0, np.full(5, 2.0), np.zeros(5), 0.95) == Interval(2.0, 2.0)


@pytest.mark.parametrize(("confidence", "quantile"), [(0.95, 0.975), (0.9, 0.95)])
def test_student_t_is_two_sided(confidence: float, quantile: float) -> None:
    interval = student_t_interval(1.0, 0.5, 20, confidence)
    half = 0.5 * stats.t.ppf(quantile, 19)
    assert (interval.lower, interval.upper) == pytest.approx((1 - half, 1 + half))
    # The error to avoid: the quantile of a one-sided interval under a two-sided label.
    assert interval.upper > 1 + 0.5 * stats.t.ppf(confidence, 19) + 0.1


def test_student_t_of_one_cluster_knows_nothing() -> None:
    assert np.isnan(student_t_interval(1.0, float("nan"), 1, 0.95).lower)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_confidence_is_a_share_of_one(confidence: float) -> None:
    for interval in (
        lambda: student_t_interval(1.0, 1.0, 5, confidence),
        lambda: bca_interval(1.0, MEANS, LEFT_OUT, confidence),
        lambda: studentized_interval(1.0, 1.0, MEANS, MEANS, confidence),
    ):
        with pytest.raises(ValueError, match="share between 0 and 1"):
            interval()
