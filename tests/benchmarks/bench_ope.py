"""How long twelve estimators with 1,000 resamples each take, and what a bootstrap for each of them would.

    python tests/benchmarks/bench_ope.py [--rounds 20000 1000000] [--actions 10] [--resamples 1000]

Prints one JSON object with a part for each number of rounds. ours_seconds: `evaluate` and `policy_values`,
diagnostics and BCa intervals included. by_estimator_seconds: what others do, for each estimator and resample
a choice of n rounds and the mean of what they contribute, frozen normalizers and all; contributions are given
and nothing else is done. Of many rounds only by_estimator_measured_resamples are timed, and the rest is
extrapolated in proportion. cpu_seconds: of the processor alone, where others keep the machine busy. speedup:
ratio of the two ways. additional_peak_memory_mb: of ours, beyond what holds the columns of the log. Each part
runs in a process of its own, with one thread, so that peaks are its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds, Floats

ESTIMATORS = (
    "ips",
    "ips:10",
    "snips",
    "dm",
    "dr",
    "dr:10",
    "sndr",
    "switch_dr:5",
    "dr_os:10",
    "subgaussian_ips:0.1",
    "subgaussian_dr:0.1",
    "mrdr",
)
MEASURED_ABOVE = 100_000
"""Rounds above which only some resamples of the others' way are timed."""
MEASURED = 20
DRAWN_AT_ONCE = 20_000


def drawn_log(n: int, n_actions: int) -> EvaluationRounds:
    """Rounds with Dirichlet policies, a reward of 0 or 1 and two wrong reward models; a user each.

    Drawn in parts, as no [n, actions] matrix may set the peak of memory.
    """
    rng = np.random.default_rng(0)
    parts = [_drawn(rng, min(DRAWN_AT_ONCE, n - at), n_actions) for at in range(0, n, DRAWN_AT_ONCE)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return EvaluationRounds(**columns, cluster=np.arange(n), segment=np.zeros(n, dtype=np.int64))


def _drawn(rng: np.random.Generator, n: int, n_actions: int) -> dict[str, Floats]:
    logged, evaluated = rng.dirichlet(np.full(n_actions, 2.0), n), rng.dirichlet(np.ones(n_actions), n)
    modeled, row = rng.random((n, n_actions)) / 2, np.arange(n)
    action = np.minimum((rng.random((n, 1)) > logged.cumsum(axis=1)).sum(axis=1), n_actions - 1)
    return {
        "reward": (rng.random(n) < 0.1 + modeled[row, action]).astype(float),
        "propensity": logged[row, action],
        "evaluation_prob": evaluated[row, action],
        "q_logged": modeled[row, action],
        "q_policy": (evaluated * modeled).sum(axis=1),
        "q_logged_mrdr": 0.9 * modeled[row, action],
        "q_policy_mrdr": 0.9 * (evaluated * modeled).sum(axis=1),
    }


def contribution(name: str, rounds: EvaluationRounds) -> Floats:
    """What a round adds to the mean, with normalizers of the whole sample held fixed; shape [n]."""
    estimator = from_name(name)
    terms = estimator.terms(rounds)
    if name == "snips":
        return terms[:, 1] / terms[:, 0].mean()
    if name == "sndr":
        return terms[:, 1] + terms[:, 3] / terms[:, 2].mean()
    return terms[:, 1]


@dataclass(frozen=True)
class Seconds:
    """Time on the clock, and of the processor alone, which a busy machine stretches less."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        return cls(time.perf_counter(), time.process_time())

    def since(self, start: Self, scale: float = 1.0) -> Self:
        return type(self)(scale * (self.wall - start.wall), scale * (self.cpu - start.cpu))


def seconds_by_estimator(rounds: EvaluationRounds, n_resamples: int) -> tuple[Seconds, int]:
    """Time of a bootstrap for each estimator, and how many resamples of it were timed."""
    measured = min(n_resamples, MEASURED) if rounds.n > MEASURED_ABOVE else n_resamples
    contributions = [contribution(name, rounds) for name in ESTIMATORS]
    started = Seconds.now()
    for values in contributions:
        rng = np.random.default_rng(12345)
        means = [values[rng.integers(0, rounds.n, rounds.n)].mean() for _ in range(measured)]
        np.percentile(means, [2.5, 97.5])
    return Seconds.now().since(started, n_resamples / measured), measured


def time_part(n: int, n_actions: int, n_resamples: int) -> dict[str, object]:
    """Both ways on one log; ours first, so that the peak is its own."""
    rounds = drawn_log(n, n_actions)
    before = memory_mb()
    started = Seconds.now()
    evaluation = evaluate({"new": rounds}, [from_name(name) for name in ESTIMATORS], n_resamples=n_resamples)
    rows = evaluation.policy_values()
    ours = Seconds.now().since(started)
    memory = peak_memory_mb() - before
    theirs, measured = seconds_by_estimator(rounds, n_resamples)
    return {
        "rounds": n,
        "actions": n_actions,
        "estimators": len({row.estimator for row in rows}),
        "resamples": n_resamples,
        "ours_seconds": round(ours.wall, 3),
        "ours_cpu_seconds": round(ours.cpu, 3),
        "by_estimator_seconds": round(theirs.wall, 2),
        "by_estimator_cpu_seconds": round(theirs.cpu, 2),
        "by_estimator_measured_resamples": measured,
        "by_estimator_is_extrapolated": measured < n_resamples,
        "speedup": round(theirs.wall / ours.wall, 1),
        "cpu_speedup": round(theirs.cpu / ours.cpu, 1),
        "additional_peak_memory_mb": round(memory, 1),
    }


def memory_mb() -> float:
    """Return the resident size of this process now: the peak of drawing the log is no part of it."""
    resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return resident_pages * resource.getpagesize() / 2**20


def peak_memory_mb() -> float:
    """Return the largest resident size of this process; Linux counts in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_own_process(asked: argparse.Namespace, n: int) -> dict[str, object]:
    """Time one number of rounds in a fresh interpreter with one thread."""
    command = [sys.executable, __file__, "--part", str(n)]
    command += ["--actions", str(asked.actions), "--resamples", str(asked.resamples)]
    alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, **alone})
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, nargs="+", default=[20_000, 1_000_000])
    parser.add_argument("--actions", type=int, default=10)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--part", type=int, help="time this number of rounds alone, in this process")
    asked = parser.parse_args()
    if asked.part:
        figures: object = time_part(asked.part, asked.actions, asked.resamples)
    else:
        figures = {"off_policy_evaluation": [in_own_process(asked, n) for n in sorted(asked.rounds)]}
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
