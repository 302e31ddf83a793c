"""Columns that boosted trees use of a round and an item, and the scores of all items.

An item is written as its place in the best-seller list and a segment as its place by mean reward, so that
trees can cut either list in two (the ordering in which such a cut is the best one: Fisher 1958), with the
context, the slot and the item's features beside them.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.boosted_trees import BoostedTrees, grown_trees
from offline_rl.meta.crosses_logit import place_of
from offline_rl.meta.item_rates import shrunken_rates
from offline_rl.mixed_model.columns import item_rows
from offline_rl.user_history import UserHistory


@dataclass(frozen=True, eq=False)
class BoostedModel:
    """Trees over the columns context [d] | slot | segment | items' own columns [m].

    items float64 [A, m]: place in the best-seller list, then features. segments int64 [G]: those fitted,
    ascending; rank float64 [G]: the place of each by mean reward.
    """

    trees: BoostedTrees
    items: Tensor
    segments: Tensor
    rank: Tensor
    n_context: int

    @property
    def is_item(self) -> Tensor:
        """Which columns are the items' own: bool [d + 2 + m]."""
        own = torch.ones(self.items.shape[1], dtype=torch.bool)
        return torch.cat([torch.zeros(self.n_context + 2, dtype=torch.bool), own])

    @cached_property
    def table(self) -> Tensor:
        """What the leaves give to each item, the same in all segments: see `BoostedTrees.item_table`."""
        others = self.items.new_zeros(len(self.items), self.n_context + 2)
        return self.trees.item_table(torch.cat([others, self.items], dim=1), self.is_item)

    def rank_of(self, segment: int) -> float:
        """Return number that stands for a segment; NaN, as a missing value, for one that wasn't fitted."""
        place = place_of(segment, self.segments)
        return math.nan if place is None else float(self.rank[place])

    def scores(self, context: Tensor, slot: Tensor, rank: float) -> Tensor:
        """Return the scores of every item in the segment of this rank: float64 [n, A] on the CPU."""
        exact = context.to("cpu", torch.float64)
        beside = torch.stack([slot.to(exact), torch.full((len(exact),), rank, dtype=torch.float64)], dim=1)
        columns = torch.cat([exact, beside, exact.new_zeros(len(exact), self.items.shape[1])], dim=1)
        return self.trees.pair_scores(columns, self.is_item, self.table)


@dataclass(frozen=True, eq=False)
class BoostedScore:
    """Scores of a `BoostedModel` in the segment of this rank."""

    model: BoostedModel
    rank: float

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """See `Score`; float64 [n, A] on the CPU."""
        del item_features, history
        return self.model.scores(context, slot, self.rank)


def fit_boosted(rounds: LoggedRounds, *, is_binary: bool, reward_scale: float, seed: int) -> BoostedModel:
    """Grow trees on float64 rounds on the CPU; scores of amounts are in units of reward_scale."""
    reward = rounds.reward / reward_scale
    segments, place = torch.unique(rounds.segment, return_inverse=True)
    rank = _places(shrunken_rates(reward, place, len(segments)).mean)
    best_sellers = _places(shrunken_rates(reward, rounds.action, rounds.n_actions).mean)
    items = torch.cat([best_sellers[:, None], item_rows(rounds)[0][:, 1:]], dim=1)
    beside = torch.stack([rounds.slot.double(), rank[place]], dim=1)
    values = torch.cat([rounds.context, beside, items[rounds.action]], dim=1)
    trees = grown_trees(values, reward, is_binary=is_binary, seed=seed)
    return BoostedModel(trees, items, segments, rank, n_context=rounds.context.shape[1])


def _places(rate: Tensor) -> Tensor:
    """Place of each rate [K] among all, from the lowest, 0; equal ones in their order: float64 [K]."""
    return torch.argsort(torch.argsort(rate, stable=True), stable=True).double()
