"""Curvature: the largest eigenvalue of a loss's Hessian, which bounds the step that descends it safely."""

import torch
from torch import Tensor

from offline_rl.meta.adaptation import Loss, differentiable, gradient_per_task
from offline_rl.two_tower import with_task_dimension


def largest_curvature(
    loss: Loss, params: dict[str, Tensor], batch: dict[str, Tensor], *, iterations: int = 12, seed: int = 0
) -> float:
    """Return |lambda_max| of the Hessian at params (without task dimension), over a batch of one task.

    Power iteration on exact Hessian-vector products: v <- H v / |H v|, lambda = |v' H v|. Gradient descent
    on a quadratic is stable below 2 / lambda_max, and settles its steepest direction at 1 / lambda_max.

    L = 3/2 a^2 + 1/2 b^2 has eigenvalues 3 and 1:

    >>> bowl = lambda params, batch: (1.5 * params["a"] ** 2 + 0.5 * params["b"] ** 2) * batch["one"]
    >>> start = {"a": torch.tensor(1.0), "b": torch.tensor(1.0)}
    >>> round(largest_curvature(bowl, start, {"one": torch.ones(1)}), 3)
    3.0
    """
    one_task = with_task_dimension(differentiable(params), 1)
    gradient = gradient_per_task(loss, one_task, batch, create_graph=True)
    generator = torch.Generator().manual_seed(seed)
    vector = [
        torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value)
        for value in gradient.values()
    ]
    curvature = 0.0
    for _ in range(iterations):
        length = _dot(vector, vector).sqrt()
        vector = [part / length for part in vector]
        product = list(
            torch.autograd.grad(
                _dot(list(gradient.values()), vector),
                list(one_task.values()),
                retain_graph=True,
                materialize_grads=True,
            )
        )
        curvature = abs(float(_dot(product, vector)))
        if not float(_dot(product, product)) > 0.0:
            break
        vector = product
    return curvature


def _dot(left: list[Tensor], right: list[Tensor]) -> Tensor:
    return torch.stack([(a * b).sum() for a, b in zip(left, right, strict=True)]).sum()
