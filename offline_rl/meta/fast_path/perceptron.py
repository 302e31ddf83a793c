"""A perceptron policy over a fixed set of actions: logits of every action by layers of ReLU units.

    h_0 = x,   h_l = max(0, W_l h_{l-1} + b_l),   logits = W_L h_{L-1} + b_L,   pi = softmax(logits)

With no hidden layer it is the linear softmax policy.  Weights are [out, in]; parameters are a dict
{"weight_0", "bias_0", "weight_1", ...} with or without a leading task dimension.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from offline_rl import objectives


def init_parameters(
    widths: Sequence[int], *, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Starting values for layers of these widths (inputs, hidden layers, actions), without task dimension.

    Weights are normal with variance 2 / inputs (He et al. 2015, eq. 10), biases zero.

    >>> shapes = init_parameters([3, 2], generator=torch.Generator())
    >>> {name: tuple(value.shape) for name, value in shapes.items()}
    {'weight_0': (2, 3), 'bias_0': (2,)}
    """
    parameters: dict[str, Tensor] = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        weight = torch.randn(outputs, inputs, generator=generator, dtype=torch.float64)
        parameters[f"weight_{layer}"] = weight.mul(math.sqrt(2.0 / inputs)).to(dtype)
        parameters[f"bias_{layer}"] = torch.zeros(outputs, dtype=dtype)
    return parameters


def layer_count(parameters: Mapping[str, Tensor]) -> int:
    """Number of layers; ValueError if the names aren't those of a perceptron's layers from 0 on."""
    layers = len(parameters) // 2
    names = {f"{kind}_{layer}" for layer in range(layers) for kind in ("weight", "bias")}
    if not names or names != set(parameters):
        raise ValueError(
            "A perceptron's parameters are weight_0, bias_0, weight_1 and so on; "
            f"these are {', '.join(sorted(parameters)) or 'none'}."
        )
    return layers


def log_probabilities(parameters: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
    """log pi(a | x) of every action: [T, N, A] for context [T, N, d]; minus infinity where not available."""
    hidden, last = batch["context"], layer_count(parameters) - 1
    for layer in range(last + 1):
        weight, bias = parameters[f"weight_{layer}"], parameters[f"bias_{layer}"]
        hidden = torch.baddbmm(bias.unsqueeze(1), hidden, weight.transpose(1, 2))
        hidden = hidden if layer == last else torch.relu(hidden)
    if "available" in batch:
        hidden = hidden.masked_fill(~batch["available"], -torch.inf)
    return torch.log_softmax(hidden, dim=-1)


def importance_weighted_loss(
    parameters: Mapping[str, Tensor], batch: Mapping[str, Tensor], *, clip: float
) -> Tensor:
    """`offline_rl.objectives.importance_weighted_loss` of this policy, one value per task: the readable form.

    batch: see `offline_rl.meta.fast_path.policy_rows.importance_weighted_rows`.
    """
    logged = log_probabilities(parameters, batch).gather(-1, batch["action"].unsqueeze(-1)).squeeze(-1)
    values = objectives.importance_weighted_loss(
        logged, batch["propensity"], batch["advantage"], batch["mask"], clip=clip
    )
    return values * batch["trust"] if "trust" in batch else values
