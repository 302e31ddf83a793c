"""Reptile: move the meta-parameters towards where each segment's own gradient descent ends.

Source: Nichol, Achiam & Schulman 2018, "On First-Order Meta-Learning Algorithms", batched version.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl.meta.adaptation import Loss, adapt, task_count
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.inner_step import InnerStep
from offline_rl.meta.meta_policy import Progress
from offline_rl.meta.outer_loop import descend
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.step_length import validated_step
from offline_rl.meta.task_batches import rows_by_segment, sample_tasks
from offline_rl.two_tower import with_task_dimension


def meta_gradient(
    loss: Loss,
    params: dict[str, Tensor],
    support: dict[str, Tensor],
    *,
    inner_lr: float,
    inner_steps: int,
) -> dict[str, Tensor]:
    """Return mean_t (theta - theta_t): descend along it, theta <- theta - outer_lr * this.

    theta_t is theta after inner_steps of gradient descent on task t's support. params: without task
    dimension, any names, any dtype.

    One task, L = theta^2 / 2, theta = 1, two steps of 0.1: theta_t = 0.81, and the direction is 0.19.

    >>> import torch
    >>> half_square = lambda params, batch: 0.5 * params["theta"] ** 2 * batch["a"][:, 0]
    >>> direction = meta_gradient(
    ...     half_square, {"theta": torch.tensor(1.0)}, {"a": torch.ones(1, 1)}, inner_lr=0.1, inner_steps=2)
    >>> round(direction["theta"].item(), 4)
    0.19
    """
    start = {name: value.detach().requires_grad_() for name, value in params.items()}
    adapted = adapt(
        loss,
        with_task_dimension(start, task_count(support)),
        support,
        inner_lr=inner_lr,
        inner_steps=inner_steps,
        create_graph=False,
    )
    return {name: (value - adapted[name]).mean(0).detach() for name, value in start.items()}


@dataclass(frozen=True)
class Reptile:
    """Adapts to a segment by a few gradient steps from where segments end up on average; first order only.

    What adapts is the reward model that the policy is read out of, as in `offline_rl.meta.maml`.
    """

    name: str = "reptile"

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> GradientMetaPolicy:
        """See `Learner`: support and query rounds are one support set here."""
        start, settings, seed = fits.mixed_start, fits.settings, fits.seed
        objective = start.objective("reward_likelihood", settings)
        inner_step = validated_step(
            start, objective, settings, InnerStep(settings.inner_lr, settings.inner_steps)
        )
        settings = replace(settings, inner_lr=inner_step.inner_lr)
        windows = [(start.training, rows_by_segment(start.training, start.segments))]

        def direction(
            params: dict[str, Tensor], generator: torch.Generator
        ) -> tuple[float, dict[str, Tensor]]:
            (batch,) = sample_tasks(windows, settings.tasks_per_step, settings.rows_per_task, generator)
            support = objective.as_support(batch)
            gradient = meta_gradient(
                objective.loss,
                params,
                support,
                inner_lr=settings.inner_lr,
                inner_steps=settings.inner_steps,
            )
            with torch.no_grad():
                values = objective.loss(with_task_dimension(params, task_count(support)), batch)
            return float(values.mean()), gradient

        return descend(
            self.name,
            start,
            objective,
            direction,
            settings=settings,
            seed=seed,
            inner_steps=settings.inner_steps,
            progress=progress,
        )
