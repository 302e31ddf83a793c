"""Boosted trees as tensors: grown by scikit-learn, kept and read without it, and without pickle.

Every pair of a round and an item is to be scored, and going down each tree for each pair would take minutes.
But a round and an item meet in a tree's leaf exactly if neither's own columns lead away from it. So the
leaves that are open to each round and those that are open to each item are found once, and

    score[i, a] = baseline + sum over leaves of open_to_round[i, leaf] * value[leaf] * open_to_item[a, leaf],

one matrix product. Per tree exactly one leaf is open to both.
Source: Ke et al. 2017 (LightGBM), whose histograms scikit-learn's trees are grown by.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from torch import Tensor

_CELLS = 1 << 22
"""Pairs of round and node that are computed at once: 32 MB for each table of them in float64."""


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """T trees with N nodes in all, laid end to end.

    roots int64 [T]. Of each node [N]: feature, the column it splits on; threshold, up to which a row goes
    left; missing_left, where NaN goes; left and right, its children's places; is_leaf; value, what a leaf
    adds to the score, 0 elsewhere. A leaf's feature, threshold, left and right are 0 and mean nothing.
    """

    baseline: float
    roots: Tensor
    feature: Tensor
    threshold: Tensor
    missing_left: Tensor
    left: Tensor
    right: Tensor
    is_leaf: Tensor
    value: Tensor

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}

    def split_on(self, column: int) -> bool:
        """Return whether any node splits on a column."""
        return bool((self.feature[~self.is_leaf] == column).any())

    def open_leaves(self, values: Tensor, is_known: Tensor) -> Tensor:
        """Return the leaves that rows may end in when only some of their columns are known: bool [n, leaves].

        values float64 [n, columns], those that aren't known are not read; is_known bool [columns].
        """
        reached = torch.ones(len(values), len(self.value), dtype=torch.bool)
        nodes = self.roots
        while len(nodes):
            inner = nodes[~self.is_leaf[nodes]]
            looked_at = values[:, self.feature[inner]]
            to_left = looked_at <= self.threshold[inner]
            to_left = torch.where(looked_at.isnan(), self.missing_left[inner], to_left)
            undecided = ~is_known[self.feature[inner]]
            for child, goes_there in ((self.left[inner], to_left), (self.right[inner], ~to_left)):
                reached[:, child] = reached[:, inner] & (goes_there | undecided)
            nodes = torch.cat([self.left[inner], self.right[inner]])
        return reached[:, self.is_leaf]

    def predict(self, values: Tensor) -> Tensor:
        """Return the scores of rows all of whose columns are known: float64 [n] for values [n, columns]."""
        known = torch.ones(values.shape[1], dtype=torch.bool)
        of_leaf = self.value[self.is_leaf]
        parts = [self.open_leaves(part, known).double() @ of_leaf for part in self._parts(values)]
        return self.baseline + torch.cat(parts)

    def item_table(self, values: Tensor, is_item: Tensor) -> Tensor:
        """Return what each open leaf adds to each item: float64 [leaves, A], for `pair_scores`.

        values [A, columns], with the items' own columns where is_item [columns].
        """
        return (self.open_leaves(values, is_item).double() * self.value[self.is_leaf]).T.contiguous()

    def pair_scores(self, values: Tensor, is_item: Tensor, table: Tensor) -> Tensor:
        """Return the scores of every pair of a row and an item: float64 [n, A].

        values [n, columns], with the rows' own columns where not is_item; table: `item_table`.
        """
        parts = [self.open_leaves(part, ~is_item).double() @ table for part in self._parts(values)]
        return self.baseline + torch.cat(parts)

    def _parts(self, values: Tensor) -> tuple[Tensor, ...]:
        return torch.split(values, max(1, _CELLS // len(self.value)))


def grown_trees(values: Tensor, reward: Tensor, *, is_binary: bool, seed: int) -> BoostedTrees:
    """Grow 100 small trees on rows values [n, columns] and their rewards [n].

    Scores are log-odds of 0/1 rewards, else in the rewards' own units.
    """
    if is_binary and bool((reward == reward[0]).all()):
        # One class alone teaches nothing but the level, here with half a success and half a failure more.
        share = (float(reward.sum()) + 0.5) / (len(reward) + 1.0)
        return _single_leaf(math.log(share / (1.0 - share)))
    kind = HistGradientBoostingClassifier if is_binary else HistGradientBoostingRegressor
    model = kind(
        max_iter=100,
        learning_rate=0.05,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        early_stopping=False,
        random_state=seed,
    )
    return trees_of(model.fit(values.cpu().double().numpy(), reward.cpu().double().numpy()))


def trees_of(model: Any) -> BoostedTrees:
    """Return trees of a fitted binary HistGradientBoostingClassifier, or of a Regressor, without categories.

    scikit-learn has no public access to nodes; its version is pinned, and a test compares scores.
    """
    nodes = [tree.nodes for (tree,) in model._predictors]
    starts = np.cumsum([0, *map(len, nodes)])[:-1]
    laid = np.concatenate(nodes)
    is_leaf, start = laid["is_leaf"].astype(bool), np.repeat(starts, [len(tree) for tree in nodes])

    def inner(numbers: Any) -> Tensor:
        return torch.from_numpy(np.where(is_leaf, 0, numbers))

    return BoostedTrees(
        baseline=float(np.ravel(model._baseline_prediction)[0]),
        roots=torch.from_numpy(starts),
        feature=inner(laid["feature_idx"].astype(np.int64)),
        threshold=inner(laid["num_threshold"]),
        missing_left=inner(laid["missing_go_to_left"]).bool(),
        left=inner(laid["left"].astype(np.int64) + start),
        right=inner(laid["right"].astype(np.int64) + start),
        is_leaf=torch.from_numpy(is_leaf),
        value=torch.from_numpy(np.where(is_leaf, laid["value"], 0.0)),
    )


def _single_leaf(baseline: float) -> BoostedTrees:
    """Return one tree without a split: the baseline for all rounds."""
    zero, one = torch.zeros(1, dtype=torch.int64), torch.ones(1, dtype=torch.bool)
    nothing = torch.zeros(1, dtype=torch.float64)
    return BoostedTrees(baseline, zero, zero, nothing, ~one, zero, zero, one, nothing)
