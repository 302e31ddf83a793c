"""Arrowhead systems: items eliminated exactly, so that a catalog of any size costs what its features cost.

Each round shows one item, so the coefficients of two items never meet in the Hessian of the log-likelihood,
except through what all items share. Ordered (items, shared features) it is an arrowhead:

    [ H_1           B_1 ]
    [      ...      ... ]      H_a = G_a[J, J] + P_item,   B_a = G_a[J, :] ⊗ z_a'
    [           H_A B_A ]
    [ B_1' ... B_A'  C  ]      C = sum_a z_a z_a' ⊗ G_a + P_feature

with G_a = sum over the item's rounds of w x x' (D columns), J the columns that an item has coefficients of
its own for, z_a the item's features (F) and P the prior precisions. The Schur complement keeps the
Kronecker form, S = P_feature + sum_a z_a z_a' ⊗ (G_a - G_a[:, J] H_a^-1 G_a[J, :]), so no matrix is ever
larger than the shared coefficients, F D. T groups are solved side by side: one for what all segments share,
one a segment for what segments have of their own.
Sources: Golub & Van Loan 2013, section 4.5 (block elimination); Bates et al. 2015, section 3 (mixed models).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

_NUMBERS_AT_ONCE = 1 << 25
"""Numbers of the groups' dense systems that are held at once: 256 MB each time one is copied."""


@dataclass(frozen=True, eq=False)
class Precisions:
    """Which coefficients exist, and the prior precision 1 / v of each.

    item [D]: of an item's own coefficient of a column; 0 where it has none.
    feature [F, D]: of an item feature's coefficient of a column; 0 where it has none.
    """

    item: Tensor
    feature: Tensor

    @property
    def item_columns(self) -> Tensor:
        """J: the columns that items have coefficients of their own for, int64."""
        return torch.nonzero(self.item > 0).flatten()

    @property
    def feature_cells(self) -> Tensor:
        """Positions in the flattened [F D] that have a coefficient, int64."""
        return torch.nonzero(self.feature.flatten() > 0).flatten()


@dataclass(frozen=True, eq=False)
class Solution:
    """item [T, A, D], feature [T, F, D]: the solution, 0 where there is no coefficient.

    item_variance, feature_variance: the diagonal of the inverse, in the same shapes; None if not requested.
    """

    item: Tensor
    feature: Tensor
    item_variance: Tensor | None
    feature_variance: Tensor | None

    @classmethod
    def joined(cls, parts: Sequence["Solution"]) -> "Solution":
        """Return the solutions of some groups after those of others."""

        def join(tensors: Sequence[Tensor | None]) -> Tensor | None:
            held = [tensor for tensor in tensors if tensor is not None]
            return torch.cat(held) if held else None

        return cls(
            torch.cat([part.item for part in parts]),
            torch.cat([part.feature for part in parts]),
            join([part.item_variance for part in parts]),
            join([part.feature_variance for part in parts]),
        )


def solve_arrowhead(
    gram: Tensor,
    features: Tensor,
    precisions: Precisions,
    item_side: Tensor,
    feature_side: Tensor,
    *,
    with_variances: bool,
) -> Solution:
    """Solve the system of the module's docstring for the right-hand sides (item_side, feature_side).

    gram [T, A, D, D], features [A, F], item_side [T, A, D], feature_side [T, F, D], all float64.

    One item, one column, one feature z = 2, w = 3, precisions 1: the matrix is [[4, 6], [6, 13]].

    >>> one = torch.ones(1, 1, 1, dtype=torch.float64)
    >>> both = Precisions(one[0, 0], one[0])
    >>> found = solve_arrowhead(3 * one[None], 2 * one[0], both, 10 * one, 19 * one, with_variances=True)
    >>> round(found.item.item(), 6), round(found.feature.item(), 6)
    (1.0, 1.0)
    >>> round(found.item_variance.item(), 6)
    0.8125
    """
    own, cells = precisions.item_columns, precisions.feature_cells
    tasks, _, columns, _ = gram.shape
    at_once = max(1, _NUMBERS_AT_ONCE // (features.shape[1] * columns) ** 2)
    if tasks > at_once:
        parts = [
            solve_arrowhead(*some, with_variances=with_variances)
            for some in zip(
                torch.split(gram, at_once),
                repeat(features),
                repeat(precisions),
                torch.split(item_side, at_once),
                torch.split(feature_side, at_once),
            )
        ]
        return Solution.joined(parts)
    n_features = features.shape[1]
    rows = gram[:, :, own]
    factor = torch.linalg.cholesky(rows[..., own] + torch.diag(precisions.item[own]))
    # [T, A, J, D]: what an item's own coefficients take over from the shared ones
    taken = torch.cholesky_solve(rows, factor)
    pairs = _feature_pairs(features)
    shared = _kronecker_sum(pairs, gram - rows.transpose(-1, -2) @ taken, cells, n_features)
    shared = shared + torch.diag(precisions.feature.flatten()[cells])
    shared_factor = torch.linalg.cholesky(shared)
    passed = (taken.transpose(-1, -2) @ item_side[..., own, None])[..., 0]
    side = feature_side - features.T @ passed
    feature = torch.zeros(tasks, n_features * columns, dtype=gram.dtype, device=gram.device)
    feature[:, cells] = torch.cholesky_solve(side.flatten(1)[:, cells, None], shared_factor)[..., 0]
    feature = feature.reshape(tasks, n_features, columns)
    rest = item_side[..., own] - (rows @ (features @ feature)[..., None])[..., 0]
    item = torch.zeros_like(item_side)
    item[..., own] = torch.cholesky_solve(rest[..., None], factor)[..., 0]
    if not with_variances:
        return Solution(item, feature, None, None)
    inverse = torch.cholesky_inverse(shared_factor)
    feature_variance = torch.zeros_like(feature)
    feature_variance.flatten(1)[:, cells] = inverse.diagonal(dim1=-2, dim2=-1)
    item_variance = torch.zeros_like(item)
    spread = _spread_of_items(pairs, inverse, cells, n_features, columns)
    alone = torch.cholesky_inverse(factor).diagonal(dim1=-2, dim2=-1)
    item_variance[..., own] = alone + ((taken @ spread) * taken).sum(-1)
    return Solution(item, feature, item_variance, feature_variance)


def _feature_pairs(features: Tensor) -> Tensor:
    """Return z_a z_a' of every item, sparse [A, F F]: an item has one category of many."""
    count = features.shape[1]
    return (features[:, :, None] * features[:, None, :]).reshape(-1, count**2).to_sparse()


def _kronecker_sum(pairs: Tensor, blocks: Tensor, cells: Tensor, n_features: int) -> Tensor:
    """Return sum_a (z_a z_a') ⊗ blocks_a at existing cells [T, P, P]; pairs [A, F F], blocks [T, A, D, D]."""
    tasks, items, columns, _ = blocks.shape
    by_item = blocks.transpose(0, 1).reshape(items, tasks * columns**2)
    summed = torch.sparse.mm(pairs.t(), by_item).reshape(n_features, n_features, tasks, columns, columns)
    flat: Tensor = summed.permute(2, 0, 3, 1, 4).reshape(tasks, n_features * columns, n_features * columns)
    return flat[:, cells][:, :, cells]


def _spread_of_items(pairs: Tensor, inverse: Tensor, cells: Tensor, n_features: int, columns: int) -> Tensor:
    """Return posterior covariance [T, A, D, D] of z_a' w, what the features say of an item's coefficients."""
    tasks, size = len(inverse), n_features * columns
    full = torch.zeros(tasks, size, size, dtype=inverse.dtype, device=inverse.device)
    full[:, cells[:, None], cells[None, :]] = inverse
    ordered = full.reshape(tasks, n_features, columns, n_features, columns).permute(1, 3, 0, 2, 4)
    spread: Tensor = torch.sparse.mm(pairs, ordered.reshape(n_features**2, tasks * columns**2))
    return spread.reshape(-1, tasks, columns, columns).transpose(0, 1)
