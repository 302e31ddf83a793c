"""Studies made from a world on paper: few rounds, strong effects, so that controls are quick and decisive."""

import numpy as np
from numpy.typing import NDArray

from flows.simulations.studies.splits import Splits
from flows.simulations.studies.study import Study, StudySettings
from tests.laws.learners import World, log_rounds

SEGMENT = "segment-{:03d}"


def synthetic_study(world: World, rounds_per_segment: int, seed: int = 0) -> Study:
    arrays = log_rounds(world, rounds_per_segment, seed)
    context = arrays["context"].astype(np.float64)
    clicks = world.click_probability(context, arrays["slot"], arrays["segment"])  # type: ignore[arg-type]
    logging: NDArray[np.float64] = (world.logging_probability(clicks) * clicks).sum(1)
    split_names = ("meta_train", "meta_validation", "meta_test")
    of = {SEGMENT.format(g): split_names[code] for g, code in enumerate(arrays["segment_split"].tolist())}
    return Study(
        settings=StudySettings("strong", seed),
        splits=Splits(of, "synthetic"),  # type: ignore[arg-type]
        arrays=arrays,
        q_true=clicks.astype(np.float32),
        logging_value=logging,
        oracle_value=clicks.max(1),
    )
