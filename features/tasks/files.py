"""Tasks on disk: arrays as .npz without pickle, their names as JSON, identities as Parquet.

rounds_<domain>.npz
    context f32[n,d], slot i64[n] from 0, action i64[n], reward f64[n], propensity f64[n],
    set_index i64[n], segment i64[n], cluster i64[n], window i8[n], origin i8[n]: the evidence rounds;
    available bool[S,A], item_features f32[A,f], incumbent_counts f64[G,L,A], segment_split i8[G], n_slots;
    segment_ids U[G], action_ids U[A]: the shop's names of segments and actions;
    target_context f32[m,d], target_of_context i64[m], target_segment i64[T], target_set_index i64[T];
    context_block i64[d], item_block i64[f]: columns that together describe one thing share a number, from 0
    in the order of the columns; -1 for columns about one action alone: its indicator, its popularity.
    Only where users have touched actions, the E touches in S states (a state is a user and the time of that
    user's last act, see features/warehouse/touches.py):
    history_state i64[n], the state known in a round, and target_history_state i64[m], that of the user of
    a target context at the end of the night; -1 where nothing is known;
    touch_first i64[S+1]: state s has the touches touch_first[s] .. touch_first[s+1] - 1;
    touch_item i64[E], the action touched; touch_amount f32[E,5]: views, clicks, additions to the cart and
    lines of orders, decayed to the state's moment, and the days from the last of them to that moment.
reading_<domain>.json   how tonight's policies read decisions (`Reading`)
tasks_<domain>.json     names of features and blocks, and the boundaries with their kind (`TaskNames`)
rounds_<domain>.parquet user, time and policy of each evidence round, in the same order
targets_<domain>.parquet the users or segments that get a decision tomorrow, in the order of target_segment

Training needs the first file alone, so it can run on a machine that has torch and nothing else.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from features.errors import InputDataError
from features.tasks.build import DomainTasks
from features.tasks.reading import ReadAgain, Reading

IDENTITY = [
    "round_id",
    "user_key",
    "decided_at",
    "segment_id",
    "surface",
    "slot",
    "action_id",
    "policy_version",
    "window",
]

# A zip member carries a time of writing; a fixed one keeps equal arrays equal in bytes.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class TaskNames:
    """The names of the things in the arrays of one domain, and how its rounds were split.

    split_by: time, user or round, see random_split.py.
    has_users: whether every round knows its user, so that decisions are made for each.
    """

    domain: str
    as_of: date
    support_until: datetime
    query_until: datetime
    split_by: str
    has_users: bool
    context_names: tuple[str, ...]
    item_feature_names: tuple[str, ...]
    context_blocks: tuple[str, ...]
    item_blocks: tuple[str, ...]

    @classmethod
    def of(cls, tasks: DomainTasks) -> Self:
        """Return the names of built tasks."""
        return cls(
            domain=tasks.domain,
            as_of=tasks.as_of,
            support_until=tasks.boundaries.support_until,
            query_until=tasks.boundaries.query_until,
            split_by=tasks.split_by,
            has_users=tasks.evidence["user_key"].null_count() == 0,
            context_names=tasks.context_names,
            item_feature_names=tasks.item_feature_names,
            context_blocks=tasks.context_blocks,
            item_blocks=tasks.item_blocks,
        )


def save_tasks(tasks: DomainTasks, folder: Path) -> None:
    """Write the five files of a domain into an existing folder."""
    _save_arrays(folder / f"rounds_{tasks.domain}.npz", tasks.arrays)
    (folder / f"reading_{tasks.domain}.json").write_bytes(TypeAdapter(Reading).dump_json(tasks.reading))
    names = TypeAdapter(TaskNames).dump_json(TaskNames.of(tasks), indent=1)
    (folder / f"tasks_{tasks.domain}.json").write_bytes(names)
    tasks.evidence.select(IDENTITY).write_parquet(folder / f"rounds_{tasks.domain}.parquet")
    tasks.targets.rows.write_parquet(folder / f"targets_{tasks.domain}.parquet")


def read_names(folder: Path, domain: str) -> TaskNames:
    """Read a domain's names that `save_tasks` wrote."""
    return TypeAdapter(TaskNames).validate_json((folder / f"tasks_{domain}.json").read_bytes())


def read_segment_ids(folder: Path, domain: str) -> tuple[str, ...]:
    """Read the names of a domain's segments, and nothing else of its arrays."""
    path = folder / f"rounds_{domain}.npz"
    with np.load(path, allow_pickle=False) as arrays:
        if "segment_ids" not in arrays.files:
            raise InputDataError(f"{path} lacks segment_ids: build the tasks again by `metacart learn`.")
        return tuple(arrays["segment_ids"].tolist())


def read_reading(folder: Path, domain: str) -> Reading:
    """Read how the policies of a night read decisions."""
    found: Reading = TypeAdapter(Reading).validate_json((folder / f"reading_{domain}.json").read_bytes())
    return found


def save_read_again(path: Path, read: ReadAgain) -> None:
    """Write a night's decisions as the policy of an earlier night reads them."""
    arrays = {field.name: np.asarray(getattr(read, field.name)) for field in fields(read)}
    _save_arrays(path, {**arrays, "missing": np.array(read.missing, np.str_)})


def load_read_again(path: Path) -> ReadAgain:
    """Read what `save_read_again` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    return ReadAgain(**{**held, "missing": tuple(held["missing"].tolist())})


def _save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", ZIP_EPOCH)
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(arrays[name], order="C"), allow_pickle=False)
