"""Whole columns of a file: numbers, indices, names and lists, checked; every error names its row."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from features.errors import InputDataError, UsageError
from flows.commands.ope.batch_columns import BatchColumn
from flows.commands.ope.cluster_names import cluster_indices, encoded
from flows.commands.ope.repeated_rows import RowKeys
from flows.commands.ope.round_files import RoundFile
from offline_rl.ope.records import Ints
from offline_rl.ope.trust.repeated_rows import Repetition

Kind = Literal["number", "index", "name", "list", "probabilities"]
"""The content of a column: numbers, whole numbers from 0, names (of users, sessions), lists of numbers, or
lists of the probabilities of all actions."""


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, and the number of the first of them."""

    file: str
    first_row: int
    rows: Any

    def __getitem__(self, name: str) -> BatchColumn:
        return BatchColumn(self.file, name, self.first_row, self.rows.column(name))

    def __contains__(self, name: str) -> bool:
        return name in self.rows.schema.names


@dataclass(frozen=True, eq=False)
class Table:
    """Columns by name, [n] or [n, k].

    cluster: the cluster of each row; None where no column names it.
    """

    n_rows: int
    columns: Mapping[str, Any]
    cluster: Ints | None
    keys: RowKeys

    def repetition(self, cluster: Ints | None) -> Repetition | None:
        """Return the repeats among rows, given the cluster of each; None where rows can't be compared."""
        return self.keys.repetition(cluster)


def filled_batches(file: RoundFile, keys: RowKeys) -> Iterator[Any]:
    """Yield the batches that have rows, with all their columns, and add their rows to the keys."""
    # All columns, since two rows may differ only in a column that is not used otherwise, such as a time.
    for rows in file.batches(file.columns):
        if len(rows):
            keys.add(rows)
            yield rows


def check_columns(file: RoundFile, needed: Sequence[str]) -> None:
    """Raise UsageError naming the columns that the file lacks."""
    lacking = [column for column in needed if column not in file.columns]
    if lacking:
        raise UsageError(
            f"{file.path} has no column {', '.join(lacking)}. Its columns are {', '.join(file.columns)}."
        )


def read_table(file: RoundFile, kinds: Mapping[str, Kind], cluster: str | None) -> Table:
    """Return the columns of a file, each by its kind; names become one index per distinct name.

    cluster: column of names whose rows belong together, None for none.

    Raises UsageError for a column that is not there, InputDataError naming the first row (counted from 0)
    that can't be used, and where there is no row.
    """
    check_columns(file, (*kinds, *([cluster] if cluster else [])))
    parts: defaultdict[str, list[Any]] = defaultdict(list)
    clusters: list[Any] = []
    keys = RowKeys()
    n_rows = 0
    for rows in filled_batches(file, keys):
        batch = Batch(str(file.path), n_rows, rows)
        for name, kind in kinds.items():
            length = parts[name][0].shape[1] if kind in ("list", "probabilities") and parts[name] else None
            parts[name].append(_read(batch[name], kind, length))
        if cluster:
            clusters.append(encoded(batch[cluster]))
        n_rows += len(rows)
    if n_rows == 0:
        raise InputDataError(f"{file.path} holds no rows: it needs at least one.")
    columns = {
        name: cluster_indices(parts[name]) if kind == "name" else np.concatenate(parts[name])
        for name, kind in kinds.items()
    }
    return Table(n_rows, columns, cluster_indices(clusters) if cluster else None, keys)


def _read(column: BatchColumn, kind: Kind, length: int | None) -> Any:
    match kind:
        case "number":
            return column.numbers()
        case "name":
            return encoded(column)
        case "list":
            return column.lists(length, per="feature", as_in=column.name)
        case "probabilities":
            return column.probabilities(length)
        case "index":
            index = column.whole_numbers()
            if (index < 0).any():
                row = int(np.argmax(index < 0))
                raise column.fault(row, f"is {index[row]}. It counts from 0.")
            return index
