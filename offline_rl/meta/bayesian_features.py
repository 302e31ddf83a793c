"""Features of the Bayesian last layer: what a segment may differ in, linear in the segment's own weights.

    score_s(x, a) = f(x, a) + psi(x, a)·w_s,      w_s ~ N(0, I)
    psi(x, a) = [ S_x (1, x, slot) ⊗ S_a (1, e_a, z_a) ;  S_phi phi(x, a) ]

f is the pooled reward model's score. e_a marks the item, z_a are the item features that several items share:
so a segment may have a level, a taste for each item and for each category, and all of these may lean on the
context. phi are m learned features, phi(x, a)_k = sum_h tanh((x, slot) W + b)_h (C_a)_hk, with C_a from e_a
and z_a. The diagonal scales S are prior deviations, so that the prior of w is the unit normal and a feature
that does not help ends with a scale near zero.

The product of context and item features is never multiplied out: P = (1 + d + L)(1 + A + f') + m of them, a
thousand for 30 items, are handled as a small matrix per segment, and their kernel as a product of two.
Source of the form: Harrison, Sharma & Pavone 2018 (ALPaCA), with a logistic likelihood and random effects
of Gelman & Hill 2007, chapter 13.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Batch = Mapping[str, Tensor]
Parameters = Mapping[str, Tensor]

HIDDEN = 24
"""Hidden units of phi."""

# Prior deviations that meta-training starts from, in log-odds: of an item's intercept (half of it for the
# level and for shared features), of a slope per unit of context, and of a learned feature.
_INTERCEPT, _SLOPE, _LEARNED = 0.4, 0.15, 0.3


@dataclass(frozen=True)
class RowFeatures:
    """Factors of psi for the logged items of T tasks of N rows, scaled by the prior.

    context [T, N, C], item [T, N, E], learned [T, N, m]; P = C E + m.
    """

    context: Tensor
    item: Tensor
    learned: Tensor

    def times(self, weights: Tensor) -> Tensor:
        """Return psi·w of every row: [T, P] → [T, N]."""
        taste, learned = split_weights(weights, self.context.shape[-1], self.item.shape[-1])
        scores = (torch.bmm(self.context, taste) * self.item).sum(-1)
        return scores + torch.bmm(self.learned, learned.unsqueeze(-1)).squeeze(-1)

    def transposed_times(self, values: Tensor) -> Tensor:
        """Return sum_i values_i psi_i: [T, N] → [T, P]."""
        taste = torch.bmm((self.context * values.unsqueeze(-1)).transpose(1, 2), self.item)
        learned = torch.bmm(values.unsqueeze(1), self.learned).squeeze(1)
        return torch.cat([taste.flatten(1), learned], dim=-1)

    def kernel(self) -> Tensor:
        """Return psi_i·psi_j of every pair of rows: [T, N, N]."""
        by_context = torch.bmm(self.context, self.context.transpose(1, 2))
        by_item = torch.bmm(self.item, self.item.transpose(1, 2))
        return torch.baddbmm(by_context * by_item, self.learned, self.learned.transpose(1, 2))


def split_weights(weights: Tensor, n_context: int, n_item: int) -> tuple[Tensor, Tensor]:
    """Return weights [T, P] as the matrix of tastes [T, C, E] and those of the learned features [T, m]."""
    linear = n_context * n_item
    return weights[:, :linear].reshape(-1, n_context, n_item), weights[:, linear:]


def init_parameters(
    n_context: int, n_slots: int, item_features: Tensor, m: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """Return prior scales to start from, and a random phi with m outputs per item; float32, on the CPU."""
    width, n_items = n_context + n_slots, item_features.shape[0]
    n_item = item_embedding(item_features).shape[1]

    def normal(*shape: int, scale: float) -> Tensor:
        return scale * torch.randn(*shape, generator=generator, dtype=torch.float64).float()

    return {
        "log_context": torch.tensor([1.0, _SLOPE / _INTERCEPT]).log(),
        "log_item": torch.tensor([0.5 * _INTERCEPT, _INTERCEPT, 0.5 * _INTERCEPT]).log(),
        "context_tilt": torch.zeros(width),
        "item_tilt": torch.zeros(n_item - n_items - 1),
        "log_noise": torch.zeros(1),
        "log_learned": torch.full((m,), _LEARNED).log(),
        "hidden_weight": normal(width, HIDDEN, scale=max(width, 1) ** -0.5),
        "hidden_bias": normal(HIDDEN, scale=0.5),
        "output": normal(n_item, HIDDEN, m, scale=HIDDEN**-0.5),
    }


def item_embedding(item_features: Tensor) -> Tensor:
    """Return (1, e_a, z_a) of every item: [A, 1 + A + f'].

    A feature that is nonzero for one item alone repeats e_a, and is left out.

    >>> item_embedding(torch.tensor([[1.0, 0.0], [1.0, 2.0]]))
    tensor([[1., 1., 0., 1.],
            [1., 0., 1., 1.]])
    """
    n_items = item_features.shape[0]
    shared = item_features[:, (item_features != 0).sum(0) > 1]
    identity = torch.eye(n_items, dtype=item_features.dtype, device=item_features.device)
    return torch.cat([torch.ones_like(identity[:, :1]), identity, shared], dim=-1)


def row_features(parameters: Parameters, batch: Batch) -> RowFeatures:
    """Return psi of the logged items of a padded batch (see `task_batches.pad_tasks`)."""
    inputs = _inputs(batch["context"], batch["slot"], parameters["hidden_weight"].shape[0])
    embedding = item_embedding(batch["item_features"][0])
    # A product with indicators, not a gather: its gradient is summed in one order on a GPU too.
    shown = torch.nn.functional.one_hot(batch["action"], len(embedding)).to(inputs.dtype)
    output = torch.tensordot(embedding, parameters["output"], 1)
    of_item = torch.tensordot(shown, output, 1)
    learned = torch.einsum("tnh,tnhm->tnm", _hidden(parameters, inputs), of_item)
    return RowFeatures(
        context=_with_one(inputs) * _context_scales(parameters),
        item=shown @ (embedding * _item_scales(parameters, len(embedding))),
        learned=learned * parameters["log_learned"].exp(),
    )


def all_deviations(parameters: Parameters, weights: Tensor, batch: Batch) -> Tensor:
    """Return psi(x, a)·w_s of every item: [T, N, A], for weights [T, P]."""
    inputs = _inputs(batch["context"], batch["slot"], parameters["hidden_weight"].shape[0])
    embedding = item_embedding(batch["item_features"][0])
    context = _with_one(inputs) * _context_scales(parameters)
    item = embedding * _item_scales(parameters, len(embedding))
    taste, learned = split_weights(weights, context.shape[-1], item.shape[-1])
    output = torch.tensordot(embedding, parameters["output"], 1)
    by_hidden = torch.einsum("ahm,tm->tha", output, learned * parameters["log_learned"].exp())
    linear = torch.bmm(context, taste @ item.T)
    return torch.baddbmm(linear, _hidden(parameters, inputs), by_hidden)


def _context_scales(parameters: Parameters) -> Tensor:
    """Return one prior deviation for intercepts, and for slopes a common one that each column tilts."""
    common = parameters["log_context"]
    return torch.cat([common[:1], common[1] + parameters["context_tilt"]]).exp()


def _item_scales(parameters: Parameters, n_items: int) -> Tensor:
    """Return prior deviations: of the level, of items' own effects, and of shared features, each tilted."""
    common = parameters["log_item"]
    return torch.cat([common[:1], common[1].expand(n_items), common[2] + parameters["item_tilt"]]).exp()


def _hidden(parameters: Parameters, inputs: Tensor) -> Tensor:
    return torch.tanh(inputs @ parameters["hidden_weight"] + parameters["hidden_bias"])


def _inputs(context: Tensor, slot: Tensor, width: int) -> Tensor:
    one_hot = torch.nn.functional.one_hot(slot, width - context.shape[-1]).to(context.dtype)
    return torch.cat([context, one_hot], dim=-1)


def _with_one(inputs: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(inputs[..., :1]), inputs], dim=-1)
