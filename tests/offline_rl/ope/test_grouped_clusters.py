import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.ope.bootstrap import Resamples
from offline_rl.ope.grouped_clusters import grouped


@given(st.lists(st.integers(-5, 40), min_size=1, max_size=80), st.integers(2, 12))
def test_clusters_stay_whole_and_groups_are_even(clusters: list[int], most: int) -> None:
    cluster = np.array(clusters)
    group = grouped(cluster, seed=3, most=most)
    n_clusters = len(np.unique(cluster))
    assert len(np.unique(group)) == min(n_clusters, most)
    pairs = np.unique(np.column_stack([cluster, group]), axis=0)
    assert len(pairs) == n_clusters
    sizes = np.unique(pairs[:, 1], return_counts=True)[1]
    assert sizes.max() - sizes.min() <= 1


def test_few_clusters_are_left_alone() -> None:
    cluster = np.array([9, 4, 9])
    assert grouped(cluster, most=2) is cluster


def test_the_seed_fixes_the_groups() -> None:
    cluster = np.arange(100)
    assert np.array_equal(grouped(cluster, 1, 10), grouped(cluster, 1, 10))
    assert not np.array_equal(grouped(cluster, 1, 10), grouped(cluster, 2, 10))


def test_one_group_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        grouped(np.arange(5), most=1)


def test_group_sums_keep_the_cumulants_that_the_docstring_derives() -> None:
    n, most = 24, 6
    m = n // most
    c = np.random.default_rng(0).exponential(size=n) ** 2
    c -= c.mean()
    sums = np.array([np.bincount(grouped(np.arange(n), seed, most), c, most) for seed in range(20_000)])
    second = (c**2).sum() * (n - m) / (n - 1)
    third = (c**3).sum() * (n - m) * (n - 2 * m) / ((n - 1) * (n - 2))
    assert (sums**2).sum(axis=1).mean() == pytest.approx(second, rel=0.01)
    assert (sums**3).sum(axis=1).mean() == pytest.approx(third, rel=0.05)


def resampled_totals(c: np.ndarray, n_resamples: int) -> np.ndarray:
    counts = np.concatenate(list(Resamples(len(c), n_resamples, seed=7).counts()), axis=1)
    return c @ counts


def test_a_grouped_bootstrap_has_the_standard_error_and_skewness_of_the_whole_one() -> None:
    # Weights of a heavy tail: the bootstrap's distribution is visibly skewed.
    c = np.random.default_rng(1).lognormal(sigma=1.6, size=6000)
    group = grouped(np.arange(len(c)), most=1500)
    whole = resampled_totals(c, 3000)
    by_group = resampled_totals(np.bincount(group, c), 3000)

    def skewness(x: np.ndarray) -> float:
        return float(((x - x.mean()) ** 3).mean() / x.std() ** 3)

    # 3,000 resamples know a standard error to 1.3 % and a skewness to 0.05.
    assert by_group.std() == pytest.approx(whole.std(), rel=0.06)
    exact = (centered := c - c.mean()) ** 3
    assert skewness(whole) == pytest.approx(exact.sum() / (centered**2).sum() ** 1.5, abs=0.12)
    assert skewness(by_group) == pytest.approx(skewness(whole), abs=0.12)
    assert skewness(whole) > 0.1
