"""Item features: what a catalog says of each action, and which of its columns belong together."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.context import POPULARITY, Encoder, Matrix


def item_blocks(encoder: Encoder, n_actions: int) -> NDArray[np.int64]:
    """Blocks of the item features, int64[f]; -1 for what says something of its own item alone.

    That is an action's indicator, and its popularity, which is made of the clicks that a model is fitted on:
    a model that read it as a feature would read their rewards twice, and forget the item's own effect.
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
