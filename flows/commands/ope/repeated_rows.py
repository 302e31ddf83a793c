"""Keys of a file's rows, equal for equal rows, and the evidence from rows that repeat."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.contracts.findings import Finding
from flows.commands.ope.plain_columns import is_list, plain
from offline_rl.ope.records import Ints
from offline_rl.ope.trust.repeated_rows import Repetition, Way, repetition
from reports.summaries.policy_answer import Repeats

Keys = NDArray[np.uint64]

CODES_OF_WAYS: Mapping[Way, str] = {
    "whole": "same_rows_over_again",
    "in a row": "each_row_twice",
    "even": "even_repeats",
    "pairs": "many_pairs",
}
"""How rows repeat → the code of the doubt."""

MIXED = np.uint64(0x9E3779B97F4A7C15)
"""An odd number with random bits: with it, keys of several columns add up without canceling each other."""


class RowKeys:
    """One key per row, the same for rows that are equal in every column, a batch at a time.

    Lists of numbers become one number each, their product with fixed random factors, which takes a tenth of
    the time of hashing them.
    """

    def __init__(self) -> None:
        self._batches: list[Keys] = []
        self._can_compare = True

    def add(self, rows: pa.RecordBatch) -> None:
        """Add the next rows."""
        if not self._can_compare:
            return
        keys = np.zeros(len(rows), dtype=np.uint64)
        try:
            for name in rows.schema.names:
                keys = keys * MIXED + _keys(plain(rows.column(name)))
        # A column of a type that polars lacks can't be compared: then repeats are unknown, and the answer
        # reports that.
        except (pl.exceptions.PolarsError, pa.ArrowException):
            self._can_compare = False
            self._batches.clear()
            return
        self._batches.append(keys)

    def repetition(self, cluster: Ints | None) -> Repetition | None:
        """Return the repeats among all rows; None where rows can't be compared."""
        return repetition(np.concatenate(self._batches), cluster) if self._can_compare else None


def as_answered(found: Repetition | None, n_rows: int) -> Repeats:
    """Return the repeats in the form of the answer, with the doubt."""
    if found is None:
        return Repeats(n_rows, None)
    if found.way is None:
        return Repeats(n_rows, found.n_repeated)
    numbers = {"n_repeated": found.n_repeated, "n_rows": n_rows}
    if found.way == "whole":
        numbers["n_copies"] = found.n_copies
    return Repeats(n_rows, found.n_repeated, Finding(CODES_OF_WAYS[found.way], "log", numbers))


def _keys(column: Any) -> Keys:
    if is_list(column.type) and pa.types.is_floating(column.type.value_type) and not column.null_count:
        lengths = pc.list_value_length(column).to_numpy()
        values = column.flatten().to_numpy(zero_copy_only=False)
        if len(lengths) and (lengths == lengths[0]).all() and lengths[0]:
            factors = np.random.default_rng(0).random(lengths[0])
            products = np.einsum("ra,a->r", values.reshape(len(lengths), -1).astype(np.float64), factors)
            by_factors: Keys = products.view(np.uint64)
            return by_factors
    frame = pl.DataFrame({"column": pl.Series(pl.from_arrow(column))})
    hashed: Keys = frame.hash_rows(seed=0).to_numpy()
    return hashed
