import numpy as np
import pytest

from offline_rl.ope import bootstrap
from offline_rl.ope.bootstrap import Interval, Resamples, percentile_interval, resampled_sums
from offline_rl.ope.sums import Cells


def all_counts(resamples: Resamples) -> np.ndarray:
    return np.concatenate(list(resamples.counts()), axis=1)


def test_a_resample_draws_as_many_clusters_as_there_are() -> None:
    counts = all_counts(Resamples(n_clusters=50, n_resamples=200, seed=3))
    assert counts.shape == (50, 200)
    assert (counts.sum(axis=0) == 50).all()
    assert counts.mean() == 1
    # A multinomial count has variance 1 - 1/C.
    assert counts.var() == pytest.approx(1 - 1 / 50, rel=0.05)


def test_the_seed_alone_fixes_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = all_counts(Resamples(7, 20, seed=1))
    monkeypatch.setattr(bootstrap, "COUNTS_IN_MEMORY", 21)
    chunked = list(Resamples(7, 20, seed=1).counts())
    assert [chunk.shape[1] for chunk in chunked] == [3, 3, 3, 3, 3, 3, 2]
    assert np.array_equal(np.concatenate(chunked, axis=1), whole)
    assert not np.array_equal(all_counts(Resamples(7, 20, seed=2)), whole)


def test_more_clusters_than_memory_go_one_resample_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "COUNTS_IN_MEMORY", 5)
    assert [chunk.shape for chunk in Resamples(7, 3).counts()] == [(7, 1)] * 3


@pytest.mark.parametrize(("n_clusters", "n_resamples"), [(0, 10), (10, 0)])
def test_nothing_to_draw_is_refused(n_clusters: int, n_resamples: int) -> None:
    with pytest.raises(ValueError, match="both must be at least 1"):
        Resamples(n_clusters, n_resamples)


def test_resampled_sums_are_those_of_the_repeated_rounds() -> None:
    segment = np.array([0, 0, 1, 1, 1, 2])
    cluster = np.array([5, 8, 5, 5, 9, 8])
    terms = np.column_stack([np.ones(6), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]])
    cells = Cells.of(segment, cluster)
    resamples = Resamples(n_clusters=3, n_resamples=25, seed=0)
    sums = resampled_sums(cells, cells.sums(terms), resamples)
    _, cluster_position = np.unique(cluster, return_inverse=True)
    for counts, (whole, *segments) in zip(all_counts(resamples).T, sums, strict=True):
        repeated = terms * counts[cluster_position, np.newaxis]
        assert whole.tolist() == repeated.sum(axis=0).tolist()
        assert [s.tolist() for s in segments] == [
            repeated[segment == g].sum(axis=0).tolist() for g in range(3)
        ]


def test_percentiles_by_hand() -> None:
    assert percentile_interval(50.0, np.arange(101.0), 0.5) == Interval(25.0, 75.0)


def test_an_interval_holds_its_estimate() -> None:
    assert percentile_interval(200.0, np.arange(101.0), 0.5) == Interval(25.0, 200.0)
    assert percentile_interval(-1.0, np.arange(101.0), 0.5) == Interval(-1.0, 75.0)


def test_resamples_without_a_value_are_left_out_and_counted() -> None:
    resampled = np.concatenate([np.arange(101.0), np.full(9, np.nan)])
    assert percentile_interval(50.0, resampled, 0.5) == Interval(25.0, 75.0, n_undefined=9)


def test_no_value_no_interval() -> None:
    assert np.isnan(percentile_interval(np.nan, np.arange(3.0), 0.9).lower)
    assert np.isnan(percentile_interval(1.0, np.full(3, np.nan), 0.9).upper)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="share between 0 and 1"):
        percentile_interval(1.0, np.arange(3.0), confidence)
