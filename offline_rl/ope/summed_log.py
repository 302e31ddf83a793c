"""A log summed by cluster: all that bootstrap, jackknife and linearization need of it."""

from dataclasses import dataclass
from functools import cached_property

from offline_rl.ope.bootstrap import Resamples, resampled_sums
from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.sums import Cells


@dataclass(frozen=True, eq=False)
class SummedLog:
    """Terms of all policies and estimators side by side, K columns, summed by segment and cluster.

    Rows of a result are those of `Cells.by_segment`: 0 is the whole log, 1 + g is segment g.

    | field | shape | meaning |
    |---|---|---|
    | cells | | which rounds were summed together |
    | cell_sums | [cells, K] | their sums |
    | resamples | | how the clusters are drawn again |
    """

    cells: Cells
    cell_sums: Floats
    resamples: Resamples

    @cached_property
    def sums(self) -> Floats:
        """Sums of the whole log and of each segment, shape [1 + G, K]."""
        return self.cells.by_segment(self.cell_sums)

    def resampled(self) -> Floats:
        """Return sums of each resample, shape [B, 1 + G, K]."""
        return resampled_sums(self.cells, self.cell_sums, self.resamples)

    def clusters_of(self, row: int) -> tuple[Ints | slice, Floats]:
        """Return the positions of the clusters that occur in a row, and their sums there, shape [m, K]."""
        if row == 0:
            return slice(None), self._cluster_sums
        span = self.cells.spans()[row - 1]
        return self.cells.clusters(span), self.cell_sums[span]

    @cached_property
    def _cluster_sums(self) -> Floats:
        return self.cells.by_cluster(self.cell_sums)
