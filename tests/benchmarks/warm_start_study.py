"""Would meta-training gain from last night's parameters? A cold and a warm start of MAML, by true value.

Two nights in a row of one study shop: the second has one day more. `maml` learns the first night, and then
the second one twice: from the pooled model, as every night does, and from what it learned on the first.

What came out is in offline_rl/meta/MAML.md.

    PYTHONPATH=. python tests/benchmarks/warm_start_study.py 300 301 302
"""

import json
import sys
import time
from dataclasses import replace
from itertools import product

import numpy as np
import torch

from features.codes import Window
from features.simulator.settings import WorldName
from flows.simulations.studies.study import Study, StudySettings, make_study
from offline_rl.device import limit_threads
from offline_rl.logged_data import Tasks
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import Refits, SharedFits
from offline_rl.serving import SegmentPolicies, served_probabilities

WORLDS: tuple[WorldName, ...] = ("strong", "nonlinear")
EXPLORATION = 0.1
OF_ROUNDS = (
    "slot",
    "action",
    "reward",
    "propensity",
    "set_index",
    "segment",
    "cluster",
    "window",
    "context",
)


def night_of(study: Study, n_days: int) -> tuple[Tasks, np.ndarray]:
    """Return the tasks of a night after the first days of a study, and q_true of its rounds.

    Windows are of whole days, one day apart: half of them support, a fifth query.
    """
    day = study.arrays["set_index"]
    kept = day < n_days
    at = day[kept] / n_days
    window = np.full(kept.sum(), Window.GAP, np.int8)
    for code, first, last in (
        (Window.SUPPORT, 0.0, 0.5),
        (Window.QUERY, 0.5 + 1 / n_days, 0.7),
        (Window.HOLDOUT, 0.7 + 1 / n_days, 1.0),
    ):
        window[(at >= first) & (at < last)] = code
    arrays = {name: array[kept] if name in OF_ROUNDS else array for name, array in study.arrays.items()}
    return Tasks.of(arrays | {"window": window}, "the study"), study.q_true[kept]


def true_value(policy: MetaPolicy, fits: SharedFits, q_true: np.ndarray) -> float:
    """Return what a policy earns per round of the holdout, served as a night would."""
    served = SegmentPolicies.adapted(
        refitted(policy, Refits.before_holdout(fits)), fits.tasks.window("training"), EXPLORATION
    )
    is_held = fits.tasks.window_code == Window.HOLDOUT
    chances = served_probabilities(served, fits.tasks.rounds.select(torch.nonzero(is_held).flatten()))
    return float((chances.cpu().numpy() * q_true[is_held.numpy()]).sum(1).mean())


def learned(fits: SharedFits) -> tuple[GradientMetaPolicy, float]:
    """Train, and return the policy with the seconds that it took beside the fits it begins with."""
    _ = fits.mixed_start
    began = time.process_time()
    return Maml().meta_train(fits), time.process_time() - began


def kept_its_start(policy: GradientMetaPolicy) -> bool:
    """Whether no later checkpoint was better on the validation segments."""
    return any(found.code in ("start_kept", "adaptation_off") for found in policy.notes)


def outcome(world: WorldName, seed: int) -> dict[str, object]:
    """Return true values, outer steps and seconds of both starts in one shop."""
    study = make_study(StudySettings(world, seed, regions=20, users=2000))
    before, _ = night_of(study, 27)
    earlier, _ = learned(SharedFits(before, LearningSettings(), seed))
    tasks, q_true = night_of(study, 28)
    cold_fits, warm_fits = (SharedFits(tasks, LearningSettings(), seed) for _ in range(2))
    cold, cold_seconds = learned(cold_fits)
    start = warm_fits.mixed_start
    last_night = replace(start.model, parameters=dict(earlier.parameters))
    warm_fits.__dict__["mixed_start"] = replace(start, model=last_night)
    warm, warm_seconds = learned(warm_fits)
    pooled = replace(cold, parameters=start.parameters(), inner_steps=0)
    policies = {"pooled": pooled, "cold": cold, "warm": warm}
    return {
        "shop": f"{world} {seed}",
        "true": {name: true_value(policy, cold_fits, q_true) for name, policy in policies.items()},
        "steps": {"cold": cold.curve[-1].step, "warm": warm.curve[-1].step},
        "seconds": {"cold": cold_seconds, "warm": warm_seconds},
        "kept_its_start": {"before": kept_its_start(earlier), "cold": kept_its_start(cold)},
    }


def main(seeds: list[int]) -> None:
    """Write a line of JSON for each shop."""
    limit_threads(1)
    for world, seed in product(WORLDS, seeds):
        sys.stdout.write(json.dumps(outcome(world, seed)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [300, 301, 302])
