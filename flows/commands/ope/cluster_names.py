"""A column of clusters → one index per round, the same for every type in which a file stores the names."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.commands.ope.batch_columns import BatchColumn
from flows.commands.ope.plain_columns import plain
from offline_rl.ope.records import Ints

WHOLE = r"^(0|-?[1-9]\d*)$"
NUMBER = r"^-?\d+(\.\d*)?([eE][+-]?\d+)?$"


def encoded(column: BatchColumn) -> Any:
    """Return a column of clusters as indices into the distinct ones of this batch.

    Raises InputDataError for a round without a cluster, and for lists and other nested values.
    """
    if column.rows.null_count:
        row = int(np.argmax(pc.is_null(column.rows).to_numpy(zero_copy_only=False)))
        raise column.fault(row, "is missing. Every round belongs to a cluster.")
    rows = plain(column.rows)
    if pa.types.is_nested(rows.type):
        raise column.fault(0, f"is {rows.type}. A cluster is a number or a text.")
    if pa.types.is_boolean(rows.type):
        rows = rows.cast(pa.string())
    return rows.dictionary_encode()


def cluster_indices(batches: list[Any]) -> Ints:
    """Return one index per round, in the order of the clusters' names, independent of the batches.

    Names that are all numbers are ordered as such and others as text, so that CSV and Parquet give equal
    indices, and with them equal resamples.
    """
    unified = pa.chunked_array(batches).unify_dictionaries()
    names = unified.chunk(0).dictionary
    table = pa.table({"number": _numbers(names), "name": names})
    order = pc.sort_indices(table, sort_keys=[("number", "ascending"), ("name", "ascending")])
    rank = np.empty(len(names), dtype=np.int64)
    rank[order.to_numpy()] = np.arange(len(names))
    indices: Ints = rank[np.concatenate([chunk.indices.to_numpy() for chunk in unified.chunks])]
    return indices


def _numbers(names: Any) -> Any:
    """Return the names as numbers, or all 0 where one of them is not a number."""
    if not pa.types.is_string(names.type):
        is_number = pa.types.is_integer(names.type) or pa.types.is_floating(names.type)
        return names if is_number else pa.array(np.zeros(len(names)))
    for pattern, kinds in ((WHOLE, (pa.int64(), pa.uint64())), (NUMBER, (pa.float64(),))):
        if pc.all(pc.match_substring_regex(names, pattern)).as_py():
            for kind in kinds:
                try:
                    return names.cast(kind)
                except pa.ArrowInvalid:
                    continue
    return pa.array(np.zeros(len(names)))
