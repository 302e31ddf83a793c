"""Task arrays: what `features.tasks` writes of a domain, checked at the door, once.

`features/tasks/files.py` says what each array holds. A log that can't be true (a propensity of 0, a logged
item that was not on sale) is refused here, so learners and estimators need not check again.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.codes import SPLIT_CODES, Window
from features.errors import InputDataError
from offline_rl.user_history import ACTS

Arrays = Mapping[str, NDArray[Any]]

ROW_FIELDS = ("context", "slot", "action", "reward", "propensity", "set_index", "segment", "cluster")
"""Arrays of one row per round that `LoggedRounds` holds."""

_DTYPES: Mapping[str, type[np.generic]] = {
    "context": np.float32,
    "slot": np.int64,
    "action": np.int64,
    "reward": np.float64,
    "propensity": np.float64,
    "set_index": np.int64,
    "available": np.bool_,
    "segment": np.int64,
    "cluster": np.int64,
    "window": np.int8,
    "item_features": np.float32,
    "incumbent_counts": np.float64,
    "segment_split": np.int8,
    "n_slots": np.int64,
    "segment_ids": np.str_,
    "action_ids": np.str_,
}

_OPTIONAL: Mapping[str, type[np.generic]] = {
    "origin": np.int8,
    "context_block": np.int64,
    "item_block": np.int64,
    "history_state": np.int64,
    "touch_first": np.int64,
    "touch_item": np.int64,
    "touch_amount": np.float32,
}
"""Arrays that a log may lack: rolling origins, blocks of columns, and what users had done with items."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of `rounds_<domain>.npz`; raises InputDataError where it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputDataError(f"{path} can't be read as rounds ({error}): build the tasks again.") from error


def checked(arrays: Arrays, source: str) -> dict[str, NDArray[Any]]:
    """Return the arrays that tasks are made of, in their types, contiguous and writable.

    source: what to call them in a message. Raises InputDataError, naming the first offending row, if one is
    missing, has another shape than its neighbors, or holds a value that no log can hold: a propensity outside
    (0, 1], a logged item that was not available, an index that points nowhere, a number that isn't finite.
    """
    missing = [name for name in _DTYPES if name not in arrays]
    if missing:
        raise InputDataError(f"{source} lacks {', '.join(missing)}: build the tasks again.")
    held = {**_DTYPES, **{name: dtype for name, dtype in _OPTIONAL.items() if name in arrays}}
    typed = {name: np.require(arrays[name], dtype, ["C", "W"]) for name, dtype in held.items()}
    _check_shapes(source, typed)
    _check_values(source, typed)
    return typed


def _check_shapes(source: str, arrays: Arrays) -> None:
    n = arrays["action"].shape[0] if arrays["action"].ndim == 1 else -1
    items = arrays["item_features"].shape[0] if arrays["item_features"].ndim == 2 else -1
    segments = arrays["segment_split"].shape[0] if arrays["segment_split"].ndim == 1 else -1
    expected: dict[str, tuple[int | None, ...]] = {
        **dict.fromkeys((*ROW_FIELDS, "window"), (n,)),
        "context": (n, None),
        "available": (None, items),
        "item_features": (items, None),
        "incumbent_counts": (segments, int(arrays["n_slots"]), items),
        "segment_split": (segments,),
        "segment_ids": (segments,),
        "action_ids": (items,),
        "n_slots": (),
        "context_block": (arrays["context"].shape[-1],),
        "item_block": (arrays["item_features"].shape[-1],),
        "origin": (n,),
        "history_state": (n,),
        "touch_first": (None,),
        "touch_item": (None,),
        "touch_amount": (len(arrays.get("touch_item", ())), len(ACTS)),
    }
    for name, shape in expected.items():
        if name not in arrays:
            continue
        found = arrays[name].shape
        if len(found) != len(shape) or any(w not in (None, f) for w, f in zip(shape, found, strict=True)):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise InputDataError(
                f"{source}: {name} has shape {found} where ({wanted}) was expected: build the tasks again."
            )
    if n == 0:
        raise InputDataError(
            f"{source} holds no rounds: widen the log's interval or lower the segment limits."
        )


def _check_values(source: str, arrays: Arrays) -> None:
    for name in ("context", "reward", "item_features", "incumbent_counts"):
        _refuse_rows(source, name, ~np.isfinite(arrays[name]), "isn't a finite number")
    propensity = arrays["propensity"]
    _refuse_rows(source, "propensity", ~((propensity > 0) & (propensity <= 1)), "is outside (0, 1]")
    limits = {
        "slot": int(arrays["n_slots"]),
        "action": arrays["item_features"].shape[0],
        "set_index": arrays["available"].shape[0],
        "segment": arrays["segment_split"].shape[0],
        "window": len(Window),
        "segment_split": len(SPLIT_CODES),
    }
    for name, limit in limits.items():
        outside = (arrays[name] < 0) | (arrays[name] >= limit)
        _refuse_rows(source, name, outside, f"is outside 0..{limit - 1}")
    could_be_shown = arrays["available"][arrays["set_index"], arrays["action"]]
    _refuse_rows(source, "action", ~could_be_shown, "is an item that its available set doesn't hold")
    _refuse_rows(source, "incumbent_counts", arrays["incumbent_counts"] < 0, "is negative")
    if "history_state" in arrays:
        _check_history(source, arrays)


def _check_history(source: str, arrays: Arrays) -> None:
    first, items = arrays["touch_first"], arrays["item_features"].shape[0]
    _refuse_rows(source, "touch_amount", ~np.isfinite(arrays["touch_amount"]), "isn't a finite number")
    for name, lowest, limit in (("history_state", -1, len(first) - 1), ("touch_item", 0, items)):
        outside = (arrays[name] < lowest) | (arrays[name] >= limit)
        _refuse_rows(source, name, outside, f"is outside {lowest}..{limit - 1}")
    ends_wrong = first[:1] != 0, first[-1:] != len(arrays["touch_item"]), np.diff(first) < 0
    _refuse_rows(source, "touch_first", np.concatenate(ends_wrong), "doesn't cut the touches into states")


def _refuse_rows(source: str, name: str, wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise InputDataError(
            f"{source}: {name} {what} in {int(wrong.sum())} places, first at row {row}: "
            "mend the log or its mapping and build the tasks again."
        )
