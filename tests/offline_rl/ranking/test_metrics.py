"""Metrics of lists whose answers are known on paper."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from offline_rl.ranking.metrics import METRICS, coverage, hits, ndcg, popularity_rank, popularity_ranks

# Ann bought 0 and 3, Ben bought 1, Cem bought 0, 1 and 2.
BOUGHT = sparse.csr_array(np.array([[1, 0, 0, 1], [0, 1, 0, 0], [1, 1, 1, 0]], dtype=float))
LISTS = np.array([[3, 1, 0], [2, 0, -1], [0, 1, 2]])
N_BOUGHT = np.array([2, 1, 3])


@pytest.mark.parametrize(
    ("metric", "answers"),
    [
        ("recall", [1.0, 0.0, 1.0]),
        ("precision", [2 / 3, 0.0, 1.0]),
        ("hit_rate", [1.0, 0.0, 1.0]),
        ("mrr", [1.0, 0.0, 1.0]),
        ("ndcg", [(1 + 1 / log2(4)) / (1 + 1 / log2(3)), 0.0, 1.0]),
    ],
)
def test_metrics_of_three_users(metric: str, answers: list[float]) -> None:
    hit = hits(LISTS, BOUGHT)

    assert METRICS[metric](hit, N_BOUGHT).tolist() == pytest.approx(answers)


def test_a_list_shorter_than_what_was_bought_can_be_perfect() -> None:
    hit = hits(LISTS[:, :1], BOUGHT)

    assert ndcg(hit, N_BOUGHT).tolist() == [1.0, 0.0, 1.0]
    assert METRICS["recall"](hit, N_BOUGHT).tolist() == pytest.approx([1 / 2, 0.0, 1 / 3])


@given(st.permutations(range(6)), st.sets(st.integers(0, 5), min_size=1))
def test_every_metric_lies_in_0_to_1_and_the_best_list_has_ndcg_1(order: list[int], bought: set[int]) -> None:
    relevant = np.zeros((1, 6))
    relevant[0, list(bought)] = 1.0
    n_relevant = np.array([len(bought)])
    best = [*bought, *(item for item in order if item not in bought)]

    hit, best_hit = (hits(np.array([items]), sparse.csr_array(relevant)) for items in (order, best))

    assert all(0 <= float(metric(hit, n_relevant)[0]) <= 1 for metric in METRICS.values())
    assert float(ndcg(best_hit, n_relevant)[0]) == pytest.approx(1.0)
    assert float(ndcg(hit, n_relevant)[0]) <= 1.0 + 1e-12


def test_an_empty_place_is_no_hit_whatever_the_last_item_is() -> None:
    assert hits(np.array([[-1]]), sparse.csr_array(np.array([[0.0, 1.0]]))).tolist() == [[False]]
    assert hits(np.array([[1], [-1]]), sparse.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))).tolist() == [
        [True],
        [False],
    ]


def test_coverage_and_novelty_of_three_lists() -> None:
    ranks = popularity_ranks(np.array([5.0, 9.0, 5.0, 1.0]))

    assert ranks.tolist() == [2, 1, 3, 4]
    assert popularity_rank(LISTS, ranks).tolist() == [(4 + 1 + 2) / 3, (3 + 2) / 2, 2.0]
    assert coverage(LISTS[1:2], n_shown=4) == 0.5
    assert np.isnan(popularity_rank(np.array([[-1]]), ranks)[0])
    assert np.isnan(coverage(LISTS, n_shown=0))
