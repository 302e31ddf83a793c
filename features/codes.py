"""Codes: the numbers that arrays hold for windows and splits, and the words that tables hold for splits.

One list for whoever writes or reads an array. It needs neither polars nor torch, so that a machine with torch
alone can train.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Literal, get_args


class Window(IntEnum):
    """What a round may be used for."""

    SUPPORT = 0
    """a learner adapts on it"""
    QUERY = 1
    """judges the adaptation while learning"""
    HOLDOUT = 2
    """seen by nothing before the evaluation"""
    GAP = 3
    """unused: its reward was still arriving when the next window began, or the night ended"""


LATE = -1
"""Origin of a round that came so soon after an origin that rewards were still arriving: it judges nothing."""

Split = Literal["meta_train", "meta_validation", "meta_test"]
"""What a segment is for: it teaches, it says when to stop, or it is only judged."""

NO_SPLIT = len(get_args(Split))
"""Code of a segment that is too small to be a task."""

SPLIT_CODES: Mapping[Split | None, int] = {
    **{split: code for code, split in enumerate(get_args(Split))},
    None: NO_SPLIT,
}
"""Split → its code in arrays; None is a segment that is too small to be a task."""
