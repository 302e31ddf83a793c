"""Levels: the parts of a mixed model whose coefficients share prior variances, and their sums over rounds.

One level holds what all rounds share, another what each segment has of its own; a level of T groups has T
sets of coefficients under one prior. A coefficient belongs to an item or to an item feature, and multiplies
a column.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.mixed_model.arrowhead import Precisions

WORTH_A_CELL = 300
"""Least mean count of numbers in a cell for which a matrix product per cell is faster."""

_NUMBERS_AT_ONCE = 1 << 22
"""Numbers of outer products held at once: 32 MB."""


@dataclass(frozen=True)
class Block:
    """Coefficients with one prior variance: of every column in `column` for each row of `row`.

    row: "item" or the name of a block of item features; column: the name of a block of columns.
    is_free: without a prior, such as the slots' effects.
    """

    row: str
    column: str
    is_free: bool = False


@dataclass(frozen=True, eq=False)
class Level:
    """Which coefficients a level has: T groups, A items, F item features, D columns.

    item_block [D], feature_block [F, D]: position in `blocks` of each coefficient's block, -1 without one.
    """

    blocks: tuple[Block, ...]
    item_block: Tensor
    feature_block: Tensor
    n_groups: int

    def precisions(self, variances: Tensor) -> Precisions:
        """Return the prior precisions of the coefficients for the blocks' variances [len(blocks)]."""
        inverse = 1.0 / variances
        return Precisions(
            item=torch.where(self.item_block >= 0, inverse[self.item_block.clamp_min(0)], 0.0),
            feature=torch.where(self.feature_block >= 0, inverse[self.feature_block.clamp_min(0)], 0.0),
        )


@dataclass(frozen=True, eq=False)
class Coefficients:
    """item [T, A, D], feature [T, F, D]; 0 where a level has none."""

    item: Tensor
    feature: Tensor

    @classmethod
    def zeros(cls, level: Level, n_items: int) -> "Coefficients":
        """Return zeros, the prior's mean, on the level's device."""
        features, columns = level.feature_block.shape
        empty = torch.empty(0, dtype=torch.float64, device=level.item_block.device)
        return cls(
            empty.new_zeros(level.n_groups, n_items, columns),
            empty.new_zeros(level.n_groups, features, columns),
        )

    def of_items(self, features: Tensor) -> Tensor:
        """Return coefficient of each column for each item, its features' coefficients included: [T, A, D]."""
        return self.item + torch.einsum("af,tfd->tad", features, self.feature)

    def plus(self, other: "Coefficients", share: float) -> "Coefficients":
        """Return self + share * other."""
        return Coefficients(self.item + share * other.item, self.feature + share * other.feature)


@dataclass(frozen=True, eq=False)
class CellRows:
    """The columns [n, D] of n rounds, ordered by cell: the pair of group and item, group by group.

    order: the rows of the log in this order; bounds: cell → its first row and the row after its last, for the
    cells that have any.
    """

    columns: Tensor
    order: Tensor
    cell: Tensor
    bounds: tuple[tuple[int, int, int], ...]
    n_groups: int
    n_items: int

    @classmethod
    def of(cls, columns: Tensor, group: Tensor, item: Tensor, n_groups: int, n_items: int) -> "CellRows":
        """Return the sort rows into cells: columns [n, D], group and item int64 [n]."""
        cell = group * n_items + item
        order = torch.argsort(cell, stable=True)
        used, count = torch.unique_consecutive(cell[order], return_counts=True)
        ends = count.cumsum(0).tolist()
        starts = [0, *ends][: len(ends)]
        bounds = tuple(zip(used.tolist(), starts, ends, strict=True))
        return cls(columns[order], order, cell, bounds, n_groups, n_items)

    @property
    def is_constant(self) -> bool:
        """Whether there is a single column: then sums are counts, and need no products."""
        return self.columns.shape[1] == 1

    @property
    def is_scattered(self) -> bool:
        """Whether cells have so few numbers that a call for each would cost more than what it computes."""
        return len(self.order) * self.columns.shape[1] < WORTH_A_CELL * len(self.bounds)

    def _cells(self) -> Iterator[tuple[int, slice, Tensor]]:
        for cell, start, end in self.bounds:
            yield cell, slice(start, end), self.columns[start:end].double()

    def _chunks(self) -> Iterator[tuple[Tensor, slice, Tensor]]:
        """Yield cells, places and columns of rounds whose outer products fit in `_NUMBERS_AT_ONCE`."""
        at_once = max(1, _NUMBERS_AT_ONCE // self.columns.shape[1] ** 2)
        ordered_cells = self.cell[self.order]
        for start in range(0, len(self.order), at_once):
            rows = slice(start, start + at_once)
            yield ordered_cells[rows], rows, self.columns[rows].double()

    def scores(self, coefficients: Tensor) -> Tensor:
        """Return x'w of each round in the order of the log, [n]; coefficients [T, A, D]."""
        of_cell = coefficients.flatten(0, 1)
        ordered = of_cell.new_zeros(len(self.order))
        if self.is_scattered:
            for cells, rows, columns in self._chunks():
                ordered[rows] = (columns * of_cell[cells]).sum(1)
        else:
            for cell, rows, columns in self._cells():
                ordered[rows] = columns @ of_cell[cell]
        return torch.empty_like(ordered).index_copy_(0, self.order, ordered)

    def moments(self, residual: Tensor) -> Tensor:
        """Return sums of residual [n] times x by cell: [T, A, D]."""
        ordered = residual[self.order]
        sums = ordered.new_zeros(self.n_groups * self.n_items, self.columns.shape[1])
        if self.is_constant:
            sums = self._counted(self.columns[:, 0].double() * ordered)
        elif self.is_scattered:
            for cells, rows, columns in self._chunks():
                sums.index_add_(0, cells, ordered[rows, None] * columns)
        else:
            for cell, rows, columns in self._cells():
                sums[cell] = ordered[rows] @ columns
        return sums.reshape(self.n_groups, self.n_items, -1)

    def gram(self, weight: Tensor) -> Tensor:
        """Return sums of weight [n] times x x' by cell: [T, A, D, D]."""
        ordered, size = weight[self.order], self.columns.shape[1]
        if self.is_constant:
            sums = self._counted(self.columns[:, 0].double().square() * ordered)
        else:
            sums = ordered.new_zeros(self.n_groups * self.n_items, size, size)
        if self.is_scattered and not self.is_constant:
            for cells, rows, columns in self._chunks():
                weighted = ordered[rows, None] * columns
                sums.index_add_(0, cells, weighted[:, :, None] * columns[:, None, :])
        elif not self.is_constant:
            for cell, rows, columns in self._cells():
                sums[cell] = columns.T @ (ordered[rows, None] * columns)
        return sums.reshape(self.n_groups, self.n_items, size, size)

    def _counted(self, values: Tensor) -> Tensor:
        return torch.bincount(self.cell[self.order], values, self.n_groups * self.n_items)
