from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import Floats
from offline_rl.ope.segments.partial_pooling import below_zero, partially_pooled
from offline_rl.ope.segments.segment_estimates import SegmentEstimates, segment_differences
from tests.offline_rl.ope.segmented import SegmentedClicks

WORLDS = {
    "all the same": SegmentedClicks(),
    "nearly the same": SegmentedClicks(spread=0.1),
    "different": SegmentedClicks(spread=0.3),
    "very different": SegmentedClicks(spread=0.8),
    "frequent, different": SegmentedClicks(rate=0.4, spread=0.3),
    "rare": SegmentedClicks(rate=0.03, n_users=500, spread=0.2),
    "skewed": SegmentedClicks(logged=0.1, spread=0.3),
}


def normal_estimates(value: Floats, deviation: float, n_resamples: int = 400) -> SegmentEstimates:
    """Estimates with normal resamples of exactly this standard deviation."""
    noise = np.random.default_rng(0).normal(size=(len(value), n_resamples))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, keepdims=True)
    many = np.full(len(value), 1000)
    return SegmentEstimates(tuple(range(len(value))), value, value[:, None] + deviation * noise, many, many)


def coverage(world: SegmentedClicks, logs: int, n_resamples: int) -> tuple[float, float]:
    """Share of segments whose interval holds the true gain, and squared error over that without pooling."""
    held, pooled_error, own_error = [], 0.0, 0.0
    for seed in range(logs):
        estimates, gains = world.draw(seed, n_resamples)
        pooled = partially_pooled(estimates)
        held.append(np.mean((pooled.lower <= gains) & (gains <= pooled.upper)))
        pooled_error += float(np.square(pooled.value - gains).sum())
        own_error += float(np.square(pooled.own - gains).sum())
    return float(np.mean(held)), pooled_error / own_error


@pytest.mark.parametrize("world", WORLDS.values(), ids=list(WORLDS))
def test_intervals_hold_the_truth_on_average_over_segments(world: SegmentedClicks) -> None:
    share, _ = coverage(world, logs=40, n_resamples=200)
    assert share >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS.values(), ids=list(WORLDS))
def test_intervals_hold_the_truth_over_many_logs(world: SegmentedClicks) -> None:
    share, _ = coverage(world, logs=300, n_resamples=1000)
    assert share >= 0.93


def test_pooling_pays_the_more_alike_segments_are() -> None:
    same, nearly, different = (
        coverage(WORLDS[name], 20, 200)[1] for name in ("all the same", "nearly the same", "different")
    )
    assert same < 0.15 < different < 0.75
    assert same < nearly < different


def test_one_noise_for_all_on_paper() -> None:
    # Ten segments at ±3 with variance 1. With t = τ², log t − 4.5 log(1 + t) − 45 / (1 + t) is largest where
    # (1 + t)² − 4.5 t (1 + t) + 45 t = 0, so that 3.5 t² − 42.5 t − 1 = 0.
    value = np.repeat([-3.0, 3.0], 5)
    t = (42.5 + np.sqrt(42.5**2 + 4 * 3.5)) / 7
    pooled = partially_pooled(normal_estimates(value, deviation=1.0))
    assert pooled.mean == pytest.approx(0, abs=1e-9)
    assert pooled.spread == pytest.approx(np.sqrt(t), rel=1e-4)
    assert pooled.shrinkage == pytest.approx(1 / (1 + t), rel=1e-3)
    assert pooled.value == pytest.approx(value * t / (1 + t), rel=1e-4)
    curvature = t / (1 + t) ** 2 * (-4.5 + 45 * (1 - t) / (1 + t))
    variance = t / (1 + t) + 0.1 / (1 + t) + (t / (1 + t) ** 2) ** 2 / -curvature * 9
    assert pooled.upper - pooled.value == pytest.approx(1.96 * np.sqrt(variance), rel=1e-3)


def test_one_outlier_is_drawn_in_and_the_crowd_stays() -> None:
    value = np.r_[np.zeros(59), 5.0]
    pooled = partially_pooled(normal_estimates(value, deviation=1.0))
    assert 0 < pooled.value[-1] < 3
    assert abs(pooled.value[0]) < 0.2
    # What is unlike the rest is less sure of its pooled place.
    width = pooled.upper - pooled.lower
    assert width[-1] > 1.2 * width[0]


def test_a_noisier_segment_is_drawn_in_further() -> None:
    estimates, _ = SegmentedClicks(spread=0.5).draw(seed=0, n_resamples=200)
    pooled = partially_pooled(estimates)
    order = np.argsort(estimates.sampling_variance())
    assert (np.diff(pooled.shrinkage[order]) >= 0).all()


def test_the_unit_of_reward_is_irrelevant() -> None:
    estimates, _ = SegmentedClicks(spread=0.3).draw(seed=0, n_resamples=100)
    in_cents = replace(estimates, value=100 * estimates.value, resampled=100 * estimates.resampled)
    assert partially_pooled(in_cents).lower == pytest.approx(
        100 * partially_pooled(estimates).lower, rel=1e-4
    )


def test_fewer_than_four_segments_speak_for_themselves() -> None:
    pooled = partially_pooled(normal_estimates(np.array([0.0, 1.0, 5.0]), deviation=1.0))
    assert pooled.value.tolist() == [0, 1, 5]
    assert pooled.shrinkage.tolist() == [0, 0, 0]
    assert pooled.upper[0] == pytest.approx(1.96, abs=0.001)
    assert np.isnan(pooled.mean) and np.isnan(pooled.spread)


def test_a_segment_without_a_value_has_none_after_pooling() -> None:
    estimates, _ = SegmentedClicks().draw(seed=0, n_resamples=50)
    value, resampled = estimates.value.copy(), estimates.resampled.copy()
    value[3], resampled[3] = np.nan, np.nan
    holed = partially_pooled(replace(estimates, value=value, resampled=resampled))
    others = np.arange(60) != 3
    assert np.isnan(holed.value[3]) and np.isnan(holed.lower[3])
    assert holed.value[others] == pytest.approx(partially_pooled(estimates.select(others)).value)


def test_a_policy_does_not_differ_from_itself_anywhere() -> None:
    policies, _ = SegmentedClicks(n_users=50).log(seed=0)
    same = {"log": policies["log"], "same": policies["log"]}
    evaluation = evaluate(same, [from_name("ips")], n_resamples=20)
    pooled = partially_pooled(segment_differences(evaluation, "same", "log", "ips"))
    assert (pooled.lower == 0).all() and (pooled.upper == 0).all()


def test_a_confidence_is_a_share() -> None:
    with pytest.raises(ValueError, match="confidence is 95"):
        partially_pooled(normal_estimates(np.zeros(5), 1.0), confidence=95)


def drawn_segments(spread: float, seed: int) -> tuple[Floats, SegmentEstimates]:
    """True values of 23 segments around 0.02, and estimates of them with an error of 0.03."""
    random = np.random.default_rng(seed)
    truth = random.normal(0.02, spread, 23)
    return truth, normal_estimates(truth + random.normal(0, 0.03, 23), 0.03)


def test_the_probabilities_add_up_to_the_segments_below_zero_where_every_spread_is_as_likely() -> None:
    said, true = [], []
    for seed in range(400):
        truth, estimates = drawn_segments(0.12 * (seed + 0.5) / 400, seed)
        said.append(below_zero(estimates).mean())
        true.append((truth < 0).mean())
    # 400 logs know the share to about .01
    assert np.mean(said) == pytest.approx(np.mean(true), abs=0.03)


def test_segments_that_are_alike_are_hardly_ever_taken_for_harmed() -> None:
    logs = [drawn_segments(0.0, seed)[1] for seed in range(300)]

    likely = np.mean([below_zero(estimates) > 0.5 for estimates in logs])

    assert likely < 0.01
    assert np.mean([partially_pooled(estimates).value < 0 for estimates in logs]) > 2 * likely


def test_few_segments_speak_for_themselves() -> None:
    estimates = normal_estimates(np.array([0.03, -0.03, 0.0]), 0.03)

    assert below_zero(estimates) == pytest.approx([0.1587, 0.8413, 0.5], abs=1e-3)


def test_a_segment_that_is_not_sound_is_one_of_the_others() -> None:
    estimates = replace(normal_estimates(np.array([0.02, 0.021, 0.019, 0.02, 9.0]), 0.002), doubted=(4,))

    assert below_zero(estimates)[4] < 0.1
