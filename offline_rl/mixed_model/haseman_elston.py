"""Haseman-Elston regression: how much groups differ, from products of residuals of the same group.

The posterior mode knows little of a group with a few successes, and variances estimated around it are too
small: a third of the deviation where a cell has two rounds. Two residuals of one group need no mode. Around
what all segments share they have, for i != j and to first order in the effects,

    E[e_i e_j] = h_i h_j sum_b v_b k_b(i, j),     k_b(i, j) = phi_b(i)' phi_b(j)

with e the gradient and h the curvature of a round's log-likelihood by its score, and phi_b the block's
columns, times the item's features or its indicator. So v solves S v = c, weighted by 1 / (h_i h_j):

    c_b  = sum_{i != j} e_i e_j k_b(i, j)
         = sum_groups |sum_i e_i phi_b|^2 - sum_i e_i^2 |phi_b|^2
    S_bd = sum_{i != j} h_i h_j k_b(i, j) k_d(i, j)
         = sum_groups |sum_i h_i phi_b phi_d'|^2 - sum_i h_i^2 |phi_b|^2 |phi_d|^2

in one pass. What items do in a group takes two rounds of the same item there; and v is a fifth too small
where it is 1, and a third at 2, because such effects are not small.
Sources: Haseman & Elston 1972; Golan, Lander & Rosset 2014 for 0/1 outcomes; White 1980 for the errors.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.mixed_model.level import CellRows, Level

_NUMBERS_AT_ONCE = 1 << 22
"""Numbers of products of features that are held at once: 32 MB."""


@dataclass(frozen=True, eq=False)
class MomentVariances:
    """Variances of a level's blocks [B], and their standard errors, from how the groups' products scatter.

    A value may lie below zero by chance. Of a block that no group has two rounds for, both are zero.
    groups: how many equal groups would say as much, (sum S_bb)^2 / sum S_bb^2. Of one group alone nothing
    scatters, and of a few the error means little.
    """

    value: Tensor
    error: Tensor
    groups: Tensor


@dataclass(frozen=True, eq=False)
class _Part:
    """One block's coefficients: its columns [C], and the features [A, F] of items; None for each its own."""

    columns: Tensor
    features: Tensor | None


def moment_variances(
    level: Level, rows: CellRows, features: Tensor, gradient: Tensor, curvature: Tensor
) -> MomentVariances:
    """Return the variances of a level of groups around scores that know nothing of them.

    features float64 [A, F]. gradient, curvature [n]: of each round's log-likelihood by its score there.

    Two groups of two rounds of one item, the rewards of each alike: e_i e_j = 1 and h = 1, so v = 1.

    >>> from offline_rl.mixed_model.level import Block
    >>> level = Level((Block("item", "one"),), torch.tensor([0]), torch.tensor([[-1]]), n_groups=2)
    >>> group, item = torch.tensor([0, 0, 1, 1]), torch.zeros(4, dtype=torch.int64)
    >>> rows = CellRows.of(torch.ones(4, 1), group, item, 2, 1)
    >>> alike = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
    >>> moment_variances(level, rows, torch.zeros(1, 1).double(), alike, alike.square()).value.tolist()
    [1.0]
    """
    parts = [_part(level, position, features) for position in range(len(level.blocks))]
    sizes = [_squares(part, rows) for part in parts]
    moment, gram = rows.moments(gradient), rows.gram(curvature)
    group = rows.cell[rows.order] // rows.n_items

    def of_group(values: Tensor) -> Tensor:
        return torch.bincount(group, values, rows.n_groups)

    once, held = gradient[rows.order].square(), curvature[rows.order].square()
    products = moment.new_zeros(rows.n_groups, len(parts))
    kernels = moment.new_zeros(rows.n_groups, len(parts), len(parts))
    for b, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        products[:, b] = _summed(part, moment) - of_group(once * size)
        for d in range(b + 1):
            both = _crossed(part, parts[d], gram) - of_group(held * size * sizes[d])
            kernels[:, b, d] = kernels[:, d, b] = both
    inverse = torch.linalg.pinv(kernels.sum(0), hermitian=True)
    value = inverse @ products.sum(0)
    scatter = products - kernels @ value
    error = (inverse @ scatter.T @ scatter @ inverse).diagonal().clamp_min(0.0).sqrt()
    own = kernels.diagonal(dim1=1, dim2=2)
    groups = own.sum(0).square() / own.square().sum(0).clamp_min(1e-300)
    return MomentVariances(value, error, groups)


def _part(level: Level, position: int, features: Tensor) -> _Part:
    of_item = torch.nonzero(level.item_block == position).flatten()
    if len(of_item):
        return _Part(of_item, None)
    held = level.feature_block == position
    return _Part(torch.nonzero(held.any(0)).flatten(), features[:, held.any(1)])


def _squares(part: _Part, rows: CellRows) -> Tensor:
    """Return |phi|^2 of each round, in the order of the cells: [n]."""
    squares = rows.columns[:, part.columns].double().square().sum(1)
    if part.features is None:
        return squares
    return squares * part.features.square().sum(1)[rows.cell[rows.order] % rows.n_items]


def _summed(part: _Part, moment: Tensor) -> Tensor:
    """Return |sum_i e_i phi|^2 of each group [T]; moment [T, A, D]."""
    own = moment[:, :, part.columns]
    if part.features is not None:
        own = torch.einsum("af,tac->tfc", part.features, own)
    return own.square().sum((1, 2))


def _crossed(one: _Part, other: _Part, gram: Tensor) -> Tensor:
    """Return |sum_i h_i phi phi'|^2 of each group [T]; gram [T, A, D, D]."""
    both = gram[:, :, one.columns][:, :, :, other.columns].flatten(2)
    if one.features is None and other.features is None:
        return both.square().sum((1, 2))
    if one.features is None or other.features is None:
        loading = one.features if one.features is not None else other.features
        assert loading is not None
        return both.square().sum(2) @ loading.square().sum(1)
    width = other.features.shape[1]
    at_once = max(1, _NUMBERS_AT_ONCE // max(1, width * len(one.features)))
    sums = gram.new_zeros(len(gram))
    for loading in torch.split(one.features, at_once, dim=1):
        pairs = torch.einsum("af,ah->afh", loading, other.features).flatten(1)
        groups = max(1, _NUMBERS_AT_ONCE // max(1, pairs.shape[1] * both.shape[2]))
        parts = torch.split(both, groups)
        sums += torch.cat([torch.einsum("ap,tac->tpc", pairs, part).square().sum((1, 2)) for part in parts])
    return sums
