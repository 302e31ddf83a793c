"""Importance-weighted REINFORCE, pooled over segments: one policy for all, improved on the log itself.

Source: Williams 1992 for the gradient; Swaminathan & Joachims 2015 for learning it from logged propensities.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.logged_data import Tasks
from offline_rl.meta.adaptation import Loss, differentiable, gradient_per_task
from offline_rl.meta.learner import LearningSettings, MetaPolicy, Progress
from offline_rl.meta.outer_loop import descend
from offline_rl.meta.task_batches import Batch, pad_tasks, sample_rows
from offline_rl.meta.warm_start import warm_start
from offline_rl.two_tower import with_task_dimension


@dataclass(frozen=True)
class Reinforce:
    """The importance-weighted objective on a sample of all segments' rounds in each step; no adaptation."""

    name: str = "reinforce"

    def meta_train(
        self, tasks: Tasks, settings: LearningSettings, seed: int, *, progress: Progress | None = None
    ) -> MetaPolicy:
        """See `Learner`: each step takes as many rounds as MAML's, from all training segments at once."""
        start = warm_start(tasks, settings.hidden, seed)
        objective = start.objective("importance_weighted", settings)
        everything = [torch.arange(start.training.n, device=start.training.action.device)]
        rows = settings.tasks_per_step * settings.rows_per_task

        def direction(
            params: dict[str, Tensor], generator: torch.Generator
        ) -> tuple[float, dict[str, Tensor]]:
            batch = pad_tasks(start.training, sample_rows(everything, rows, generator))
            return pooled_gradient(objective.loss, params, batch)

        return descend(
            self.name,
            start,
            objective,
            direction,
            settings=settings,
            seed=seed,
            inner_steps=0,
            progress=progress,
        )


def pooled_gradient(loss: Loss, params: dict[str, Tensor], batch: Batch) -> tuple[float, dict[str, Tensor]]:
    """Loss and gradient of one task that holds everybody's rounds; params without task dimension."""
    one_task = with_task_dimension(differentiable(params), 1)
    gradient = gradient_per_task(loss, one_task, batch, create_graph=False)
    with torch.no_grad():
        value = float(loss(one_task, batch)[0])
    return value, {name: tensor[0] for name, tensor in gradient.items()}
