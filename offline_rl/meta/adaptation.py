"""Adaptation: the inner gradient step, on functional parameters that carry a task dimension."""

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[dict[str, Tensor], dict[str, Tensor]], Tensor]
"""loss(params[tasks, ...], batch[tasks, ...]) -> Tensor[tasks]; a task's value depends on its own slice."""


def task_count(batch: dict[str, Tensor]) -> int:
    """Number of tasks in a batch; ValueError if it has none or its tensors disagree."""
    sizes = {int(value.shape[0]) for value in batch.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"A batch needs one leading task dimension of at least 1; its tensors have {sizes}.")
    return sizes.pop()


def gradient_per_task(
    loss: Loss, params: dict[str, Tensor], batch: dict[str, Tensor], *, create_graph: bool
) -> dict[str, Tensor]:
    """d loss_t / d params_t for every task t, in one backward pass: [tasks, ...] like params.

    Tasks share no parameters here, so the gradient of the sum holds each task's own gradient.  A parameter
    that the loss doesn't use has gradient zero.
    """
    values = loss(params, batch)
    if values.shape != (task_count(batch),):
        raise ValueError(f"A loss returns one value per task; this one has shape {tuple(values.shape)}.")
    if not values.requires_grad:
        return {name: torch.zeros_like(value) for name, value in params.items()}
    gradients = torch.autograd.grad(
        values.sum(), list(params.values()), create_graph=create_graph, materialize_grads=True
    )
    return dict(zip(params, gradients, strict=True))


def adapt(
    loss: Loss,
    params: dict[str, Tensor],
    batch: dict[str, Tensor],
    *,
    inner_lr: float,
    inner_steps: int,
    create_graph: bool,
) -> dict[str, Tensor]:
    """theta_K of every task: theta_{k+1} = theta_k - inner_lr * grad loss(theta_k), k = 0..inner_steps - 1.

    params carry the task dimension and must require gradients.  With create_graph the steps can be
    differentiated (second order); without, each step's gradient is a constant (first order).
    """
    for _ in range(inner_steps):
        gradients = gradient_per_task(loss, params, batch, create_graph=create_graph)
        params = {name: value - inner_lr * gradients[name] for name, value in params.items()}
    return params


def differentiable(params: dict[str, Tensor]) -> dict[str, Tensor]:
    """The meta-parameters as tensors to differentiate by.

    Tensors that already require gradients are taken as they are, so that a loss which refers to them by
    itself (a proximal term around the meta-parameters) is differentiated through that path too.
    """
    return {
        name: value if value.requires_grad else value.detach().requires_grad_()
        for name, value in params.items()
    }
