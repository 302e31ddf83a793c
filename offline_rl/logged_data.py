"""What the learners read: logged rounds as tensors, grouped into one task per segment.

A round is one logged decision (context, slot, action, reward, propensity). The rounds of a shop's domain
are built by `features.tasks` and checked at the door, once (`offline_rl.task_arrays`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from features.codes import SPLIT_CODES, Window
from offline_rl.task_arrays import ROW_FIELDS, Arrays, checked, read_arrays
from offline_rl.user_history import Touches, UserHistory

WINDOWS: Mapping[str, tuple[Window, ...]] = {
    "support": (Window.SUPPORT,),
    "query": (Window.QUERY,),
    "training": (Window.SUPPORT, Window.QUERY),
    "holdout": (Window.HOLDOUT,),
    "known": (Window.SUPPORT, Window.QUERY, Window.GAP, Window.HOLDOUT),
}
"""Window name → codes in the arrays. Only "known", all rounds whose rewards can't change, has the gaps."""

SPLITS: Mapping[str, int] = {split or "none": code for split, code in SPLIT_CODES.items()}


@dataclass(frozen=True, eq=False)
class LoggedRounds:
    """n logged rounds over A items.

    context [n, d], slot [n] in 0..n_slots-1, action [n] (index of the item shown), reward [n],
    propensity [n] (logged probability of the logged action in its slot), segment [n], cluster [n] (the unit
    that is resampled: a user), item_features [A, f]. Row i could have shown the items that are true in
    available[set_index[i]]; available is [S, A].

    history: what the user of each round had done with each item; None where no log has it.
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
        """Return the rounds at `rows`: a boolean mask [n], or indices in the order wanted."""
        selected: dict[str, Any] = {name: getattr(self, name)[rows] for name in ROW_FIELDS}
        history = self.history.select(rows) if self.history is not None else None
        offset = self.offset[rows] if self.offset is not None else None
        return replace(self, **selected, history=history, offset=offset)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "LoggedRounds":
        """Return the same rounds on `device`, with every real-valued tensor in `dtype`."""
        moved: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                moved[field.name] = value.to(device, dtype if value.is_floating_point() else value.dtype)
            elif isinstance(value, UserHistory):
                moved[field.name] = value.to(device, dtype)
        return replace(self, **moved)

    def availability(self) -> Tensor:
        """Return which items each round could have shown, bool [n, A]."""
        return self.available[self.set_index]


@dataclass(frozen=True, eq=False)
class Tasks:
    """One domain's learning tasks: all rounds, the window of each, and the split of each segment.

    window [n] holds the codes of `WINDOWS`, segment_split [G] those of `SPLITS`; incumbent_counts [G, L, A]
    says how often the incumbent policy showed an item in a slot of a segment before the holdout window;
    segment_ids [G] and action_ids [A] are the shop's names.

    origin [n]: the rolling origin from which each round is evaluated (`offline_rl.rolling_origin`); None
    where policies are evaluated on the holdout alone.
    """

    rounds: LoggedRounds
    window_code: Tensor
    segment_split: Tensor
    incumbent_counts: Tensor
    segment_ids: tuple[str, ...]
    action_ids: tuple[str, ...]
    origin: Tensor | None = None

    @classmethod
    def of(cls, arrays: Arrays, source: str) -> Self:
        """Return the tasks of arrays as `features.tasks` builds them.

        source: what to call them in a message. Raises InputDataError where they can't be a log's, see
        `offline_rl.task_arrays.checked`.
        """
        held = checked(arrays, source)
        names = {name: tuple(held.pop(name).tolist()) for name in ("segment_ids", "action_ids")}
        n_slots = int(held.pop("n_slots"))
        tensors = {name: torch.from_numpy(array) for name, array in held.items()}
        rounds = LoggedRounds(
            **{name: tensors[name] for name in ROW_FIELDS},
            available=tensors["available"],
            item_features=tensors["item_features"],
            n_slots=n_slots,
            history=_history(tensors),
            context_block=tensors.get("context_block"),
            item_block=tensors.get("item_block"),
        )
        return cls(
            rounds=rounds,
            window_code=tensors["window"],
            segment_split=tensors["segment_split"],
            incumbent_counts=tensors["incumbent_counts"],
            **names,
            origin=tensors.get("origin"),
        )

    @property
    def n_segments(self) -> int:
        """Number of segments, G."""
        return int(self.segment_split.shape[0])

    def window(self, name: str, segments: Sequence[int] | None = None) -> LoggedRounds:
        """Return the rounds of one window: "support", "query", "training" (both), "holdout", "known"."""
        if name not in WINDOWS:
            raise ValueError(f"There is no window {name!r}: ask for one of {', '.join(WINDOWS)}.")
        chosen = torch.isin(self.window_code, self.window_code.new_tensor(WINDOWS[name]))
        if segments is not None:
            chosen &= torch.isin(self.rounds.segment, self.rounds.segment.new_tensor(list(segments)))
        return self.rounds.select(chosen)

    def split(self, name: str) -> list[int]:
        """Return the segments of one split ("meta_train", "meta_validation", "meta_test", "none")."""
        if name not in SPLITS:
            raise ValueError(f"There is no split {name!r}: ask for one of {', '.join(SPLITS)}.")
        return [int(g) for g in torch.nonzero(self.segment_split == SPLITS[name]).flatten()]

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Tasks":
        """Return the same tasks on `device`, with every real-valued tensor in `dtype`."""
        return replace(
            self,
            rounds=self.rounds.to(device, dtype),
            window_code=self.window_code.to(device),
            segment_split=self.segment_split.to(device),
            incumbent_counts=self.incumbent_counts.to(device, dtype),
            origin=None if self.origin is None else self.origin.to(device),
        )


def load_tasks(path: Path) -> Tasks:
    """Read and check `rounds_<domain>.npz`; raises InputDataError, naming the file, as `Tasks.of` does."""
    return Tasks.of(read_arrays(path), str(path))


def _history(tensors: Mapping[str, Tensor]) -> UserHistory | None:
    if "history_state" not in tensors:
        return None
    touches = Touches(tensors["touch_first"], tensors["touch_item"], tensors["touch_amount"])
    return UserHistory(tensors["history_state"], touches)
