"""Files of rounds that the tests of `metacart ope` read."""

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SMALL = Path(__file__).parents[3] / "offline_rl" / "ope" / "ope_small.npz"

Columns = dict[str, Any]


def small_arrays() -> dict[str, np.ndarray]:
    """The 1,000 rounds that Open Bandit Pipeline was given too."""
    with np.load(SMALL, allow_pickle=False) as arrays:
        return dict(arrays)


def small_columns() -> Columns:
    log = small_arrays()
    return {
        "action": log["action"],
        "reward": log["reward"],
        "propensity": log["pscore"],
        "evaluation_probs": log["action_dist"],
        "q_hat": log["q_hat"],
        "q_hat_mrdr": log["q_hat_mrdr"],
        "density_ratio": log["iw_est"],
    }


def coin_columns(n: int = 400, **replacements: Any) -> Columns:
    """Two actions, logged in turn with 1/2 each, of which 1 pays 1; a policy that takes it with 3/4."""
    action = np.arange(n) % 2
    columns = {
        "action": action,
        "reward": action.astype(float),
        "propensity": np.full(n, 0.5),
        "evaluation_probs": np.tile([0.25, 0.75], (n, 1)),
    }
    return columns | replacements


def table(columns: Columns) -> pa.Table:
    return pa.table({name: _array(column) for name, column in columns.items()})


def write_parquet(path: Path, columns: Columns, *, row_group_size: int | None = None) -> Path:
    pq.write_table(table(columns), path, row_group_size=row_group_size)
    return path


def write_csv(path: Path, columns: Columns, *, separator: str = ",", brackets: str = "[]") -> Path:
    """The same rows as text; numbers are written so that they read back as they were."""
    start, end = brackets or ("", "")
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in table(columns).to_pylist():
            writer.writerow(
                start + separator.join(map(repr, cell)) + end if isinstance(cell, list) else cell
                for cell in row.values()
            )
    return path


def spoiled(columns: Columns, name: str, row: int, value: Any) -> Columns:
    """The columns with another value in one row; in lists the value takes the place of action 1's."""
    column = np.array(columns[name], dtype=float)
    column[(row, 1) if column.ndim == 2 else row] = value
    return columns | {name: column}


def _array(column: Any) -> pa.Array:
    return pa.array(list(column) if getattr(column, "ndim", 1) == 2 else column)
