"""How fast `metacart ope` reads rounds, and in how much memory: rounds with lists of 50 actions.

    python tests/benchmarks/bench_ope_tool.py [--rounds 2000000] [--actions 50] [--folder DIR]

Prints one JSON object. read: lists → one number per round; answer: read, evaluate with the default estimators
and 1,000 resamples, judge. Each runs in a process of its own, so that its peak is its own;
added_bytes_per_round is that peak less what the process took before, and dense_bytes_per_round what
evaluation_probs and q_hat alone would take as matrices.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.commands.ope.evaluation_rounds import read_evaluation_rounds
from flows.commands.ope.policy_answer import answer
from flows.commands.ope.policy_question import PolicyQuestion
from flows.commands.ope.round_files import open_rounds

PIECE = 100_000
KINDS = 64


def write_rounds(path: Path, n_rounds: int, n_actions: int) -> None:
    """Rounds of 64 kinds of visitors, written piece by piece."""
    rng = np.random.default_rng(0)
    logging = rng.dirichlet(np.ones(n_actions), KINDS)
    evaluated = 0.3 * logging + 0.7 * rng.dirichlet(np.full(n_actions, 2.0), KINDS)
    reward_probability = rng.random((KINDS, n_actions))
    writer = None
    for start in range(0, n_rounds, PIECE):
        n = min(PIECE, n_rounds - start)
        kind = rng.integers(0, KINDS, n)
        above = rng.random((n, 1)) > logging[kind].cumsum(axis=1)[:, :-1]
        action = above.sum(axis=1)
        noise = 0.01 * rng.random((n, n_actions))
        probs = evaluated[kind] + noise
        piece = pa.table(
            {
                "action": action,
                "reward": (rng.random(n) < reward_probability[kind, action]).astype(float),
                "propensity": logging[kind, action],
                "evaluation_probs": _lists(probs / probs.sum(axis=1, keepdims=True)),
                "q_hat": _lists(0.8 * reward_probability[kind] + noise),
            }
        )
        writer = writer or pq.ParquetWriter(path, piece.schema)
        writer.write_table(piece)
    if writer is not None:
        writer.close()


def measured(task: str, path: Path) -> dict[str, float]:
    """Seconds, and bytes added per round, of one task in this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    if task == "read":
        n_rounds = read_evaluation_rounds(open_rounds(path), ("q_hat",), None).n
    else:
        n_rounds = answer(PolicyQuestion(path)).n_rounds
    seconds = time.perf_counter() - start
    added = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return {
        "seconds": round(seconds, 2),
        "rounds_per_second": round(n_rounds / seconds),
        "added_bytes_per_round": round(added / n_rounds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2_000_000)
    parser.add_argument("--actions", type=int, default=50)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--task", choices=["write", "read", "answer"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    shape = {"rounds": options.rounds, "actions": options.actions}
    if options.task == "write":
        write_rounds(options.folder / "rounds.parquet", options.rounds, options.actions)
    elif options.task:
        sys.stdout.write(json.dumps(measured(options.task, options.folder / "rounds.parquet")))
    else:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            _apart("write", folder, *(f"--{name}={number}" for name, number in shape.items()))
            tasks = {task: json.loads(_apart(task, folder)) for task in ("read", "answer")}
        sys.stdout.write(json.dumps(shape | {"dense_bytes_per_round": 16 * options.actions} | tasks) + "\n")


def _lists(matrix: np.ndarray) -> pa.Array:
    offsets = np.arange(0, matrix.size + 1, matrix.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(matrix.ravel()))


def _apart(task: str, folder: str, *options: str) -> str:
    # Linux hands a child its parent's peak, so the parent must stay small: even writing is done apart.
    command = [sys.executable, __file__, "--task", task, "--folder", folder, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
