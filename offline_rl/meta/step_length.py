"""Step length: how far adaptation goes, decided on the validation segments before meta-training begins."""

import math
from dataclasses import replace

from offline_rl.meta.convergence import sure_gain
from offline_rl.meta.inner_step import InnerStep
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.warm_start import WarmStart

FRACTIONS = (1.0, 0.5, 0.25, 0.125)
"""Shares of settings.inner_lr that are tried. Where segments differ strongly the whole step serves best;
where they hardly differ an eighth of it still helps, and the whole step would follow their noise."""


def validated_step(
    start: WarmStart, objective: SegmentObjective, settings: LearningSettings, step: InnerStep
) -> InnerStep:
    """Return the step whose inner_lr, settings.inner_lr or a share of it, most surely improves the start.

    Evaluated on the validation tasks' query rounds after adapting to their support, by the learner's own
    criterion: the gain over not adapting less its standard error, which a long step has more of.
    """

    def gain(inner_lr: float) -> float:
        size = replace(step, inner_lr=inner_lr, learns_rates=False).size(start.model.parameters)
        checkpoint = start.validation.measure(0, start.model.parameters, objective, size, step.inner_steps)
        found = sure_gain(checkpoint.adapted - checkpoint.zero_shot, start.validation.cluster)
        # A step so long that the scores overflow gains nothing; max() would keep a NaN that comes first.
        return found if math.isfinite(found) else -math.inf

    return replace(step, inner_lr=max((settings.inner_lr * share for share in FRACTIONS), key=gain))
