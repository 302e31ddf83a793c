"""History: the state known in each round and in each of tomorrow's contexts, and the touches in it."""

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.warehouse.touches import Touched

AnyArray = npt.NDArray[Any]
"""An array of any type of number, or of names."""


def history_arrays(
    touched: Touched | None, evidence: pl.DataFrame, visitors: pl.Series, night_end: datetime
) -> dict[str, AnyArray]:
    """Return the arrays of the pair features, as listed in files.py; none where nothing was touched.

    evidence: user_key, decided_at of each round. visitors: the user of each of tomorrow's contexts, null
    where that is not known; tomorrow is decided on the user's state at night_end.
    """
    if touched is None or not len(touched.item):
        return {}
    tonight = visitors.to_frame("user_key").with_columns(decided_at=pl.lit(night_end))
    return {
        "history_state": _states(evidence, touched.moments),
        "target_history_state": _states(tonight, touched.moments),
        "touch_first": touched.first,
        "touch_item": touched.item,
        "touch_amount": touched.amount,
    }


def _states(decisions: pl.DataFrame, moments: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Return the state known in each decision; -1 without a user, and for a user without an earlier act."""
    keys = ["user_key", "decided_at"]
    found = decisions.select(keys).join(moments, on=keys, how="left", maintain_order="left")
    return found["state"].fill_null(-1).to_numpy().astype(np.int64)
