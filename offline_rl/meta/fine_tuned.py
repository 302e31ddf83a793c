"""Pooled and fine-tuned: plain gradient steps from the pooled model, tuned on validation."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl.meta.convergence import sure_gain
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import Progress
from offline_rl.meta.outer_loop import descend
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.step_length import FRACTIONS
from offline_rl.meta.warm_start import WarmStart

STEP_FACTORS = (1, 3, 10)
"""Multiples of settings.inner_steps that are tried. With the four rates they are twelve trials, fewer
checkpoints at validation than a meta-learner takes to find its step length and to stop."""


@dataclass(frozen=True)
class FineTuned:
    """Adaptation without meta-learning: MAML's inner loop from the pooled model, tuned on validation.

    Its learning curve has one point: there is nothing to meta-train.
    """

    name: str = "fine_tuned"

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> GradientMetaPolicy:
        """See `Learner`: the training segments fit the pooled model, the validation segments the steps."""
        start, settings, seed = fits.mixed_start, fits.settings, fits.seed
        objective = start.objective("reward_likelihood", settings)
        inner_lr, inner_steps = validated_steps(start, objective, settings)
        return descend(
            self.name,
            start,
            objective,
            _nowhere,
            settings=replace(settings, max_steps=0, inner_lr=inner_lr),
            seed=seed,
            inner_steps=inner_steps,
            progress=progress,
        )


def validated_steps(
    start: WarmStart, objective: SegmentObjective, settings: LearningSettings
) -> tuple[float, int]:
    """Return (rate, number of steps) that most surely improve the likelihood of the validation query rounds.

    Of equals the shortest way: the fewest steps, then the smallest rate.
    """
    trials = [
        (settings.inner_lr * fraction, settings.inner_steps * factor)
        for factor in STEP_FACTORS
        for fraction in sorted(FRACTIONS)
    ]

    def gain(trial: tuple[float, int]) -> float:
        checkpoint = start.validation.measure(0, start.model.parameters, objective, *trial)
        found = sure_gain(checkpoint.adapted - checkpoint.zero_shot, start.validation.cluster)
        # A step so long that the scores overflow gains nothing; max() would keep a NaN that comes first.
        return found if math.isfinite(found) else -math.inf

    return max(trials, key=gain)


def _nowhere(params: dict[str, Tensor], generator: torch.Generator) -> tuple[float, dict[str, Tensor]]:
    del generator
    return 0.0, {name: torch.zeros_like(value) for name, value in params.items()}
