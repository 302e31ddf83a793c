"""Targets: who gets a decision tomorrow, as tensors (`features.tasks.targets` says who that is)."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from offline_rl.task_arrays import read_arrays
from offline_rl.user_history import UserHistory


@dataclass(frozen=True, eq=False)
class DecisionTargets:
    """T targets with m contexts of d columns: a target's decision is averaged over its contexts.

    rows: user_key, segment_id, surface, campaign_id, one row per target.
    context: float32[m, d], of the target that target_of_context int64[m] says, in the order of the targets.
    segment, set_index: int64[T], places of a target's segment, and of what may be shown to it.
    history: of the user behind each context; None where no log has it.
    """

    rows: pl.DataFrame
    context: Tensor
    target_of_context: NDArray[np.int64]
    segment: Tensor
    set_index: Tensor
    history: UserHistory | None = None


def load_targets(arrays: Path, rows: Path, known: UserHistory | None) -> DecisionTargets:
    """Read the targets of one domain.

    arrays, rows: `rounds_<domain>.npz` and `targets_<domain>.parquet`, see features/tasks/files.py.
    known: the history of the domain's rounds, in whose table of touches the targets' states are.
    """
    held = read_arrays(arrays)
    history = None
    if known is not None and "target_history_state" in held:
        history = replace(known, state=torch.from_numpy(held["target_history_state"].astype(np.int64)))
    return DecisionTargets(
        rows=pl.read_parquet(rows),
        context=torch.from_numpy(held["target_context"]),
        target_of_context=held["target_of_context"],
        segment=torch.from_numpy(held["target_segment"]),
        set_index=torch.from_numpy(held["target_set_index"]),
        history=history,
    )
