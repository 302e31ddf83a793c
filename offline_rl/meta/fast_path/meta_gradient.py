"""The exact MAML gradient of a perceptron policy by hand-written derivatives: `maml.meta_gradient`, faster.

    theta_{k+1} = theta_k - alpha∘grad L_s(theta_k)                                 k = 0..K-1
    lambda_k = lambda_{k+1} - H_k (alpha∘lambda_{k+1}),   lambda_K = grad L_q(theta_K)
    dJ/dtheta = mean_t lambda_0

with H_k the Hessian of the support's loss at theta_k, and a rate alpha for every parameter tensor.  This is
reverse-mode differentiation of the inner steps, with no graph to build.  Tasks are taken a few at a time, so
that what the K steps leave behind stays in the cache.
Source: Finn, Abbeel & Levine 2017, section 2.2; the recursion is the chain rule through gradient descent.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from offline_rl.meta.fast_path.derivatives import Layer, Layers, Linearization, gradient, hessian_product
from offline_rl.meta.fast_path.perceptron import layer_count
from offline_rl.meta.fast_path.policy_rows import PolicyRows

Rates = list[tuple[float, float]]

TASKS_PER_CHUNK = 16
"""Tasks taken at a time on the CPU.  A GPU takes them all: there the count of kernels is what costs."""


def meta_gradient(
    parameters: Mapping[str, Tensor],
    support: PolicyRows,
    query: PolicyRows,
    *,
    inner_lr: float | Mapping[str, float],
    inner_steps: int,
    first_order: bool = False,
    tasks_per_chunk: int | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean query loss after adaptation, and its gradient with respect to the parameters.

    parameters: a perceptron's, without task dimension, in any dtype.  inner_lr: one rate, or one for every
    parameter by name; a rate of 0 keeps it from adapting, so that rates of 0 on all but the last layer are
    ANIL.  With first_order the Hessians are left out (FOMAML).  With one rate the result equals
    `offline_rl.meta.maml.meta_gradient` of `offline_rl.meta.fast_path.perceptron.importance_weighted_loss`
    up to rounding.
    Raises ValueError if support and query disagree in their tasks, or have none.
    """
    if support.tasks != query.tasks or support.tasks == 0:
        raise ValueError(
            "Support and query are of the same tasks, at least 1; "
            f"these have {support.tasks} and {query.tasks}."
        )
    start = [
        Layer(parameters[f"weight_{layer}"].detach(), parameters[f"bias_{layer}"].detach().unsqueeze(-1))
        for layer in range(layer_count(parameters))
    ]
    rates = [
        (_rate(inner_lr, f"weight_{layer}"), _rate(inner_lr, f"bias_{layer}")) for layer in range(len(start))
    ]
    size = tasks_per_chunk or (support.tasks if support.action.is_cuda else TASKS_PER_CHUNK)
    sums: dict[str, Tensor] = {}
    for first in range(0, support.tasks, size):
        values, slopes = _task_gradients(
            start,
            support.chunk(first, size),
            query.chunk(first, size),
            rates,
            inner_steps=inner_steps,
            first_order=first_order,
        )
        parts = {"value": values}
        for layer, (weight, bias) in enumerate(slopes):
            parts |= {f"weight_{layer}": weight, f"bias_{layer}": bias.squeeze(-1)}
        for name, part in parts.items():
            sums[name] = sums[name] + part.sum(0) if name in sums else part.sum(0)
    means = {name: value / support.tasks for name, value in sums.items()}
    return means.pop("value"), means


def _task_gradients(
    start: Layers,
    support: PolicyRows,
    query: PolicyRows,
    rates: Rates,
    *,
    inner_steps: int,
    first_order: bool,
) -> tuple[Tensor, Layers]:
    """Query losses [T] after adaptation, and lambda_0 of every task."""
    layers = [Layer(*(part.expand(support.tasks, *part.shape) for part in layer)) for layer in start]
    passed: list[Linearization] = []
    for _ in range(inner_steps):
        _, slopes, linearization = gradient(layers, support)
        if not first_order:
            passed.append(linearization)
        layers = _minus(layers, slopes, rates)
    values, slopes, _ = gradient(layers, query)
    for linearization in reversed(passed):
        step = [
            Layer(*(part * rate for part, rate in zip(*pair, strict=True)))
            for pair in zip(slopes, rates, strict=True)
        ]
        slopes = _minus(slopes, hessian_product(linearization, step), [(1.0, 1.0)] * len(slopes))
    return values, slopes


def _minus(left: Layers, right: Layers, rates: Rates) -> Layers:
    """left - rates∘right."""
    return [
        Layer(*(torch.sub(one, other, alpha=rate) for one, other, rate in zip(*trio, strict=True)))
        for trio in zip(left, right, rates, strict=True)
    ]


def _rate(inner_lr: float | Mapping[str, float], name: str) -> float:
    return inner_lr[name] if isinstance(inner_lr, Mapping) else inner_lr
