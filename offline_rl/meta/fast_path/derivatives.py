"""Gradient and Hessian-vector product of a perceptron policy's clipped loss, written out by hand.

Activations are columns, h [T, width, N]: matrix products then run along the long side, sums over actions and
over rows along contiguous memory, and the weights' layout is the usual [out, in].

Of one row, with p = softmax(z), logged action a, and s = coefficient * p_a, or 0 above the ceiling:

    value     coefficient * min(p_a, ceiling)
    gradient  g  = dL/dz     = s (e_a - p)
    tangent   ds = s (dz_a - p·dz) = g·dz
              dg = ds (e_a - p) - s p∘(dz - p·dz) = g∘(dz + dz_a - 2 p·dz) - ds e_a

so that g and s alone are kept.  p·dz is dz_a - ds / s; where s = 0 the row has g = 0, and any value will do.
ReLU has no curvature of its own (outside its kink): the layers are linear in the tangent.
Source: Pearlmutter 1994, "Fast exact multiplication by the Hessian".
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from offline_rl.meta.fast_path.policy_rows import PolicyRows


class Layer(NamedTuple):
    """One layer's weight [T, out, in] and bias [T, out, 1], or a derivative with respect to them."""

    weight: Tensor
    bias: Tensor


Layers = list[Layer]


@dataclass(frozen=True, eq=False)
class Linearization:
    """What a forward and backward pass leaves behind, from which products with the Hessian there are made.

    inputs: what each layer reads, [T, in, N].  deltas: dL / d(what each layer puts out), [T, out, N].
    slope: s [T, 1, N].  action: a [T, 1, N].
    """

    layers: Layers
    inputs: list[Tensor]
    deltas: list[Tensor]
    slope: Tensor
    action: Tensor


def gradient(layers: Layers, rows: PolicyRows) -> tuple[Tensor, Layers, Linearization]:
    """Value [T], gradient, and the linearization of L at `layers`, for every task at once.

    One row, two actions, logits 0, action 0, coefficient -2: p = 1/2, L = -1, s = -1, g = (-1/2, 1/2).

    >>> rows = PolicyRows(torch.ones(1, 1, 1), torch.zeros(1, 1, dtype=torch.int64),
    ...     torch.full((1, 1), -2.0), torch.full((1, 1), torch.inf))
    >>> value, slopes, _ = gradient([Layer(torch.zeros(1, 2, 1), torch.zeros(1, 2, 1))], rows)
    >>> value.tolist(), slopes[0].bias.flatten().tolist()
    ([-1.0], [-0.5, 0.5])
    """
    inputs = [rows.context.transpose(1, 2)]
    for weight, bias in layers[:-1]:
        inputs.append(torch.baddbmm(bias, weight, inputs[-1]).clamp_min_(0.0))
    logits = torch.baddbmm(layers[-1].bias, layers[-1].weight, inputs[-1])
    if rows.available is not None:
        logits.masked_fill_(~rows.available.transpose(1, 2), -torch.inf)
    action, coefficient = rows.action.unsqueeze(1), rows.coefficient.unsqueeze(1)
    ceiling = rows.ceiling.unsqueeze(1)
    probabilities = torch.softmax(logits, dim=1)
    logged = probabilities.gather(1, action)
    value = (coefficient * torch.minimum(logged, ceiling)).sum((1, 2))
    slope = torch.where(logged > ceiling, 0.0, coefficient * logged)
    deltas = [probabilities.mul_(-slope).scatter_add_(1, action, slope)]
    for layer, hidden in zip(reversed(layers[1:]), reversed(inputs[1:]), strict=True):
        delta = torch.bmm(layer.weight.transpose(1, 2), deltas[0])
        deltas.insert(0, _where_active(delta, hidden))
    slopes = [
        Layer(torch.bmm(delta, hidden.transpose(1, 2)), delta.sum(-1, keepdim=True))
        for delta, hidden in zip(deltas, inputs, strict=True)
    ]
    return value, slopes, Linearization(layers, inputs, deltas, slope, action)


def hessian_product(at: Linearization, direction: Layers) -> Layers:
    """H v: the Hessian of L at a linearization, times a direction of the layers' shape, for every task.

    In the example of `gradient`, with v = (1, 0) on the biases: dz = (1, 0), p·dz = 1/2, ds = -1/2, and
    dg = g∘(dz + 1 - 1) - ds e_a = (-1/2 + 1/2, 0) = 0: p = 1/2 is where a probability's curvature vanishes.
    """
    last = len(direction) - 1
    tangent: Tensor | None = None
    input_tangents: list[Tensor | None] = []
    for position, (weight, bias) in enumerate(direction):
        input_tangents.append(tangent)
        moved = torch.baddbmm(bias, weight, at.inputs[position])
        if tangent is not None:
            moved.baddbmm_(at.layers[position].weight, tangent)
        tangent = moved if position == last else _where_active(moved, at.inputs[position + 1])
    assert tangent is not None
    delta_tangent = _logit_curvature(at, tangent)
    products: Layers = []
    for position in range(last, -1, -1):
        input_tangent = input_tangents[position]
        weight = torch.bmm(delta_tangent, at.inputs[position].transpose(1, 2))
        if input_tangent is not None:
            weight.baddbmm_(at.deltas[position], input_tangent.transpose(1, 2))
        products.insert(0, Layer(weight, delta_tangent.sum(-1, keepdim=True)))
        if position > 0:
            delta_tangent = torch.bmm(at.layers[position].weight.transpose(1, 2), delta_tangent)
            delta_tangent.baddbmm_(direction[position].weight.transpose(1, 2), at.deltas[position])
            delta_tangent = _where_active(delta_tangent, at.inputs[position])
    return products


def _logit_curvature(at: Linearization, tangent: Tensor) -> Tensor:
    """dg of the module's head for a tangent dz [T, A, N] of the logits."""
    logits_gradient, slope = at.deltas[-1], at.slope
    product = logits_gradient * tangent
    slope_tangent = product.sum(1, keepdim=True)
    ratio = torch.where(slope.abs() > torch.finfo(slope.dtype).tiny, slope_tangent / slope, 0.0)
    shift = ratio.mul_(2.0).sub_(tangent.gather(1, at.action))
    return product.addcmul_(logits_gradient, shift).scatter_add_(1, at.action, slope_tangent.neg_())


def _where_active(values: Tensor, hidden: Tensor) -> Tensor:
    """The values, in place, where the ReLU's output is positive; 0 elsewhere."""
    passed: Tensor = torch.ops.aten.threshold_backward.grad_input(values, hidden, 0.0, grad_input=values)
    return passed
