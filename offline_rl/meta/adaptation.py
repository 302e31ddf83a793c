"""Adaptation: the inner gradient step, on functional parameters that carry a task dimension."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

Loss = Callable[[dict[str, Tensor], dict[str, Tensor]], Tensor]
"""loss(params[tasks, ...], batch[tasks, ...]) -> Tensor[tasks]; a task's value depends on its own slice."""

StepSize = float | Mapping[str, Tensor]
"""How long inner steps are: one number, or the rates [steps] or [steps, tasks] of the tensors that move."""


def task_count(batch: dict[str, Tensor]) -> int:
    """Return the number of tasks in a batch; ValueError if it has none or its tensors disagree."""
    sizes = {int(value.shape[0]) for value in batch.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"A batch needs one leading task dimension of at least 1; its tensors have {sizes}.")
    return sizes.pop()


def gradient_per_task(
    loss: Loss,
    params: dict[str, Tensor],
    batch: dict[str, Tensor],
    *,
    create_graph: bool,
    names: Sequence[str] | None = None,
) -> dict[str, Tensor]:
    """Return d loss_t / d params_t for every task t, by one backward pass: [tasks, ...] like params.

    Tasks share no parameters here, so the gradient of the sum holds each task's own gradient. A parameter
    that the loss doesn't use has gradient zero. names: the tensors to differentiate by, all by default.
    """
    values = loss(params, batch)
    if values.shape != (task_count(batch),):
        raise ValueError(f"A loss returns one value per task; this one has shape {tuple(values.shape)}.")
    wanted = {name: params[name] for name in (params if names is None else names)}
    if not values.requires_grad:
        return {name: torch.zeros_like(value) for name, value in wanted.items()}
    gradients = torch.autograd.grad(
        values.sum(), list(wanted.values()), create_graph=create_graph, materialize_grads=True
    )
    return dict(zip(wanted, gradients, strict=True))


def adapt(
    loss: Loss,
    params: dict[str, Tensor],
    batch: dict[str, Tensor],
    *,
    inner_lr: StepSize,
    inner_steps: int,
    create_graph: bool,
) -> dict[str, Tensor]:
    """Return theta_K of every task: theta_{k+1} = theta_k - inner_lr * grad loss(theta_k), K = inner_steps.

    params carry the task dimension and must require gradients. With create_graph the steps can be
    differentiated (second order); without, each step's gradient is a constant (first order). inner_lr is one
    number, or says by name which tensors move and how far: rates [inner_steps], or [inner_steps, tasks] where
    each task has its own; tensors that it doesn't name stay. Rates that require gradients are differentiated
    through in either order: d theta_{k+1} / d alpha_k = -grad loss(theta_k).
    """
    names = None if isinstance(inner_lr, float | int) else list(inner_lr)
    for step in range(inner_steps):
        gradients = gradient_per_task(loss, params, batch, create_graph=create_graph, names=names)
        moved = {
            name: params[name] - _rate(inner_lr, name, step, gradient.dim()) * gradient
            for name, gradient in gradients.items()
        }
        params = {**params, **moved}
    return params


def distance_moved(start: Mapping[str, Tensor], adapted: Mapping[str, Tensor]) -> Tensor:
    """Return |theta_K - theta_0| of every task, over all tensors: [tasks].

    >>> distance_moved({"a": torch.zeros(1, 2)}, {"a": torch.tensor([[3.0, 4.0]])})
    tensor([5.])
    """
    return (
        torch.stack([(adapted[name] - value).square().flatten(1).sum(1) for name, value in start.items()])
        .sum(0)
        .sqrt()
    )


def within_reach(
    start: Mapping[str, Tensor], adapted: Mapping[str, Tensor], longest: float
) -> dict[str, Tensor]:
    """Return theta_K, pulled back towards theta_0 in the tasks that have moved further than longest.

        theta_0 + min(1, longest / |theta_K - theta_0|) (theta_K - theta_0)

    >>> within_reach({"a": torch.zeros(1, 2)}, {"a": torch.tensor([[3.0, 4.0]])}, 2.5)["a"]
    tensor([[1.5000, 2.0000]])
    """
    distance = distance_moved(start, adapted)
    share = torch.where(distance > longest, longest / distance, torch.ones_like(distance))
    return {
        name: value + share.view(-1, *[1] * (value.dim() - 1)) * (adapted[name] - value)
        for name, value in start.items()
    }


def _rate(inner_lr: StepSize, name: str, step: int, dimensions: int) -> float | Tensor:
    if isinstance(inner_lr, float | int):
        return inner_lr
    rate = inner_lr[name][step]
    return rate.view(-1, *[1] * (dimensions - 1)) if rate.dim() else rate


def differentiable(params: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the meta-parameters as tensors to differentiate by.

    Tensors that already require gradients are taken as they are, so that a loss which refers to them by
    itself (a proximal term around the meta-parameters) is differentiated through that path too.
    """
    return {
        name: value if value.requires_grad else value.detach().requires_grad_()
        for name, value in params.items()
    }
