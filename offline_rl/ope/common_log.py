"""The log that several policies are evaluated on: their differences are paired, so it must be the same."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

L = TypeVar("L")


def common_log(policies: Mapping[str, L], columns: Sequence[str], rows: str = "rounds") -> L:
    """Return the log of the first policy, after checking that all policies have it in these columns.

    rows: what a row of the log is, in the plural.

    Raises ValueError for no policy, and naming the first row that two policies see differently.
    """
    if not policies:
        raise ValueError("there is no policy to evaluate: name at least one.")
    (first, log), *others = policies.items()
    for name, other in others:
        for column in columns:
            ours, theirs = getattr(log, column), getattr(other, column)
            if len(ours) != len(theirs):
                raise ValueError(
                    f"{name} has {len(theirs)} {rows} and {first} has {len(ours)}: give both the same {rows}."
                )
            differs = ours != theirs
            if differs.any():
                row = int(np.argmax(differs))
                raise ValueError(
                    f"row {row}: {column} of {name} differs from that of {first}. "
                    f"Policies are compared on the same {rows}, in the same order."
                )
    return log
