"""Codes: the numbers of windows and splits in arrays, and the words for splits and all segments in tables.

All modules that write or read an array use this list. It needs neither polars nor torch, so that a machine
with only torch can train.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Literal, get_args


class Window(IntEnum):
    """The window of a round, which decides its use."""

    SUPPORT = 0
    """a learner adapts on it"""
    QUERY = 1
    """evaluates the adaptation while learning"""
    HOLDOUT = 2
    """for the final evaluation; only what serves after it learns from it"""
    GAP = 3
    """its reward was still arriving when the next window began, or a candidate on trial served it; only what
    serves learns from it"""
    OPEN = 4
    """unused: its reward may still arrive"""


ALL_SEGMENTS = "all"
"""`segment_id` of a row over the whole log, in tables that have rows of segments too."""

MOST_SLOTS = 3
"""Slots of a slate that are learned and decided: their probabilities are exact for these."""

LATE = -1
"""Origin of a round too soon after an origin, when rewards were still arriving: no evaluation uses it."""

Split = Literal["meta_train", "meta_validation", "meta_test"]
"""The use of a segment: for training, for early stopping and choices, or only for evaluation."""

NO_SPLIT = len(get_args(Split))
"""Code of a segment that is too small to be a task."""

SPLIT_CODES: Mapping[Split | None, int] = {
    **{split: code for code, split in enumerate(get_args(Split))},
    None: NO_SPLIT,
}
"""Split → its code in arrays; None is a segment that is too small to be a task."""
