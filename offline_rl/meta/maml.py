"""MAML: meta-parameters from which one or a few gradient steps on a segment's support fit its query.

Source: Finn, Abbeel & Levine 2017, "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks".
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl.logged_data import Tasks
from offline_rl.meta.adaptation import Loss, adapt, differentiable, task_count
from offline_rl.meta.learner import LearningSettings, MetaPolicy, Progress
from offline_rl.meta.outer_loop import descend
from offline_rl.meta.step_length import validated_inner_lr
from offline_rl.meta.task_batches import rows_by_segment, sample_tasks
from offline_rl.meta.warm_start import warm_start
from offline_rl.two_tower import with_task_dimension


def meta_gradient(
    loss: Loss,
    params: dict[str, Tensor],
    support: dict[str, Tensor],
    query: dict[str, Tensor],
    *,
    inner_lr: float,
    inner_steps: int,
    first_order: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean query loss after adaptation, and its exact gradient with respect to the meta-parameters.

        J(theta) = mean_t L(theta_t; query_t),   theta_t = K steps of gradient descent on L(.; support_t)

    params: without task dimension, any names, any dtype.  The gradient runs through the inner steps,
    Hessians included; with first_order it is grad L(theta_t; query_t) averaged (FOMAML).  `loss` must be
    exact to second order: write it with the ratio pi / propensity, never with detach(ratio) * log pi, whose
    Hessian is wrong.

    One task, L = theta^2 / 2 on support and query, theta = 1, one step of 0.1: theta_1 = 0.9, J = 0.405 and
    dJ/dtheta = 0.9 * (1 - 0.1) = 0.81.

    >>> one = {"a": torch.ones(1, 1)}
    >>> half_square = lambda params, batch: 0.5 * params["theta"] ** 2 * batch["a"][:, 0]
    >>> value, gradient = meta_gradient(
    ...     half_square, {"theta": torch.tensor(1.0)}, one, one, inner_lr=0.1, inner_steps=1)
    >>> round(value.item(), 4), round(gradient["theta"].item(), 4)
    (0.405, 0.81)
    """
    start = differentiable(params)
    adapted = adapt(
        loss,
        with_task_dimension(start, task_count(support)),
        support,
        inner_lr=inner_lr,
        inner_steps=inner_steps,
        create_graph=not first_order,
    )
    value = loss(adapted, query).mean()
    if not value.requires_grad:
        return value, {name: torch.zeros_like(tensor) for name, tensor in params.items()}
    gradients = torch.autograd.grad(value, list(start.values()), materialize_grads=True)
    return value.detach(), dict(zip(start, gradients, strict=True))


@dataclass(frozen=True)
class Maml:
    """Adapts to a segment by a few gradient steps from meta-parameters that were trained for that.

    What adapts is the reward model that the policy is read out of: its likelihood needs no importance
    weights, which on the few hundred rounds of a segment are the larger part of a policy gradient's noise.
    """

    name: str = "maml"
    first_order: bool = False

    def meta_train(
        self, tasks: Tasks, settings: LearningSettings, seed: int, *, progress: Progress | None = None
    ) -> MetaPolicy:
        """See `Learner`: support rounds adapt, query rounds judge, in training segments that have both."""
        start = warm_start(tasks, settings.hidden, seed)
        objective = start.objective("reward_likelihood", settings)
        settings = replace(settings, inner_lr=validated_inner_lr(start, objective, settings))
        segments = start.segments_with_query()
        windows = [(part, rows_by_segment(part, segments)) for part in (start.support, start.query)]

        def direction(
            params: dict[str, Tensor], generator: torch.Generator
        ) -> tuple[float, dict[str, Tensor]]:
            support, query = sample_tasks(windows, settings.tasks_per_step, settings.rows_per_task, generator)
            value, gradient = meta_gradient(
                objective.loss,
                params,
                objective.as_support(support),
                query,
                inner_lr=settings.inner_lr,
                inner_steps=settings.inner_steps,
                first_order=self.first_order,
            )
            return float(value), gradient

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
