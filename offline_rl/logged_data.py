"""What the learners read: logged rounds as tensors, grouped into one task per segment.

A round is one logged decision (context, slot, action, reward, propensity).  The rounds of a shop's domain
come as `rounds_<domain>.npz`, written by `features.tasks`, and are checked here, at the door, once.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from features.errors import InputDataError
from offline_rl.user_history import ACTS, Touches, UserHistory

WINDOWS: Mapping[str, tuple[int, ...]] = {
    "support": (0,),
    "query": (1,),
    "training": (0, 1),
    "holdout": (2,),
}
"""Window name → codes in the file.  Code 3, the gap before query and holdout, is read by nobody."""

SPLITS: Mapping[str, int] = {"meta_train": 0, "meta_validation": 1, "meta_test": 2, "none": 3}

ROW_FIELDS = ("context", "slot", "action", "reward", "propensity", "set_index", "segment", "cluster")

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


@dataclass(frozen=True, eq=False)
class LoggedRounds:
    """n logged rounds over A items.

    context [n, d], slot [n] in 0..n_slots-1, action [n] (index of the item shown), reward [n],
    propensity [n] (logged probability of the logged action in its slot), segment [n], cluster [n] (the unit
    that is resampled: a user), item_features [A, f].  Row i could have shown the items that are true in
    available[set_index[i]]; available is [S, A].

    history: what the user of each round had done with each item; None where no log tells.
    offset [n, A]: scores of another model that a learner's own are added to (`meta/mixed_start.py`); None
    where a learner starts from nothing.
    context_block [d], item_block [f]: which columns say the same thing in several parts (the levels of one
    trait, a user's whole history), numbered from 0; None counts all as one.
    """

    context: Tensor
    slot: Tensor
    action: Tensor
    reward: Tensor
    propensity: Tensor
    set_index: Tensor
    available: Tensor
    segment: Tensor
    cluster: Tensor
    item_features: Tensor
    n_slots: int
    history: UserHistory | None = None
    context_block: Tensor | None = None
    item_block: Tensor | None = None
    offset: Tensor | None = None

    @property
    def n(self) -> int:
        """Number of rounds."""
        return int(self.action.shape[0])

    @property
    def n_actions(self) -> int:
        """Number of items, A."""
        return int(self.item_features.shape[0])

    def select(self, rows: Tensor) -> "LoggedRounds":
        """The rounds at `rows`: a boolean mask [n], or indices in the order wanted."""
        selected: dict[str, Any] = {name: getattr(self, name)[rows] for name in ROW_FIELDS}
        history = self.history.select(rows) if self.history is not None else None
        offset = self.offset[rows] if self.offset is not None else None
        return replace(self, **selected, history=history, offset=offset)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "LoggedRounds":
        """The same rounds on `device`, with every real-valued tensor in `dtype`."""
        moved: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                moved[field.name] = value.to(device, dtype if value.is_floating_point() else value.dtype)
            elif isinstance(value, UserHistory):
                moved[field.name] = value.to(device, dtype)
        return replace(self, **moved)

    def availability(self) -> Tensor:
        """Which items each round could have shown, bool [n, A]."""
        return self.available[self.set_index]


@dataclass(frozen=True, eq=False)
class Tasks:
    """One domain's learning tasks: all rounds, the window of each, and the split of each segment.

    window [n] holds the codes of `WINDOWS`, segment_split [G] those of `SPLITS`; incumbent_counts [G, L, A]
    says how often the incumbent policy showed an item in a slot of a segment before the holdout window.

    origin [n]: the rolling origin from which each round is judged (`offline_rl.rolling_origin`); None where
    the holdout alone judges.
    """

    rounds: LoggedRounds
    window_code: Tensor
    segment_split: Tensor
    incumbent_counts: Tensor
    origin: Tensor | None = None

    @property
    def n_segments(self) -> int:
        """Number of segments, G."""
        return int(self.segment_split.shape[0])

    def window(self, name: str, segments: Sequence[int] | None = None) -> LoggedRounds:
        """The rounds of one window ("support", "query", "training" = both, "holdout")."""
        if name not in WINDOWS:
            raise ValueError(f"There is no window {name!r}: ask for one of {', '.join(WINDOWS)}.")
        chosen = torch.isin(self.window_code, self.window_code.new_tensor(WINDOWS[name]))
        if segments is not None:
            chosen &= torch.isin(self.rounds.segment, self.rounds.segment.new_tensor(list(segments)))
        return self.rounds.select(chosen)

    def split(self, name: str) -> list[int]:
        """The segments of one split ("meta_train", "meta_validation", "meta_test", "none")."""
        if name not in SPLITS:
            raise ValueError(f"There is no split {name!r}: ask for one of {', '.join(SPLITS)}.")
        return [int(g) for g in torch.nonzero(self.segment_split == SPLITS[name]).flatten()]

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Tasks":
        """The same tasks on `device`, with every real-valued tensor in `dtype`."""
        return Tasks(
            rounds=self.rounds.to(device, dtype),
            window_code=self.window_code.to(device),
            segment_split=self.segment_split.to(device),
            incumbent_counts=self.incumbent_counts.to(device, dtype),
            origin=None if self.origin is None else self.origin.to(device),
        )


def training_device() -> torch.device:
    """Where learners compute: the GPU when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_tasks(path: Path) -> Tasks:
    """Read and check `rounds_<domain>.npz`.

    Raises InputDataError, naming the file and the first offending row, if an array is missing, has another
    shape than its neighbors, or holds a value that no log can hold: a propensity outside (0, 1], a logged
    item that was not available, an index that points nowhere, a number that isn't finite.
    """
    arrays = _read_arrays(path)
    _check_shapes(path, arrays)
    _check_values(path, arrays)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items() if name != "n_slots"}
    rounds = LoggedRounds(
        **{name: tensors[name] for name in ROW_FIELDS},
        available=tensors["available"],
        item_features=tensors["item_features"],
        n_slots=int(arrays["n_slots"]),
        history=_history(tensors),
        context_block=tensors.get("context_block"),
        item_block=tensors.get("item_block"),
    )
    return Tasks(
        rounds=rounds,
        window_code=tensors["window"],
        segment_split=tensors["segment_split"],
        incumbent_counts=tensors["incumbent_counts"],
        origin=tensors.get("origin"),
    )


def _history(tensors: Mapping[str, Tensor]) -> UserHistory | None:
    if "history_state" not in tensors:
        return None
    touches = Touches(tensors["touch_first"], tensors["touch_item"], tensors["touch_amount"])
    return UserHistory(tensors["history_state"], touches)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in _DTYPES if name not in archive.files]
            if missing:
                raise InputDataError(f"{path} lacks {', '.join(missing)}: build the tasks again.")
            held = {name: dtype for name, dtype in _OPTIONAL.items() if name in archive.files}
            return {
                name: archive[name].astype(dtype, copy=False) for name, dtype in {**_DTYPES, **held}.items()
            }
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputDataError(f"{path} can't be read as rounds ({error}): build the tasks again.") from error


def _check_shapes(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
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
                f"{path}: {name} has shape {found} where ({wanted}) was expected: build the tasks again."
            )
    if n == 0:
        raise InputDataError(f"{path} holds no rounds: widen the log's interval or lower the segment limits.")


def _check_values(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name in ("context", "reward", "item_features", "incumbent_counts"):
        _refuse_rows(path, name, ~np.isfinite(arrays[name]), "isn't a finite number")
    propensity = arrays["propensity"]
    _refuse_rows(path, "propensity", ~((propensity > 0) & (propensity <= 1)), "is outside (0, 1]")
    limits = {
        "slot": int(arrays["n_slots"]),
        "action": arrays["item_features"].shape[0],
        "set_index": arrays["available"].shape[0],
        "segment": arrays["segment_split"].shape[0],
        "window": 4,
        "segment_split": len(SPLITS),
    }
    for name, limit in limits.items():
        outside = (arrays[name] < 0) | (arrays[name] >= limit)
        _refuse_rows(path, name, outside, f"is outside 0..{limit - 1}")
    could_be_shown = arrays["available"][arrays["set_index"], arrays["action"]]
    _refuse_rows(path, "action", ~could_be_shown, "is an item that its available set doesn't hold")
    _refuse_rows(path, "incumbent_counts", arrays["incumbent_counts"] < 0, "is negative")
    if "history_state" in arrays:
        _check_history(path, arrays)


def _check_history(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    first, items = arrays["touch_first"], arrays["item_features"].shape[0]
    _refuse_rows(path, "touch_amount", ~np.isfinite(arrays["touch_amount"]), "isn't a finite number")
    for name, lowest, limit in (("history_state", -1, len(first) - 1), ("touch_item", 0, items)):
        outside = (arrays[name] < lowest) | (arrays[name] >= limit)
        _refuse_rows(path, name, outside, f"is outside {lowest}..{limit - 1}")
    ends_wrong = first[:1] != 0, first[-1:] != len(arrays["touch_item"]), np.diff(first) < 0
    _refuse_rows(path, "touch_first", np.concatenate(ends_wrong), "doesn't cut the touches into states")


def _refuse_rows(path: Path, name: str, wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise InputDataError(
            f"{path}: {name} {what} in {int(wrong.sum())} places, first at row {row}: "
            "mend the log or its mapping and build the tasks again."
        )
