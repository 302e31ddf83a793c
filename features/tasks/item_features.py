"""Item features: the attributes of each action in a catalog, and the blocks of its columns."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.context import POPULARITY, Encoder, Matrix


def item_blocks(encoder: Encoder, n_actions: int) -> NDArray[np.int64]:
    """Return the blocks of the item features, int64[f]; -1 for columns about one item alone.

    These are an action's indicator, and its popularity, which is made of the clicks that a model is fitted
    on: a model with popularity as a feature would use these rewards twice, and shrink the item's own effect.
    """
    shared = [
        -1 if name in POPULARITY else block for name, block in zip(encoder.names, encoder.blocks, strict=True)
    ]
    return np.array([*shared, *[-1] * n_actions], np.int64)


def item_features(actions: pl.DataFrame, encoder: Encoder, seen: NDArray[np.int64]) -> Matrix:
    """Return float32[A, f]: attributes, then one indicator per action.

    The indicator of an action that the training window never showed is zero, so that such an action is
    scored by its attributes alone and not by an untrained weight.
    """
    identity = np.zeros((actions.height, actions.height), np.float32)
    identity[seen, seen] = 1.0
    return np.hstack([encoder.encode(actions), identity])
