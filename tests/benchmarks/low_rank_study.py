"""Does exact MAML beat random effects where segments differ along two hidden directions?

`PYTHONPATH=. python tests/benchmarks/low_rank_study.py SEED ...` prints one JSON object a seed: learner →
share of the gap by true value on segments that taught nobody. What it is for, and what came out, is in
`offline_rl/meta/MAML.md`.
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.named_learners import LEARNERS
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import Refits, SharedFits
from offline_rl.meta.time_split import READ_OUT
from tests.laws.learners import World, load_world, log_rounds, make_world

SEGMENTS, ITEMS, ROUNDS, TRAITS, RANK, DEVIATION = 300, 40, 200, 2, 2, 1.2
LEARNED = ("random_effects", "mixed_effects", "maml_rates")


def low_rank_world(seed: int) -> World:
    """Items have hidden places, segments hidden directions; items are told apart by an indicator each."""
    world = make_world(
        segments=SEGMENTS, items=ITEMS, features=TRAITS, click_rate=0.15, heterogeneity=0.0, seed=seed
    )
    random = np.random.default_rng(1000 + seed)
    place, direction = (random.standard_normal((n, RANK)) for n in (ITEMS, SEGMENTS))
    product = direction @ place.T
    own = np.zeros_like(world.own)
    own[:, :, 0] = DEVIATION * product / product.std()

    def no_taste(rows: int) -> np.ndarray:
        return np.zeros((rows, ITEMS))

    return replace(
        world,
        own=own,
        item_features=np.hstack([world.item_features, np.eye(ITEMS)]),
        affinity=np.hstack([world.affinity, no_taste(len(world.affinity))]),
        appeal=np.hstack([world.appeal, no_taste(1)[0]]),
        deviation=np.hstack([world.deviation, no_taste(SEGMENTS)]),
    )


def shares(seed: int) -> dict[str, float]:
    """Learner → share of the gap between the logging policy and the best one."""
    world = low_rank_world(seed)
    arrays = log_rounds(world, ROUNDS, seed=seed) | {"item_block": np.array([0] * TRAITS + [-1] * ITEMS)}
    with tempfile.TemporaryDirectory() as folder:
        tasks = load_world(Path(folder), arrays)
    unseen = tasks.split("meta_test")
    logged, best = np.mean([world.reference_values(segment, 800) for segment in unseen], axis=0)
    fits = SharedFits(tasks, LearningSettings(), seed)
    found = {}
    for name in LEARNED:
        served = refitted(LEARNERS[name].meta_train(fits), Refits.before_holdout(fits))
        values = []
        for segment in unseen:
            policy = served.adapt(tasks.window("training", [segment]))
            sharp = replace(policy, temperature=READ_OUT)  # type: ignore[type-var]
            values.append(world.value(sharp, segment, 800))
        found[name] = round(float((np.mean(values) - logged) / (best - logged)), 3)
    return found


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        sys.stdout.write(json.dumps({"seed": int(argument), **shares(int(argument))}) + "\n")
        sys.stdout.flush()
