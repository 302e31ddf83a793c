"""The pooled two-tower network that gradient learners start from, read out as a policy."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.meta_policy import Progress
from offline_rl.meta.outer_loop import descend
from offline_rl.meta.shared_fits import SharedFits


@dataclass(frozen=True)
class PooledTwoTower:
    """One two-tower reward model for all segments: what a learner that takes steps from it must beat.

    Its learning curve has one point: there is nothing to meta-train.
    """

    name: str = "pooled_two_tower"

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> GradientMetaPolicy:
        """Return the warm start, unchanged."""
        start = fits.warm_start
        return descend(
            self.name,
            start,
            start.objective("reward_likelihood", fits.settings),
            _nowhere,
            settings=replace(fits.settings, max_steps=0),
            seed=fits.seed,
            inner_steps=0,
            progress=progress,
        )


def _nowhere(params: dict[str, Tensor], generator: torch.Generator) -> tuple[float, dict[str, Tensor]]:
    del generator
    return 0.0, {name: torch.zeros_like(value) for name, value in params.items()}
