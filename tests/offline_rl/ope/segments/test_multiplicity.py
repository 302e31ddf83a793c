from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.segments.multiplicity import adjusted_p_values, holm, p_values
from offline_rl.ope.segments.segment_estimates import SegmentEstimates, segment_differences
from tests.offline_rl.ope.segmented import SegmentedClicks

IPS = from_name("ips")
NULLS = {
    "clicks": SegmentedClicks(),
    "frequent": SegmentedClicks(rate=0.4),
    "rare": SegmentedClicks(rate=0.05),
    "skewed": SegmentedClicks(logged=0.1),
}
HARMFUL = SegmentedClicks(rate=0.4, n_users=3000, harmed=5, harm=0.3)


def any_flag(estimates: SegmentEstimates) -> bool:
    return bool((adjusted_p_values(estimates) <= 0.05).any())


def harmed(estimates: SegmentEstimates) -> list[int]:
    flagged = (adjusted_p_values(estimates) <= 0.05) & (estimates.value < 0)
    return np.flatnonzero(flagged).tolist()


@pytest.mark.parametrize("world", NULLS.values(), ids=list(NULLS))
def test_sixty_equal_segments_seldom_raise_a_flag(world: SegmentedClicks) -> None:
    false_alarms = [any_flag(world.draw(seed, n_resamples=200)[0]) for seed in range(300)]
    assert np.mean(false_alarms) <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize("world", NULLS.values(), ids=list(NULLS))
def test_sixty_equal_segments_seldom_raise_a_flag_with_a_thousand_resamples(world: SegmentedClicks) -> None:
    false_alarms = [any_flag(world.draw(seed, n_resamples=1000)[0]) for seed in range(1000)]
    # Three standard deviations of a binomial share around 5 %.
    assert np.mean(false_alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_without_the_correction_for_skewness_equal_segments_look_harmed_or_helped() -> None:
    false_alarms = []
    for seed in range(100):
        estimates, _ = NULLS["skewed"].draw(seed, n_resamples=200)
        z = estimates.value / estimates.resampled.std(axis=1)
        false_alarms.append((holm(2 * norm.sf(np.abs(z))) <= 0.05).any())
    assert np.mean(false_alarms) > 0.15


def test_five_harmed_segments_are_found() -> None:
    found, false = [], []
    for seed in range(40):
        flagged = harmed(HARMFUL.draw(seed, n_resamples=200)[0])
        found.append(sum(segment < 5 for segment in flagged) / 5)
        false.append(any(segment >= 5 for segment in flagged))
    assert np.mean(found) > 0.75
    assert np.mean(false) <= 0.1


def test_a_log_of_rounds_is_flagged_where_it_is_harmed() -> None:
    world = SegmentedClicks(rate=0.4, n_users=800, harmed=3, harm=0.8)
    evaluation = evaluate(world.log(seed=0)[0], [IPS], n_resamples=300)
    estimates = segment_differences(evaluation, "new", "log", "ips")
    assert harmed(estimates) == [0, 1, 2]
    assert not np.isnan(adjusted_p_values(estimates)).any()


def test_segments_with_few_rewards_are_not_tested() -> None:
    estimates, _ = SegmentedClicks(rate=0.05).draw(seed=0, n_resamples=100)
    few = estimates.n_informative < 20
    assert 0 < few.sum() < 60
    assert (np.isnan(adjusted_p_values(estimates)) == few).all()
    assert np.isnan(adjusted_p_values(estimates, min_informative=10**6)).all()


def test_symmetric_differences_have_the_p_values_of_a_normal_distribution() -> None:
    quantiles = norm.ppf((np.arange(2000) + 0.5) / 2000)
    estimates, _ = SegmentedClicks().draw(seed=0, n_resamples=2)
    value = np.linspace(-4, 4, 60)
    many = np.full(60, 10**6)
    shifted = replace(
        estimates, value=value, resampled=value[:, None] + quantiles, n_clusters=many, n_informative=many
    )
    assert p_values(shifted) == pytest.approx(2 * norm.sf(np.abs(value)), rel=0.03, abs=1e-9)


def test_where_nothing_varies_nothing_is_flagged() -> None:
    policies, _ = SegmentedClicks(rate=0.4, n_users=100).log(seed=0)
    evaluation = evaluate({"log": policies["log"], "same": policies["log"]}, [IPS], n_resamples=20)
    same = segment_differences(evaluation, "same", "log", "ips")
    assert (p_values(same) == 1).all()
    assert not any_flag(same)


def test_adjusted_p_values_by_hand() -> None:
    p = np.array([0.04, 0.01, 0.03, 0.005])
    # Holm: 4 × .005, 3 × .01, 2 × .03 and at least as much for the last.
    assert holm(p) == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert holm(np.full(3, 0.9)).tolist() == [1, 1, 1]
