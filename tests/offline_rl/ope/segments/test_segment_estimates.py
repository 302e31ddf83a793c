import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.segments.multiplicity import adjusted_p_values
from offline_rl.ope.segments.partial_pooling import partially_pooled
from offline_rl.ope.segments.segment_estimates import SegmentEstimates, segment_differences, segment_values
from tests.offline_rl.ope.segmented import N_SEGMENTS, SegmentedClicks

IPS = from_name("ips")


def test_estimates_of_segments_are_those_of_the_evaluation() -> None:
    policies, _ = SegmentedClicks(n_users=100).log(seed=0)
    evaluation = evaluate(policies, [IPS], n_resamples=50)
    values = segment_values(evaluation, "new", "ips")
    differences = segment_differences(evaluation, "new", "log", "ips")
    assert values.segments == tuple(range(N_SEGMENTS))
    assert values.value.tolist() == evaluation.values[0, 0, 1:].tolist()
    for place in (0, 7, 59):
        difference = evaluation.difference("new", "log", "ips", place)
        assert differences.value[place] == difference.value
        resampled = evaluation.resampled[0, 0, 1 + place] - evaluation.resampled[1, 0, 1 + place]
        assert differences.resampled[place].tolist() == resampled.tolist()
        assert differences.n_clusters[place] == evaluation.diagnostics_of("new", place).n_clusters
    for missing in (("old", "log", "ips"), ("new", "old", "ips"), ("new", "log", "dr")):
        with pytest.raises(ValueError, match="was not evaluated"):
            segment_differences(evaluation, *missing)


def test_the_short_way_of_drawing_a_world_is_the_long_way() -> None:
    """Multinomial draws of kinds of users have the moments that the bootstrap of rounds has."""
    world = SegmentedClicks(rate=0.3, n_users=200)
    evaluation = evaluate(world.log(seed=1)[0], [IPS], n_resamples=300)
    rounds = segment_differences(evaluation, "new", "log", "ips")
    kinds, _ = world.draw(seed=1, n_resamples=300)
    per_user = [(e.n_clusters * e.resampled.var(axis=1)).mean() for e in (rounds, kinds)]
    assert per_user[0] == pytest.approx(per_user[1], rel=0.1)
    assert rounds.n_informative.sum() == pytest.approx(kinds.n_informative.sum(), rel=0.1)


def test_variances_by_hand() -> None:
    estimates = SegmentEstimates(
        segments=(0, 1),
        value=np.array([0.0, 1.0]),
        resampled=np.array([[0.0, 0.0], [0.0, 2.0]]),
        n_clusters=np.array([10, 10]),
        n_informative=np.array([0, 20]),
    )
    # Variances per user are 0 and 10, with a mean of 5. A coin has kurtosis −2, which counts as 0, so each
    # variance has 10 degrees of freedom: (10 · 0 + 30 · 5) / 40 / 10 and (10 · 10 + 30 · 5) / 40 / 10.
    assert estimates.degrees_of_freedom().tolist() == [10, 10]
    assert estimates.sampling_variance().tolist() == [0.375, 0.625]


def test_a_segment_without_a_click_is_not_known_for_certain() -> None:
    estimates, _ = SegmentedClicks(rate=0.005, n_users=300).draw(seed=0, n_resamples=200)
    silent = estimates.n_informative == 0
    assert silent.any()
    assert (estimates.resampled[silent] == 0).all()
    per_user = estimates.sampling_variance() * estimates.n_clusters
    assert per_user[silent].min() > 0.2 * per_user.max()


def test_a_variance_is_worth_twice_the_clicks_it_rests_on() -> None:
    # On the logging policy's own log every click is worth 1, and the variance of a rate rests on them alone.
    rng = np.random.default_rng(0)
    n = np.repeat([1000, 4000], 30)
    clicks = rng.binomial(n, 0.01)
    resampled = rng.binomial(n[:, None], (clicks / n)[:, None], (60, 1000)) / n[:, None]
    estimates = SegmentEstimates(tuple(range(60)), clicks / n, resampled, n, clicks)
    assert estimates.degrees_of_freedom() == pytest.approx(2 * 0.01 * n, rel=0.35)


def test_one_skewness_is_shared_by_segments_of_different_size() -> None:
    # The skewness of a mean of n exponential draws is 2 / √n.
    n = np.repeat([50, 200], 20)
    resampled = np.random.default_rng(0).gamma(n[:, None], 1 / n[:, None], (40, 1000))
    estimates = SegmentEstimates(tuple(range(40)), np.ones(40), resampled, n, n)
    assert estimates.skewness() == pytest.approx(2 / np.sqrt(n), rel=0.15)


def test_segments_without_evidence_have_no_moments_to_speak_of() -> None:
    policies, _ = SegmentedClicks(n_users=50).log(seed=0)
    evaluation = evaluate({"log": policies["log"], "same": policies["log"]}, [IPS], n_resamples=20)
    nothing = segment_differences(evaluation, "same", "log", "ips")
    assert (nothing.sampling_variance() == 0).all()
    assert (nothing.skewness() == 0).all()
    assert nothing.is_identified.all()
    assert "dr" not in [e.name for e in evaluation.estimators]


def test_a_segment_that_rests_on_one_order_is_neither_pooled_nor_tested() -> None:
    rng = np.random.default_rng(2)
    segment = np.repeat(np.arange(6), 500)
    reward = np.where(rng.random(3000) < 0.2, rng.gamma(4.0, 10.0, 3000), 0.0)
    reward[2 * 500 + 7] = 90_000.0
    columns = {
        "reward": reward,
        "propensity": np.full(3000, 0.5),
        "cluster": np.arange(3000),
        "segment": segment,
    }
    new = EvaluationRounds(**columns, evaluation_prob=np.where(np.arange(3000) % 2 == 1, 0.8, 0.2))
    policies = {"new": new, "log": EvaluationRounds.of_logging_policy(**columns)}
    evaluation = evaluate(policies, [IPS], n_resamples=100)

    values = segment_values(evaluation, "new", "ips")
    pooled = partially_pooled(values)
    assert values.doubted == (2,)
    assert pooled.value[2] == values.value[2]
    assert np.isnan([pooled.lower[2], pooled.upper[2]]).all()
    assert pooled.mean < 20
    assert np.isnan(adjusted_p_values(segment_differences(evaluation, "new", "log", "ips"))[2])
    assert values.select(np.arange(6) > 2).is_sound.all()
