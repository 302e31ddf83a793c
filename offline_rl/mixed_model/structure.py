"""Structure: which coefficients a mixed model has, and which of them share a prior variance.

    shared     item                    how good an item is
               item x trait            for whom (every trait of the context that comes in levels)
               item x history factors  for whom, by the items that they viewed
               feature x context       the same for all items, and for those with a feature: each block of
                                       features with each of context columns and with the history factors
               pair features           what the user had done with this item, its category, its brand
               slot                    free: later slots earn less, whatever they show
    segment    item, feature           what a segment likes otherwise than its traits let expect
               feature x trait         and in whom, for traits that vary inside segments

The variance of a segment block is what is learned across segments about how much they differ: a prior.
Adapting to a segment is the posterior of its coefficients under it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.mixed_model.columns import ALL_ROUNDS, HISTORY, ITEM, ONE, SLOT, Columns, is_indicator
from offline_rl.mixed_model.level import Block, Level

LARGEST_TRAIT = 8
"""Columns of a context block that may have effects of its own in each segment; a history or an embedding has
more, and would need hundreds of numbers of each segment."""

MOST_IN_A_SEGMENT = 400
"""Coefficients of item features that a segment may have of its own."""

VARIES = 0.1
"""Share of a column's variance that must lie inside segments for it to have effects there."""


@dataclass(frozen=True, eq=False)
class Structure:
    """The two levels; slopes int64 [D']: the columns, of the context's, that the segment level multiplies."""

    shared: Level
    segment: Level
    slopes: Tensor


def structure_of(
    columns: Columns, features: Sequence[str], context: Tensor, segment: Tensor, n_segments: int
) -> Structure:
    """Decide the structure for rounds with these context columns [n, C].

    features: the name of the block of each item feature. segment int64 [n].
    """
    rows = list(dict.fromkeys(features))
    traits = [
        name for name in _context_blocks(columns.context_block) if _is_trait(_of(columns, context, name))
    ]
    meeting = [ONE, *_context_blocks(columns.context_block), HISTORY]
    shared = [
        Block(ITEM, ONE),
        *(Block(ITEM, name) for name in (*traits, HISTORY)),
        *(Block(row, name) for row in rows for name in meeting if (row, name) != (ALL_ROUNDS, ONE)),
        *(Block(ALL_ROUNDS, name) for name in dict.fromkeys(columns.blocks) if name.startswith("pair ")),
        Block(ALL_ROUNDS, SLOT, is_free=True),
    ]
    slopes = _slopes(columns, context, segment, len(features))
    local_names = [columns.context_block[place] for place in slopes]
    local = [
        Block(ITEM, ONE),
        *(Block(row, name) for row in rows for name in dict.fromkeys(local_names)),
    ]
    device = context.device
    return Structure(
        shared=_level(shared, columns.blocks, features, 1, device),
        segment=_level(local, local_names, features, n_segments, device),
        slopes=torch.tensor(slopes, dtype=torch.int64, device=device),
    )


def _context_blocks(blocks: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(blocks) if name.startswith("context ")]


def _of(columns: Columns, context: Tensor, name: str) -> Tensor:
    return context[:, [place for place, block in enumerate(columns.context_block) if block == name]]


def _is_trait(values: Tensor) -> bool:
    """Return whether columns are the levels of one trait, centered or not."""
    return bool((values - values.amin(0) <= 1.0 + 1e-6).all()) and is_indicator(
        (values - values.amin(0)).round(decimals=6)
    )


def _slopes(columns: Columns, context: Tensor, segment: Tensor, n_features: int) -> list[int]:
    """Return the constant, and the columns of small blocks that vary inside segments, while there is room."""
    chosen = [0]
    for name in _context_blocks(columns.context_block):
        places = [place for place, block in enumerate(columns.context_block) if block == name]
        if len(places) > LARGEST_TRAIT or (len(chosen) + len(places)) * n_features > MOST_IN_A_SEGMENT:
            continue
        if _share_inside(context[:, places].double(), segment) > VARIES:
            chosen += places
    return chosen


def _share_inside(values: Tensor, segment: Tensor) -> float:
    """Return the share of the variance of values [n, m] that lies inside segments."""
    _, place = torch.unique(segment, return_inverse=True)
    count = torch.bincount(place).double()
    means = torch.zeros(len(count), values.shape[1], dtype=values.dtype, device=values.device)
    means = means.index_add_(0, place, values) / count[:, None]
    total = float((values - values.mean(0)).square().sum())
    return float((values - means[place]).square().sum()) / total if total > 1e-12 else 0.0


def _level(
    blocks: Iterable[Block],
    columns: Sequence[str],
    features: Sequence[str],
    n_groups: int,
    device: torch.device,
) -> Level:
    """Return the level of the blocks that have any coefficient."""
    held = [
        block for block in blocks if block.column in columns and (block.row == ITEM or block.row in features)
    ]
    item_block = torch.full((len(columns),), -1, device=device)
    feature_block = torch.full((len(features), len(columns)), -1, device=device)
    for position, block in enumerate(held):
        at = torch.tensor([name == block.column for name in columns], device=device)
        if block.row == ITEM:
            item_block[at] = position
        else:
            of_row = torch.tensor([name == block.row for name in features], device=device)
            feature_block[of_row[:, None] & at[None]] = position
    return Level(tuple(held), item_block, feature_block, n_groups)
