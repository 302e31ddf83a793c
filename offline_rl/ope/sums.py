"""Sums of terms by segment and cluster: the only form in which a log reaches the bootstrap."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from offline_rl.ope.records import Floats, Ints


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return numerator / denominator, NaN (not identified) where the denominator is 0; shapes broadcast.

    >>> ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
    array([0.25,  nan])
    """
    numerator, denominator = np.asarray(numerator), np.asarray(denominator)
    nothing: Floats = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=nothing, where=denominator != 0)
    return nothing


@dataclass(frozen=True, eq=False)
class Cells:
    """Which rounds are summed together: one cell per (segment, cluster) that occurs, ordered by segment.

    A cluster (a user) may lie in several segments; its cells then share its resampling counts.

    | field | shape | meaning |
    |---|---|---|
    | cell_of_round | [n] | the cell of each round |
    | cluster_of_cell | [cells] | position of its cluster among the sorted clusters of the log |
    | first_cell | [G] | where each segment's cells begin |
    | segments | [G] | the segments' indices as logged, ascending |
    | n_clusters | | distinct clusters in the log |
    """

    cell_of_round: Ints
    cluster_of_cell: Ints
    first_cell: Ints
    segments: Ints
    n_clusters: int

    @classmethod
    def of(cls, segment: Ints, cluster: Ints) -> Self:
        """Return the sort n rounds into cells of segment and cluster.

        Raises ValueError where there is no round.
        """
        if len(segment) == 0:
            raise ValueError("there are no rounds to sum: evaluate a log with at least one round.")
        segments, segment_position = np.unique(segment, return_inverse=True)
        clusters, cluster_position = np.unique(cluster, return_inverse=True)
        keys, cell_of_round = np.unique(
            segment_position * len(clusters) + cluster_position, return_inverse=True
        )
        return cls(
            cell_of_round=cell_of_round,
            cluster_of_cell=keys % len(clusters),
            first_cell=np.searchsorted(keys, np.arange(len(segments)) * len(clusters)),
            segments=segments,
            n_clusters=len(clusters),
        )

    @property
    def n_cells(self) -> int:
        """Number of (segment, cluster) pairs that occur."""
        return len(self.cluster_of_cell)

    def spans(self) -> list[slice]:
        """Return the cells of each segment, in the order of `segments`."""
        bounds = [*self.first_cell.tolist(), self.n_cells]
        return [slice(start, stop) for start, stop in pairwise(bounds)]

    def clusters(self, span: slice) -> Ints | slice:
        """Return the clusters of a segment's cells; a slice where it has all of them, to avoid a copy."""
        clusters = self.cluster_of_cell[span]
        return slice(None) if len(clusters) == self.n_clusters else clusters

    def sums(self, terms: Floats, rounds: Ints | None = None) -> Floats:
        """Return the terms [n, k] of all rounds, or of those at given indices, summed by cell, [cells, k]."""
        cell = self.cell_of_round if rounds is None else self.cell_of_round[rounds]
        columns = [np.bincount(cell, column, self.n_cells) for column in terms.T]
        return np.column_stack(columns)

    def by_segment(self, cell_sums: Floats) -> Floats:
        """Add up cell sums [cells, k]: row 0 is the whole log, row 1 + g is segment g; shape [1 + G, k]."""
        segment_sums = np.add.reduceat(cell_sums, self.first_cell, axis=0)
        return np.vstack([segment_sums.sum(axis=0, keepdims=True), segment_sums])

    def by_cluster(self, cell_sums: Floats) -> Floats:
        """Return cell sums [cells, k] added up over the segments of each cluster, shape [n_clusters, k]."""
        if len(self.segments) == 1:
            return cell_sums
        columns = [np.bincount(self.cluster_of_cell, column, self.n_clusters) for column in cell_sums.T]
        return np.column_stack(columns)


def distinct_columns(blocks: Sequence[Floats]) -> tuple[Floats, list[Ints]]:
    """Return blocks [m, k_i] side by side with equal columns kept once, and where each block's columns went.

    Estimators and policies share counts and weights, so this halves the bootstrap's work. It also makes equal
    columns take the same path through the matrix product, without which a policy compared with itself could
    differ from zero in the last place.

    >>> ones, half = np.ones((2, 1)), np.full((2, 1), 0.5)
    >>> matrix, places = distinct_columns([ones, np.hstack([half, ones])])
    >>> matrix.shape, [place.tolist() for place in places]
    ((2, 2), [[0], [1, 0]])
    """
    place_of: dict[bytes, int] = {}
    columns: list[Floats] = []
    places = []
    for block in blocks:
        place = []
        for column in block.T:
            key = column.tobytes()
            if key not in place_of:
                place_of[key] = len(columns)
                columns.append(column)
            place.append(place_of[key])
        places.append(np.array(place, dtype=np.int64))
    return np.column_stack(columns), places
