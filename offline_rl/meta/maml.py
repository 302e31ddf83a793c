"""MAML: meta-parameters from which one or a few gradient steps on a segment's support fit its query.

Source: Finn, Abbeel & Levine 2017, "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks".
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl.meta.adaptation import Loss, StepSize, adapt, differentiable, task_count
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.inner_step import HEAD, InnerStep, network_of
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import Progress
from offline_rl.meta.outer_loop import descend
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.step_length import validated_step
from offline_rl.meta.task_batches import rows_by_segment, sample_tasks
from offline_rl.two_tower import NAMES, with_task_dimension


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
    """Return mean query loss after adaptation, and its exact gradient with respect to the meta-parameters.

        J(theta) = mean_t L(theta_t; query_t),   theta_t = K steps of gradient descent on L(.; support_t)

    params: without task dimension, any names, any dtype. The gradient runs through the inner steps,
    Hessians included; with first_order it is grad L(theta_t; query_t) averaged (FOMAML). `loss` must be
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
    value = value_after_adapting(
        loss, start, support, query, inner_lr=inner_lr, inner_steps=inner_steps, first_order=first_order
    )
    return value.detach(), gradient_of(value, start)


def value_after_adapting(
    loss: Loss,
    params: dict[str, Tensor],
    support: dict[str, Tensor],
    query: dict[str, Tensor],
    *,
    inner_lr: StepSize,
    inner_steps: int,
    first_order: bool,
) -> Tensor:
    """Return J(theta) of `meta_gradient`, to differentiate by params and, where they are learned, by rates.

    dJ/d alpha_k = -mean_t <grad L(theta_k; support_t), lambda_{k+1}>, with lambda_k = dJ_t / d theta_k; in
    first order lambda is the query gradient at theta_K throughout. params must require gradients.
    Source of the learned rates: Li et al. 2017, "Meta-SGD".
    """
    adapted = adapt(
        loss,
        with_task_dimension(params, task_count(support)),
        support,
        inner_lr=inner_lr,
        inner_steps=inner_steps,
        create_graph=not first_order,
    )
    return loss(adapted, query).mean()


def gradient_of(value: Tensor, params: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return d value / d params; zero where value doesn't depend on a tensor."""
    if not value.requires_grad:
        return {name: torch.zeros_like(tensor) for name, tensor in params.items()}
    gradients = torch.autograd.grad(value, list(params.values()), materialize_grads=True)
    return dict(zip(params, gradients, strict=True))


@dataclass(frozen=True)
class Maml:
    """Adapts to a segment by a few gradient steps from meta-parameters that were trained for that.

    What adapts is the reward model that the policy is read out of: its likelihood needs no importance
    weights, which on the few hundred rounds of a segment are the larger part of a policy gradient's noise.

    first_order (FOMAML) leaves the Hessians out. head_only (ANIL: Raghu et al. 2020, "Rapid Learning or
    Feature Reuse?") adapts `inner_step.HEAD` and leaves the towers to all segments in common.
    learned_rates meta-learns the length of each step of each tensor along with the parameters, and
    learned_shrinkage the kappa of information / (information + kappa).

    In the tests' worlds learned rates are what pays most, most of all with the head alone; a learned kappa
    changes nothing measurable beside the fixed one; and rates learned in first order are unreliable where
    segments differ strongly, because the rates then grow without seeing the curvature that should stop them.
    """

    name: str = "maml"
    first_order: bool = False
    head_only: bool = False
    learned_rates: bool = False
    learned_shrinkage: bool = False

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> GradientMetaPolicy:
        """See `Learner`: adapt on support, evaluate on query, in training segments that have both windows."""
        start, settings, seed = fits.mixed_start, fits.settings, fits.seed
        objective = start.objective("reward_likelihood", settings)
        inner_step = validated_step(start, objective, settings, self._inner_step(settings))
        segments = start.segments_with_query()
        windows = [(part, rows_by_segment(part, segments)) for part in (start.support, start.query)]

        def direction(
            params: dict[str, Tensor], generator: torch.Generator
        ) -> tuple[float, dict[str, Tensor]]:
            support, query = sample_tasks(windows, settings.tasks_per_step, settings.rows_per_task, generator)
            meta = differentiable(params)
            trusted, size = inner_step.on(meta, objective, support)
            value = value_after_adapting(
                objective.loss,
                network_of(meta),
                trusted,
                query,
                inner_lr=size,
                inner_steps=settings.inner_steps,
                first_order=self.first_order,
            )
            value = value + objective.prior_cost(network_of(meta), start.model.penalty / start.training.n)
            return float(value.detach()), gradient_of(value, meta)

        return descend(
            self.name,
            start,
            objective,
            direction,
            settings=replace(settings, inner_lr=inner_step.inner_lr),
            seed=seed,
            inner_steps=settings.inner_steps,
            progress=progress,
            inner_step=inner_step,
        )

    def _inner_step(self, settings: LearningSettings) -> InnerStep:
        return InnerStep(
            settings.inner_lr,
            settings.inner_steps,
            moved=HEAD if self.head_only else NAMES,
            learns_rates=self.learned_rates,
            learns_shrinkage=self.learned_shrinkage,
        )
