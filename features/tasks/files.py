"""Tasks on disk: arrays as .npz without pickle, names as JSON, identities as Parquet.

rounds_<domain>.npz
    context f32[n,d], slot i64[n] from 0, action i64[n], reward f64[n], propensity f64[n],
    set_index i64[n], segment i64[n], cluster i64[n], window i8[n]: the evidence rounds;
    available bool[S,A], item_features f32[A,f], incumbent_counts f64[G,L,A], segment_split i8[G], n_slots;
    target_context f32[m,d], target_of_context i64[m], target_segment i64[T], target_set_index i64[T].
tasks_<domain>.json     names of segments, actions and features, and the boundaries
rounds_<domain>.parquet who and when behind each evidence round, in the same order
targets_<domain>.parquet who gets a decision tomorrow, in the order of target_segment

Training needs the first file alone, so it can run on a machine that has torch and nothing else.
"""

import json
import zipfile
from pathlib import Path

import numpy as np

from features.tasks.build import DomainTasks

IDENTITY = ["round_id", "user_key", "decided_at", "segment_id", "surface", "slot", "action_id", "window"]

# A zip member carries a time of writing; a fixed one keeps equal arrays equal in bytes.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_tasks(tasks: DomainTasks, folder: Path) -> None:
    """Write the four files of a domain into an existing folder."""
    _save_arrays(folder / f"rounds_{tasks.domain}.npz", tasks)
    names = {
        "domain": tasks.domain,
        "as_of": tasks.as_of.isoformat(),
        "support_until": tasks.boundaries.support_until.isoformat(),
        "query_until": tasks.boundaries.query_until.isoformat(),
        "segment_ids": tasks.segment_ids,
        "action_ids": tasks.action_ids,
        "context_names": tasks.context_names,
        "item_feature_names": tasks.item_feature_names,
        "n_slots": tasks.n_slots,
        "has_users": tasks.evidence["user_key"].null_count() == 0,
    }
    (folder / f"tasks_{tasks.domain}.json").write_text(json.dumps(names, indent=1), encoding="utf-8")
    tasks.evidence.select(IDENTITY).write_parquet(folder / f"rounds_{tasks.domain}.parquet")
    tasks.targets.rows.write_parquet(folder / f"targets_{tasks.domain}.parquet")


def _save_arrays(path: Path, tasks: DomainTasks) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(tasks.arrays):
            member = zipfile.ZipInfo(f"{name}.npy", ZIP_EPOCH)
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(tasks.arrays[name], order="C"), allow_pickle=False)
