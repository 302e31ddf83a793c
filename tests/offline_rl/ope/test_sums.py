import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.ope.sums import Cells, distinct_columns, ratio

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 6)), min_size=1, max_size=60)


@given(pairs)
def test_cells_are_the_pairs_that_occur_ordered_by_segment(rows: list[tuple[int, int]]) -> None:
    segment, cluster = np.array(rows).T
    cells = Cells.of(segment, cluster)
    clusters = np.unique(cluster)
    seen = [
        (int(cells.segments[g]), int(clusters[c]))
        for g, span in enumerate(cells.spans())
        for c in cells.cluster_of_cell[span]
    ]
    assert seen == sorted(set(rows))
    assert [seen[cell] for cell in cells.cell_of_round] == rows
    assert cells.n_clusters == len(clusters)


@given(pairs)
def test_cell_sums_add_to_segments_and_to_the_whole(rows: list[tuple[int, int]]) -> None:
    segment, cluster = np.array(rows).T
    terms = np.column_stack([np.ones(len(rows)), np.arange(len(rows)) ** 2])
    cells = Cells.of(segment, cluster)
    whole, *segments = cells.by_segment(cells.sums(terms))
    assert whole.tolist() == terms.sum(axis=0).tolist()
    assert [s.tolist() for s in segments] == [
        terms[segment == g].sum(axis=0).tolist() for g in cells.segments
    ]


def test_no_rounds_no_cells() -> None:
    with pytest.raises(ValueError, match="at least one round"):
        Cells.of(np.array([], dtype=int), np.array([], dtype=int))


def test_equal_columns_are_carried_once() -> None:
    a, b = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    matrix, places = distinct_columns([np.column_stack([a, b]), np.column_stack([b, a, b])])
    assert matrix.tolist() == [[1.0, 1.0], [2.0, 3.0]]
    assert [place.tolist() for place in places] == [[0, 1], [1, 0, 1]]


def test_a_ratio_of_nothing_is_not_a_number_and_warns_nobody() -> None:
    assert np.isnan(ratio(np.array([0.0, 1.0]), np.array(0.0))).all()
